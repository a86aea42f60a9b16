// One trap taken apart: what the kernel charges for asking, for a signal and for a page, and what growing costs in all.

import CProbes
import Experiments
import Faultline
import Glibc
import Measurement
import Report

public struct TrapSuite: BenchSuite {
    public let name = "trap"
    public let summary =
        "one trap taken apart: system call, signal, kernel page fault, growth, move, failed check, contained overflow"

    /// Live bytes when the stack grows: one page, so that what is moved does not count.
    private static let live = 4096
    /// What an overflow has used of its stack when it strikes.
    private static let depth = 1 << 20
    /// The largest number of pages that one batch of kernel faults touches: 16 MiB.
    private static let maximumPages = 4096

    public func records(_ laboratory: Laboratory) throws -> [Record] {
        let steps = [
            MeasurementCase("system-call") { fl_probe_system_calls(UInt64($0)) },
            MeasurementCase(selfTimed: "signal") { fl_probe_signals(UInt64($0)) },
            demandFault(),
            MeasurementCase("check-segment") { try failedChecksOnSegments($0) },
        ]
        var records = try Record.records(
            of: laboratory.measure(name, steps, laboratory.batches), suite: name,
            comparisons: [("signal", "system-call"), ("demand-fault", "system-call")])

        var growths = [
            growth("growth-fault-prot-none", growing(.protNone)),
            growth(
                "growth-move", StackConfiguration(strategy: .faultMove, initial: 2 * Self.live), isMove: true),
            MeasurementCase(selfTimed: "check-move", body: failedChecksThatMove),
            demandFaultOnStack(),
        ]
        var comparisons = [
            (case: "growth-fault-prot-none", baseline: "demand-fault-on-stack"),
            ("growth-move", "demand-fault-on-stack"), ("check-move", "growth-move"),
        ]
        do {
            try growing(.guardPages).validate()
            growths.append(growth("growth-fault-guard-pages", growing(.guardPages)))
            comparisons.append(("growth-fault-guard-pages", "demand-fault-on-stack"))
            comparisons.append(("growth-fault-guard-pages", "growth-fault-prot-none"))
        } catch {
            laboratory.note("trap / growth-fault-guard-pages is left out: \(error)")
        }
        records += try Record.records(
            of: laboratory.measure(name, growths, laboratory.repetitions(laboratory.isQuick ? 4 : 16)), suite: name,
            comparisons: comparisons)
        return try records + containedOverflow(laboratory)
    }

    /// Recursion that overflows, from the making of its stack to the error at its caller, beside recursion to the same
    /// depth that returns: what is left is the walk over the frames, and the slot that is never used again.
    private func containedOverflow(_ laboratory: Laboratory) throws -> [Record] {
        let overflow = MeasurementCase("contained-overflow") { count in
            let configuration = StackConfiguration(strategy: .demand, maximum: Self.depth, isIsolated: true)
            for _ in 0..<count {
                do {
                    let levels = try withStack(configuration) { fl_probe_descend(0) }
                    throw MeasurementFailure("trap / contained-overflow: returned after \(levels) levels")
                } catch StackFault.overflow {}
            }
        }
        let descent = MeasurementCase(selfTimed: "demand-descent") { count in
            let configuration = StackConfiguration(strategy: .demand, maximum: 2 * Self.depth)
            var took: UInt64 = 0
            for _ in 0..<count {
                StackPool.drain()
                let start = MeasurementClock.monotonic.now()
                try withStack(configuration) {
                    var top = 0
                    withUnsafePointer(to: &top) { _ = fl_probe_descend(UInt(bitPattern: $0) - UInt(Self.depth)) }
                }
                took += MeasurementClock.monotonic.now() - start
            }
            return took
        }
        let result = try laboratory.measure("\(name): overflow", [overflow, descent], laboratory.repetitions(1))
        return try Record.records(
            of: result, suite: name, comparisons: [(overflow.name, descent.name)],
            parameters: [.bytes: .int(Self.depth)])
    }

    private func growing(_ guardKind: StackGuard) -> StackConfiguration {
        StackConfiguration(strategy: .fault, initial: 2 * Self.live, guardKind: guardKind)
    }

    /// Kernel faults on fresh memory, one per page.
    private func demandFault() -> MeasurementCase {
        MeasurementCase(selfTimed: "demand-fault", maximumIterations: Self.maximumPages) { count in
            let length = count * 4096
            let memory = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            guard let memory, memory != MAP_FAILED else {
                throw MeasurementFailure(
                    "trap / demand-fault: no memory for \(length) bytes: \(ErrorNumber.text(errno))")
            }
            defer { munmap(memory, length) }
            // Pages of 4 KiB, as stacks have; a kernel without huge pages refuses the advice and needs none.
            madvise(memory, length, MADV_NOHUGEPAGE)
            let start = MeasurementClock.monotonic.now()
            fl_probe_touch_memory(memory + length, length)
            return MeasurementClock.monotonic.now() - start
        }
    }

    /// The store of `growth-…` where room is there already: the part of it that is the kernel's and the clock's.
    private func demandFaultOnStack() -> MeasurementCase {
        MeasurementCase(selfTimed: "demand-fault-on-stack") { count in
            var took: UInt64 = 0
            for _ in 0..<count {
                StackPool.drain()
                took += try withStack(StackConfiguration(strategy: .demand)) { fl_probe_store_below(Self.live) }
            }
            return took
        }
    }

    /// One store that needs room, on a new stack each time: signal, verdict, room, return, and the kernel's page.
    private func growth(_ name: String, _ configuration: StackConfiguration, isMove: Bool = false) -> MeasurementCase {
        MeasurementCase(selfTimed: name, teardown: StackPool.drain) { count in
            var took: UInt64 = 0
            for _ in 0..<count {
                StackPool.drain()
                var growths = 0
                var moves = 0
                took += try withStack(
                    configuration,
                    statistics: {
                        growths = $0.growths
                        moves = $0.moves.values.reduce(0, +)
                    }, { fl_probe_store_below(Self.live) })
                guard growths == 1, moves == (isMove ? 1 : 0) else {
                    throw MeasurementFailure("trap / \(name): \(growths) growths and \(moves) moves instead of one")
                }
            }
            return took
        }
    }
}

/// A failed check that moves the stack, on a new stack each time.
private func failedChecksThatMove(_ count: Int) throws -> UInt64 {
    var took: UInt64 = 0
    for _ in 0..<count {
        var moves = 0
        took += try withStack(
            StackConfiguration(strategy: .checkMove), statistics: { moves = $0.moves.values.reduce(0, +) },
            {
                let start = MeasurementClock.monotonic.now()
                fl_probe_checked_call(CheckedCode.morestack)
                return MeasurementClock.monotonic.now() - start
            })
        guard moves == 1 else { throw MeasurementFailure("trap / check-move: \(moves) moves instead of one") }
    }
    return took
}

/// A failed check that adds a segment, which is freed on return, again and again on one stack: what made Go give
/// segments up.
private func failedChecksOnSegments(_ count: Int) throws {
    var segments = 0
    try withStack(
        StackConfiguration(strategy: .checkSegment), statistics: { segments = $0.segments },
        { for _ in 0..<count { fl_probe_checked_call(CheckedCode.morestack) } })
    guard segments == count else {
        throw MeasurementFailure("trap / check-segment: \(segments) segments instead of \(count)")
    }
}
