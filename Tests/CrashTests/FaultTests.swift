// Faults that must not be contained end the process by their own signal, with the verdict counted.
import CShim
import Faultline
import Glibc
import TestNeeds
import Testing

private struct FaultCase: Sendable, CustomTestStringConvertible {
    let name: String
    let signal: Int32
    /// On a thread's own stack, and on a coroutine's.
    let verdicts: (String, String)
    var testDescription: String { name }
    init(_ name: String, _ signal: Int32, _ verdict: String, onStack: String? = nil) {
        (self.name, self.signal, verdicts) = (name, signal, (verdict, onStack ?? verdict))
    }
    static let all = [
        FaultCase("nil-read", SIGSEGV, "nil-dereference"), FaultCase("nil-write", SIGSEGV, "nil-dereference"),
        FaultCase("read-only", SIGSEGV, "write-to-read-only"), FaultCase("execute-data", SIGSEGV, "execute"),
        FaultCase("execute-nil", SIGSEGV, "execute"), FaultCase("non-canonical", SIGSEGV, "non-canonical"),
        FaultCase("push-non-canonical", SIGBUS, "non-canonical"), FaultCase("kernel-half", SIGSEGV, "foreign"),
        FaultCase("unmapped", SIGSEGV, "foreign"), FaultCase("beyond-file", SIGBUS, "foreign"),
        FaultCase("another-guard", SIGSEGV, "other-guard"), FaultCase("another-guard-write", SIGSEGV, "other-guard"),
        FaultCase("below-stack", SIGSEGV, "nil-dereference", onStack: "below-stack"),
    ]
}

private let places = ["thread", "fault", "fault-move", "fixed", "demand", "grows-down"]

@Suite struct Faults {
    // The kernel extends a grows-down stack to wherever it is accessed: nothing faults below it.
    @Test(
        arguments: FaultCase.all.flatMap { fault in
            places.filter { fault.name != "below-stack" || $0 != "grows-down" }.map { (fault, $0) }
        })
    fileprivate func aFaultEndsTheProcessByItsOwnSignal(_ fault: FaultCase, on place: String) throws {
        try expectChild("fault \(fault.name) \(place)", ends: .signalled(fault.signal), never: ["survived", "done"])
    }

    @Test(arguments: FaultCase.all, ["thread", "fault", "fault-move"])
    fileprivate func aFaultIsCountedUnderItsVerdict(_ fault: FaultCase, on place: String) throws {
        let verdict = place == "thread" ? fault.verdicts.0 : fault.verdicts.1
        try expectChild(
            "fault \(fault.name) \(place) report", ends: .signalled(fault.signal), writes: ["verdicts: \(verdict)=1\n"])
    }

    @Test(arguments: [
        ("nil-read", "thread"), ("nil-read", "fault"), ("non-canonical", "thread"), ("non-canonical", "fault"),
        ("overflow", "fault"),
    ])
    func aFaultEndsTheProcessWithTheBacktracerOn(_ fault: String, on place: String) throws {
        let message = fault == "overflow" ? ["faultline: a coroutine's stack overflowed"] : []
        try expectChild(
            "fault \(fault) \(place)", ends: .signalled(SIGSEGV), writes: message + ["Program crashed"], backtrace: true
        )
    }

    @Test(arguments: ["thread", "fault"], [("raise-segv", SIGSEGV), ("raise-bus", SIGBUS)])
    func aRaisedSignalEndsTheProcess(on place: String, _ raised: (name: String, signal: Int32)) throws {
        try expectChild("fault \(raised.name) \(place)", ends: .signalled(raised.signal))
        let text = "verdicts: sent=1\n"
        try expectChild(
            "fault \(raised.name) \(place) report", ends: .exited(1), writes: [text, "survived"], never: [])
    }

    @Test(arguments: [SIGSEGV, SIGBUS]) func aSignalFromAnotherProcessEndsTheProcess(_ signal: Int32) throws {
        var sent = false
        let result = try ChildProcess.run(["wait-for-signal"], seconds: 20) { process, output in
            if output.contains("ready") && !sent {
                sent = true
                kill(process, signal)
            }
        }
        #expect(sent && result.ending == .signalled(signal))
    }

    @Test(arguments: ["thread", "fault"]) func aForcedUnwrapOfNilIsNoFaultOfOurs(on place: String) throws {
        try expectChild("fault forced-unwrap \(place)", ends: .signalled(SIGILL))
    }

    @Test func aStaleReferenceWithoutARegisterIsReported() throws {
        let text = [
            "faultline: stale stack reference to 0x", "no register holds an address of the stack that moved from there",
        ]
        try expectChild("fault stale-indexed fault-move", ends: .signalled(SIGSEGV), writes: text)
        try expectChild(
            "fault stale-indexed fault-move report", ends: .signalled(SIGSEGV), writes: text + ["stale-reference=1"])
    }

    @Test(arguments: ["check-move", "check-segment"]) func plainCodeOnACheckStrategyIsToldTheHeadroom(
        _ strategy: String
    ) throws {
        for fault in ["headroom", "overflow"] {
            try expectChild(
                "fault \(fault) \(strategy) report", ends: .signalled(SIGSEGV),
                writes: ["faultline: headroom too small: unchecked code at instruction 0x", "headroom-too-small=1"])
        }
    }

    @Test(arguments: ["fault", "fault-move", "fixed", "demand"]) func aLostSignalFrameIsReported(_ strategy: String)
        throws
    {
        try expectChild(
            "lost-signal \(strategy)", ends: .signalled(SIGSEGV),
            writes: ["with room: called", "faultline: a signal was lost", "install it with SA_ONSTACK"], never: ["done"]
        )
    }
}

/// The same in a child that has neither the backtracer's handler nor its alternate stack.
@Suite struct FaultsInExitTests {
    @Test func anOverflowThatIsNotContainedEndsTheProcess() async {
        let result = await #expect(processExitsWith: .signal(SIGSEGV), observing: [\.standardErrorContent]) {
            try withStack(.init(maximum: 1 << 20)) { _ = dive(0) }
        }
        let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(message.contains("faultline: a coroutine's stack overflowed: limit 1048576 bytes"))
    }

    @Test func aNilDereferenceOnACoroutineEndsTheProcess() async {
        await #expect(processExitsWith: .signal(SIGSEGV)) {
            // Not async: a coroutine stays on its thread.
            func run() throws {
                let co = try Coroutine<Void, Void, Void>(configuration: .init(isIsolated: true)) { _, _ in
                    UnsafeMutablePointer<Int>(bitPattern: keep(16))!.pointee = 1
                }
                _ = try co.resume()
            }
            try run()
        }
    }

    @Test func aNilDereferenceOnAThreadEndsTheProcess() async {
        await #expect(processExitsWith: .signal(SIGSEGV)) {
            try withGrowableStack {}
            UnsafeMutablePointer<Int>(bitPattern: keep(16))!.pointee = 1
        }
    }

    @Test func anOverflowOfTheThreadsOwnStackEndsTheProcess() async {
        await #expect(processExitsWith: .signal(SIGSEGV)) {
            try withGrowableStack {}
            _ = dive(0)
        }
    }
}

@inline(never) @_optimize(none) private func keep<T>(_ value: T) -> T { value }

@inline(never) private func dive(_ depth: Int) -> Int {
    if keep(depth) == .max { return 0 }
    return dive(depth + 1) &+ keep(1)
}

@Suite struct Overflows {
    @Test(arguments: ["fixed", "demand", "grows-down", "fault", "fault-move", "check-fixed"], [false, true])
    func anOverflowThatIsNotContainedNamesTheLimitAndTheOption(_ strategy: String, report: Bool) throws {
        try expectChild(
            report ? "fault overflow \(strategy) report" : "overflow-message \(strategy)", ends: .signalled(SIGSEGV),
            writes: [
                "faultline: a coroutine's stack overflowed: limit 1048576 bytes, in use 1048",
                "StackConfiguration.maximum",
                "isIsolated",
            ] + (report ? ["overflow=1"] : []))
    }

    @Test(arguments: [("fault", 10_000), ("fault-move", 2000), ("fixed", 500), ("demand", 500), ("check-fixed", 500)])
    func overflowsInsideTheLibrariesAreContained(_ strategy: String, _ count: Int) throws {
        let result = try expectChild(
            "contain \(strategy) \(count)", ends: .exited(0), writes: ["contained=\(count)", "done"], seconds: 120)
        // Most strike inside malloc, printing, formatting and metadata lookup: else this test would prove little.
        #expect(try #require(result.number("in-library")) > count / 4)
        #expect(try #require(result.number("in-user")) > 0)
    }

    private static let containing = [
        "fixed", "demand", "grows-down", "fault", "fault-move", "check-move", "check-segment", "check-fixed",
    ]

    /// That many overflows after that many others: no memory, no page table and no mapping remains of them.
    private func overflow(_ strategy: String, _ maximum: String, _ count: Int, after: Int) throws {
        let result = try expectChild(
            "overflows \(strategy) \(maximum) \(count) \(after)", ends: .exited(0),
            writes: ["quarantine=\(FL_QUARANTINE_SLOTS)", "done"], seconds: 900)
        for line in result.output.split(separator: "\n") where line.contains("more=") {
            let more = try #require(line.firstMatch(of: /more=(\d+)/).flatMap { Int($0.1) })
            // Two mappings of a slot more or less follow from where the slots in quarantine lie.
            #expect(more <= (line.hasPrefix("mappings") ? 2 * Int(FL_QUARANTINE_SLOTS) : 1024), "\(line)")
        }
    }

    @Test(arguments: containing) func overflowsInVolumeTakeNothingForGood(_ strategy: String) throws {
        try overflow(strategy, "16384", 2000, after: 1000)
    }

    // Without a maximum a moving stack and one of segments have a GiB, which takes up to half a second each.
    @Test(
        .long,
        arguments: containing.flatMap { [($0, "16384", 20_000), ($0, "1048576", 6000), ($0, "67108864", 290)] }
            + ["fixed", "demand", "grows-down", "fault", "check-fixed"].map { ($0, "default", 1000) })
    func manyMoreTakeNothingForGood(_ strategy: String, _ maximum: String, _ count: Int) throws {
        try overflow(strategy, maximum, count, after: max(Int(FL_QUARANTINE_SLOTS) + 4, count / 2))
    }

    @Test func containmentLeavesNoFloatingPointRegisterInUse() throws {
        try expectChild("contain-x87", ends: .exited(0), writes: ["contained"], seconds: 60)
    }

    @Test func anOverflowOnTheWayOfAnExceptionEndsTheCoroutine() throws {
        try expectChild("contain-throwing", ends: .exited(0), writes: ["contained"], seconds: 120)
    }

    @Test func threadsMayOverflowAtTheSameTime() throws {
        try expectChild("contain-on-threads", ends: .exited(0), writes: ["contained"], seconds: 60)
    }

    @Test func aNoAbandonFrameThatNeverReturnsUsesUpTheReserve() throws {
        try expectChild(
            "qsort-forever", ends: .signalled(SIGSEGV),
            writes: ["overflowed inside code that may not be abandoned, and used up its reserve", "limit 262144 bytes"])
    }

    @Test(arguments: ["fault", "fault-move", "fixed", "demand", "grows-down"])
    func aNilDereferenceIsContainedWhereAskedFor(_ strategy: String) throws {
        try expectChild("nil-contained \(strategy)", ends: .exited(0), writes: ["contained"])
    }

    @Test func aNilDereferenceInsideALibraryIsNotContained() throws {
        try expectChild("nil-in-library", ends: .signalled(SIGSEGV), never: ["done"])
    }

    @Test func theFirstThreadMayRunStacksToo() throws {
        try expectChild("main-thread", ends: .exited(0), writes: ["done"])
    }

    @Test func movesAtArbitraryInstructionsBreakNoMetadataLookup() throws {
        // Not promised for all code (docs/HAZARDS.md), but this workload has survived 100,000 such moves.
        let result = try expectChild("move-anywhere", ends: .exited(0), writes: ["moves="])
        let moves = result.output.matches(of: /moves=(\d+)/).compactMap { Int($0.1) }.max()
        #expect((moves ?? 0) >= 100, "\(result.output.suffix(500))")
    }
}
