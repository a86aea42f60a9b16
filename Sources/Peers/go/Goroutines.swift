// Goroutines, by the newest version of Go that is installed.

import Processes

extension Peer {
    /// Yields in turn; goroutines that are waited for.
    public static let goroutines = Peer(
        name: "Go", packages: "golang-go",
        tasks: [PeerTask(.roundTrip, "goroutine", "round-trip"), PeerTask(.spawn, "goroutine", "spawn")]
    ) { builder in
        guard let toolchain = GoToolchain.installed(environment: builder.environment).last else {
            throw ProcessError("no go on PATH")
        }
        return try toolchain.program(.stacks)
    }
}
