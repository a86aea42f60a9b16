// What each thread's pool keeps and gives back, counted in a process of its own.
import Glibc
import TestNeeds
import Testing

@Suite struct Pools {
    /// What a scenario of PoolChild said, by key.
    private func findings(_ arguments: String, endsBy ending: Ending = .exited(0)) throws -> [String: Int] {
        if arguments.contains("guard-pages") { try Need.guardPages.check() }
        let result = try ChildProcess.run(
            program: BuiltPrograms.path(of: "PoolChild"), arguments.split(separator: " ").map(String.init))
        #expect(result.ending == ending, "\(arguments): \(result.output.suffix(1000))")
        var findings: [String: Int] = [:]
        for word in result.output.split(whereSeparator: \.isWhitespace) {
            let parts = word.split(separator: "=")
            if parts.count == 2 { findings[String(parts[0])] = Int(parts[1]) }
        }
        return findings
    }

    static let stacks = [
        "fault \(64 << 10) guard-pages", "fault \(64 << 10) prot-none", "fault \(256 << 10) guard-pages",
        "fault \(1 << 20) prot-none", "fault \(8 << 20) guard-pages", "fault \(64 << 20) guard-pages",
        "fault \(1 << 30) guard-pages", "demand \(8 << 20) guard-pages", "check-fixed \(64 << 10) prot-none",
    ]

    @Test(arguments: stacks) func aThreadKeepsAThousandStacksOfASize(_ stack: String) throws {
        #expect(
            try findings("bounded \(stack)") == ["kept": 1024, "after-use": 1024, "drained": 0, "pages": 0])
    }

    @Test func aThreadKeepsFewThatHaveAllTheirMemory() throws {
        #expect(
            try findings("bounded fixed \(64 << 10) prot-none")
                == ["kept": 64, "after-use": 64, "drained": 0, "pages": 0])
    }

    @Test func nestedCallsMakeNoMoreStacksOrCalls() throws {
        #expect(try findings("nested 1000") == ["made": 0, "calls": 0])
    }

    @Test func aDeepOneGivesItsMemoryBackHoweverBriefOthersWere() throws {
        let findings = try findings("brief")
        for name in ["alone", "outer", "inner"] { #expect(try #require(findings[name]) <= 16 + 64) }
    }

    // Noted at 0 s; the quiet time is 10 s.
    @Test(arguments: stacks) func whatIsNotNeededGoesInTwoSteps(_ stack: String) throws {
        #expect(
            try findings("quiet \(stack)") == [
                "noted/slots": 10, "noted/pages": 10, "early/slots": 10, "early/pages": 10,
                "quiet/slots": 10, "quiet/pages": 0, "still/slots": 10, "still/pages": 0,
                "later/slots": 0, "later/pages": 0, "again/pages": 10,
            ])
    }

    @Test func aFixedStackGoesAsAWhole() throws {
        let findings = try findings("quiet fixed \(64 << 10) prot-none")
        #expect(findings["early/pages"] == 10 && findings["quiet/slots"] == 0 && findings["quiet/pages"] == 0)
        #expect(findings["again/pages"] == 10)
    }

    @Test(arguments: stacks) func whatIsNeededStays(_ stack: String) throws {
        #expect(
            try findings("needed \(stack)") == [
                "1/slots": 10, "1/pages": 3, "2/slots": 3, "2/pages": 3, "3/slots": 3, "3/pages": 3,
            ])
    }

    @Test(arguments: stacks) func refusedMemoryStaysUntilTheNextLook(_ stack: String) throws {
        #expect(
            try findings("refused \(stack)") == [
                "refused/slots": 10, "refused/pages": 10, "taken/slots": 10, "taken/pages": 0,
            ])
    }

    @Test func stacksOfAnotherKindAreNotInTheWayForEver() throws {
        #expect(try findings("misfits") == ["gone": 0, "kept": 5, "pages": 5])
    }

    @Test func aThreadLooksAtEverySixtyFourthUse() throws {
        #expect(
            try findings("by-itself") == [
                "noted/slots": 10, "noted/pages": 10, "emptied/slots": 10, "emptied/pages": 0, "gone/slots": 0,
                "gone/pages": 0, "quiet-time": 5,
            ])
    }

    @Test(arguments: ["used", "unused", "destructor"]) func aThreadThatEndsGivesItsStacksBack(_ how: String) throws {
        let findings = try findings("thread-end \(how)")
        #expect(try #require(findings["alive"]) > 0)
        #expect(findings["ended"] == 0)
    }

    @Test func nothingIsKeptWhereTheThreadsEndCannotBeSeen() throws {
        let findings = try findings("thread-end keys")
        #expect(try #require(findings["keys"]) > 0)
        #expect(findings["alive"] == 0 && findings["ended"] == 0)
    }

    @Test func aWorkerGivesBackBeforeItWaits() throws {
        let findings = try findings("workers")
        #expect(try #require(findings["ended"]) > 0)
        #expect(findings["waited"] == 0)
    }

    // A thousand of each, while any system call would end the process.
    @Test func aStackFromThePoolAllocatesNothing() throws {
        #expect(try findings("creation with-stack") == ["allocations": 0, "lost": 0])
    }

    @Test func aCoroutineFromThePoolAllocatesItsObjectAlone() throws {
        let findings = try findings("creation coroutine")
        #expect(findings["lost"] == 0)
        #if DEBUG
            // Closures that are not specialized have contexts on the heap.
            #expect(try #require(findings["allocations"]) >= 1000)
        #else
            #expect(findings["allocations"] == 1000)
        #endif
    }

    @Test func aStackWithoutThePoolMakesSystemCalls() throws {
        #expect(try findings("creation unpooled", endsBy: .signalled(SIGKILL)).isEmpty)
    }
}
