// Boost.Context, compiled from the real headers and linked with the real library at run time. The compiler itself
// decides whether Boost is there: no path is guessed.

import Glibc
import Processes
import Workloads

/// Why a peer cannot be measured: one line that names the package to install.
public struct PeerUnavailable: Error, CustomStringConvertible, Sendable {
    /// The line.
    public let description: String

    /// A peer that is not there.
    public init(_ description: String) { self.description = description }
}

/// The functions of Boost.Context that benchmarks compare with. Loaded until the process ends.
public struct BoostPeer: Sendable {
    /// A peer's function: performs its operation that many times and returns 0, or -1 when Boost refused.
    public typealias Operation = @convention(c) @Sendable (_ count: UInt64) -> Int32

    /// The version that was compiled, such as "1.74.0".
    public let version: String
    /// Round trips of two contexts (`jump_fcontext`).
    public let fcontextRoundTrips: Operation
    /// Fibers made, run and destroyed on stacks of a pool (`pooled_fixedsize_stack`).
    public let spawnPooled: Operation
    /// The same on stacks from `malloc` (`fixedsize_stack`).
    public let spawnFixed: Operation
    /// The same on stacks with a guard page, mapped and unmapped each time (`protected_fixedsize_stack`).
    public let spawnProtected: Operation

    /// Compiles the peer, or takes it from the cache, and loads it.
    ///
    /// - Throws: ``PeerUnavailable`` without a C++ compiler or without Boost.
    public static func load(environment: CodeEnvironment = CodeEnvironment()) throws(PeerUnavailable) -> BoostPeer {
        let source = PackageResources.boost_peer_cpp
        let path = try LibraryBuilder(environment: environment).library(
            "boost_peer", source: source, linking: ["-lboost_context"], package: "libboost-context-dev",
            // A new release of Boost changes this file, and with it the name in the cache.
            dependencies: ["/usr/include/boost/version.hpp", "/usr/local/include/boost/version.hpp"])
        guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            let reason = dlerror().map { String(cString: $0) } ?? "no message"
            throw PeerUnavailable("\(reason); install libboost-context-dev and delete \(path)")
        }
        func address(_ name: String) throws(PeerUnavailable) -> UnsafeMutableRawPointer {
            guard let address = dlsym(handle, name) else {
                throw PeerUnavailable("\(path) has no symbol \(name); delete it, it is built again")
            }
            return address
        }
        let version = unsafeBitCast(
            try address("fl_boost_version"), to: (@convention(c) () -> UInt64).self)()
        return BoostPeer(
            version: "\(version / 100_000).\(version / 100 % 1_000).\(version % 100)",
            fcontextRoundTrips: unsafeBitCast(try address("fl_boost_fcontext_round_trips"), to: Operation.self),
            spawnPooled: unsafeBitCast(try address("fl_boost_spawn_pooled"), to: Operation.self),
            spawnFixed: unsafeBitCast(try address("fl_boost_spawn_fixed"), to: Operation.self),
            spawnProtected: unsafeBitCast(try address("fl_boost_spawn_protected"), to: Operation.self))
    }
}
