import Processes
import TestNeeds
import Testing
import Workloads

@testable import Peers

@Suite("Peers") struct PeerTests {
    /// What a machine must have for a peer.
    private static let needs: [String: Need] = [
        "Boost.Context": .boost, "Boost.Fiber": .boostFiber, "GNU Pth": .pth, "Rust": .rustCrates, "Go": .go,
        "Java": .virtualThreads, "greenlet": .greenlet,
    ]

    @Test(arguments: Peer.all)
    func doesEachTaskAsOftenAsIsAsked(_ peer: Peer) throws {
        try #require(Self.needs[peer.name]).check()
        let running = try peer.start()
        #expect(running.version.contains(/\d+\.\d+/))
        for task in peer.tasks {
            for count in [1, 1000] {
                #expect(try running.perform(task, count) > 0, "\(task.name)")
            }
        }
    }

    @Test(arguments: Peer.all)
    func anUnknownTaskIsAnError(_ peer: Peer) throws {
        try #require(Self.needs[peer.name]).check()
        let running = try peer.start()
        #expect(throws: PeerFailure.self) { try running.perform(PeerTask(.spawn, "dance", "dance"), 1) }
        #expect(try running.perform(peer.tasks[0], 1) > 0)
    }

    // Go's is looked for where Debian puts it, wherever the search path leads.
    @Test(arguments: Peer.all.filter { $0.name != "Go" })
    func thatIsMissingNamesItsPackages(_ peer: Peer) throws {
        let empty = try TemporaryFolder()
        let nothing = CodeEnvironment(searchPath: empty.path, cacheFolder: empty.path)
        #expect {
            try peer.start(environment: nothing)
        } throws: { error in
            error is PeerUnavailable && "\(error)".hasSuffix("; install \(peer.packages)")
                && !"\(error)".contains("\n")
        }
    }

    @Test func whatDoesLessThanIsAskedIsAnError() throws {
        let lazy = Peer(name: "lazy", packages: "nothing", tasks: [PeerTask(.spawn, "lazy", "spawn")]) { _ in
            PeerProgram("lazy", "/bin/sh", ["-c", "while read -r line; do echo 7 3; done"])
        }
        let running = try lazy.start()
        #expect(try running.perform(lazy.tasks[0], 3) == 7)
        #expect {
            try running.perform(lazy.tasks[0], 4)
        } throws: {
            "\($0)".contains("lazy was done 3 times instead of 4")
        }
    }

    @Test func ofTwoTasksOfAKindEachHasItsName() {
        for kind in PeerTask.Kind.allCases {
            let names = Peer.all.flatMap(\.tasks).filter { $0.kind == kind }.map(\.name)
            #expect(Set(names).count == names.count, "\(kind): \(names)")
        }
        #expect(Set(Peer.all.map(\.name)).count == Peer.all.count)
    }
}
