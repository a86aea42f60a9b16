// Boost.Context, compiled from the real headers and linked with the real library. The compiler itself decides whether
// Boost is there: no path is guessed.

extension Peer {
    static let boostCompilers = ["clang++", "g++", "c++"]
    static let boostFlags = ["-std=c++17"]
    /// A new release of Boost changes this file, and with it the name in the cache.
    static let boostHeaders = ["/usr/include/boost/version.hpp", "/usr/local/include/boost/version.hpp"]

    /// Round trips by `jump_fcontext`; fibers on stacks of a pool, from `malloc`, and mapped with a guard page each
    /// time.
    public static let boostContext = Peer(
        name: "Boost.Context", packages: "g++ and libboost-context-dev",
        tasks: [
            PeerTask(.roundTrip, "boost-fcontext", "round-trip"), boostPooled,
            PeerTask(.spawn, "boost-fixed", "spawn-fixed"), boostProtected,
        ]
    ) { builder in
        PeerProgram(
            "Boost.Context",
            try builder.compile(
                "boost-context", ("boost_context.cpp", PackageResources.boost_context_cpp), by: boostCompilers,
                boostFlags + ["-lboost_context"], dependencies: boostHeaders
            ).path)
    }

    /// Fibers on stacks of a pool (`pooled_fixedsize_stack`).
    public static let boostPooled = PeerTask(.spawn, "boost-pooled", "spawn-pooled")
    /// The same on stacks with a guard page, mapped and unmapped each time (`protected_fixedsize_stack`).
    public static let boostProtected = PeerTask(.spawn, "boost-protected", "spawn-protected")
}
