// Boost.Fiber: a scheduler on top of Boost.Context.

extension Peer {
    /// Yields in turn; fibers on stacks of a pool that are joined.
    public static let boostFiber = Peer(
        name: "Boost.Fiber", packages: "g++ and libboost-fiber-dev",
        tasks: [PeerTask(.roundTrip, "boost-fiber", "round-trip"), PeerTask(.spawn, "boost-fiber", "spawn")]
    ) { builder in
        PeerProgram(
            "Boost.Fiber",
            try builder.compile(
                "boost-fiber", ("boost_fiber.cpp", PackageResources.boost_fiber_cpp), by: boostCompilers,
                boostFlags + ["-lboost_fiber", "-lboost_context"], dependencies: boostHeaders
            ).path)
    }
}
