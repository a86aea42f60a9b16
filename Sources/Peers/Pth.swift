// GNU Pth: threads in user space that yield to one another, by `swapcontext` or signal stacks as it was configured.

extension Peer {
    /// Yields in turn; threads that are joined.
    public static let pth = Peer(
        name: "GNU Pth", packages: "gcc and libpth-dev",
        tasks: [PeerTask(.roundTrip, "pth", "round-trip"), PeerTask(.spawn, "pth", "spawn")]
    ) { builder in
        PeerProgram(
            "GNU Pth",
            try builder.compile(
                "pth", ("pth.c", PackageResources.pth_c), by: ["clang", "gcc", "cc"], ["-lpth"],
                dependencies: ["/usr/include/pth.h"]
            ).path)
    }
}
