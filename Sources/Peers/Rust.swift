// Rust's crates `generator` and `stacker`, built by cargo from the sources that Debian installs. The network is never
// asked, and nothing of the user's cargo is used.

import Processes

extension Peer {
    private static let registry = "/usr/share/cargo/registry"
    private static let crates = ["generator", "stacker"]
    /// One crate for the program, the same release of each that is installed, and all of it optimized as a whole.
    private static let manifest = """
        [package]
        name = "program"
        version = "0.0.0"
        edition = "2018"

        [[bin]]
        name = "program"
        path = "rust_peer.rs"

        [dependencies]
        generator = "*"
        stacker = "*"

        [profile.release]
        lto = true

        """
    private static let configuration = """
        [source.crates-io]
        replace-with = "debian"

        [source.debian]
        directory = "\(registry)"

        """

    /// Generators that are resumed, run once and iterated over; calls that ask for stack by `stacker::maybe_grow`.
    public static let rust = Peer(
        name: "Rust", packages: "cargo, librust-generator-dev and librust-stacker-dev",
        tasks: [
            PeerTask(.roundTrip, "rust-generator", "round-trip"), PeerTask(.spawn, "rust-generator", "spawn"),
            PeerTask(.element, "rust-generator", "element"), PeerTask(.headroom, "rust-stacker", "headroom"),
            PeerTask(.plainCall, "rust-plain-call", "plain-call"),
            PeerTask(.growingCall, "rust-stacker-growing", "growing-call"),
            PeerTask(.level, "rust-stacker-level", "level"),
        ]
    ) { builder in
        let cargo = try builder.first("cargo")
        let folders = ((try? Files.names(in: registry, suffix: "")) ?? []).filter { folder in
            crates.contains { folder.hasPrefix("\($0)-") }
        }
        // "generator 0.7.1, stacker 0.1.9"
        let version = folders.map { $0.replacing(/-(?=\d)/, with: " ") }.joined(separator: ", ")
        let path = try builder.program(
            "rust", [("rust_peer.rs", PackageResources.rust_peer_rs), ("Cargo.toml", Array(manifest.utf8))],
            key: [Toolchain.identity(of: [cargo]), version]
        ) { folder throws(ProcessError) in
            guard Files.makeFolder("\(folder)/home") else { throw ProcessError("cannot make a folder in \(folder)") }
            try Files.write(configuration.utf8, to: "\(folder)/home/config.toml")
            try Subprocess.run(
                cargo, ["build", "--release", "--offline", "--quiet", "--manifest-path", "\(folder)/Cargo.toml"],
                in: folder,
                environment: Spawn.environment(changing: [
                    "CARGO_HOME": "\(folder)/home", "CARGO_TARGET_DIR": "\(folder)/target", "RUSTFLAGS": "",
                    "PEER_VERSION": version,
                ]))
            try Files.write(try Files.read("\(folder)/target/release/program"), to: "\(folder)/program")
        }
        return PeerProgram("Rust", path)
    }
}
