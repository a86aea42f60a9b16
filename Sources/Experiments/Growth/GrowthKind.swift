// The ways in which a stack grows by one page, each performed exactly once on a stack made for it: what `trap-cost`
// times and what a process of its own does under a tracer. Invariant: a growth that happened otherwise is an error.

import CProbes
@_spi(Experiments) import Faultline
import Glibc
import Measurement
import Report

/// One way of growing.
public struct GrowthKind: Sendable {
    /// What makes a stack grow.
    package enum Mechanism {
        /// Nothing is to be done: the kernel supplies the page.
        case demand
        /// A trap, in place or by a move.
        case trap
        /// A failed check.
        case check
    }

    /// Live bytes when the stack grows: one page, so that what is moved hardly counts.
    package static let live = 4096

    /// The name of growth that the kernel alone makes room for.
    package static let demand = "demand"

    /// What records call it.
    public let name: String
    package let mechanism: Mechanism
    package let configuration: StackConfiguration

    /// Says in records how the stack was made.
    package var parameters: [ParameterName: ParameterValue] {
        var parameters: [ParameterName: ParameterValue] = [
            .strategy: .string(configuration.strategy.rawValue), .liveBytes: .int(Self.live),
        ]
        parameters[.guard] = configuration.guardKind.map { .string($0.rawValue) }
        parameters[.mover] = configuration.mover.map { .string($0.rawValue) }
        return parameters
    }

    /// Every way there is, whether or not this kernel offers it.
    public static let all: [GrowthKind] =
        [
            GrowthKind(name: demand, mechanism: .demand, configuration: StackConfiguration(strategy: .demand)),
            trap("fault-guard-pages", .fault, .guardPages), trap("fault-prot-none", .fault, .protNone),
            trap("fault-move-uffdio-move", .faultMove, .guardPages, .uffdioMove),
            trap("fault-move-copy", .faultMove, .guardPages, .copy),
            trap("fault-move-mremap", .faultMove, .protNone, .mremap),
            // A stack of checked code begins larger, because of the headroom for code without checks.
            check("check-move-uffdio-move", .uffdioMove), check("check-move-copy", .copy),
        ]

    private static func trap(
        _ name: String, _ strategy: StackStrategy, _ guardKind: StackGuard, _ mover: PageMover? = nil
    ) -> GrowthKind {
        // One page for what is live, one for the frames above it.
        GrowthKind(
            name: name, mechanism: .trap,
            configuration: StackConfiguration(
                strategy: strategy, initial: 2 * live, guardKind: guardKind, mover: mover))
    }

    private static func check(_ name: String, _ mover: PageMover) -> GrowthKind {
        GrowthKind(
            name: name, mechanism: .check,
            configuration: StackConfiguration(strategy: .checkMove, guardKind: .guardPages, mover: mover))
    }

    /// The way of that name.
    public static func named(_ name: String) -> GrowthKind? { all.first { $0.name == name } }

    /// What is done around the growth.
    package enum Instrumentation {
        /// It is timed as a whole.
        case timed
        /// The same, into a page that has its memory already. Only a stack that grows in place between pages without
        /// access can have one.
        case timedIntoResident
        /// The time is taken apart, where it is a trap, and its system calls are timed: with two readings of the clock
        /// around each, of which one counts as the call's and one as the handler's.
        case inParts
        /// It is made between two marks for a tracer.
        case marked
    }

    /// What a growth took, in nanoseconds.
    package struct Times {
        /// The total always, its parts where it was a trap and was taken apart.
        package var parts = fl_trap_parts()
        /// Of the total, in system calls; 0 unless it was taken apart.
        package var systemCalls: UInt64 = 0
        /// Pages that the kernel supplied meanwhile, and 0 or an errno value of making one resident before.
        fileprivate var pageFaults = 0
        fileprivate var refusal: Int32 = 0
        /// Growths of the stack before the part that is timed, and after it.
        fileprivate var growths = (before: 0, after: 0)
    }

    /// Whether this kernel offers it: the growth is made once.
    package func isOffered() throws -> Bool {
        do {
            _ = try perform(.timed)
            return true
        } catch is StackError {
            return false
        } catch is UnexpectedMover {
            return false
        }
    }

    /// Another mover did the work, because the kernel refused the one that was asked for.
    private struct UnexpectedMover: Error {}

    /// Makes room once, on a new stack.
    ///
    /// - Throws: ``MeasurementFailure`` when the stack did not grow exactly once and as it should; `StackError` when no
    ///   such stack can be made.
    package func perform(_ instrumentation: Instrumentation) throws -> Times {
        guard
            instrumentation != .timedIntoResident
                || configuration.strategy == .fault && configuration.guardKind == .protNone
        else { throw MeasurementFailure("\(name): no page below such a stack can be resident") }
        var times = try growOnce(instrumentation)
        guard instrumentation == .timedIntoResident else { return times }
        // What the kernel took back of the code that runs meanwhile it supplies again, once.
        for _ in 1..<Self.attempts where times.pageFaults > 0 { times = try growOnce(instrumentation) }
        guard times.pageFaults == 0 else {
            throw MeasurementFailure("\(name): \(times.pageFaults) pages were supplied instead of none")
        }
        return times
    }

    private static let attempts = 5

    private func growOnce(_ instrumentation: Instrumentation) throws -> Times {
        StackPool.drain()
        let mechanism = self.mechanism
        let counters = ProcessCounters()
        // Made before another handler may be put in front of the library's: afterwards none can be made.
        let coroutine = try Coroutine<Void, Never, Times>(configuration: configuration) { (_: borrowing _, _) in
            Self.grow(mechanism, instrumentation, counters)
        }
        if instrumentation == .inParts {
            DebugKnobs.lookAtThreads(false)
            let error = fl_probe_watch_begin()
            guard error == 0 else { throw MeasurementFailure("\(name): no handler: \(ErrorNumber.text(error))") }
        }
        defer {
            if instrumentation == .inParts {
                fl_probe_watch_end()
                DebugKnobs.lookAtThreads(true)
            }
        }
        guard case .finished(let times) = try coroutine.resume() else {
            preconditionFailure("a body that never suspends ends")
        }
        try check(coroutine.statistics)
        let expected = mechanism == .demand ? 0 : 1
        guard times.growths.before == 0, times.growths.after == expected else {
            throw MeasurementFailure(
                "\(name): \(times.growths.before) growths before the timed part and "
                    + "\(times.growths.after - times.growths.before) in it, instead of \(expected) in it")
        }
        if instrumentation == .timedIntoResident {
            guard times.refusal == 0 else {
                throw MeasurementFailure("\(name): no page is made resident: \(ErrorNumber.text(times.refusal))")
            }
        }
        guard instrumentation != .inParts || mechanism != .trap || times.parts.traps == 1 else {
            throw MeasurementFailure("\(name): \(times.parts.traps) traps instead of one")
        }
        return times
    }

    private static func grow(
        _ mechanism: Mechanism, _ instrumentation: Instrumentation, _ counters: ProcessCounters
    ) -> Times {
        // What is live has its pages before: they are not part of the growth, and none of them makes the stack grow.
        if mechanism != .check || instrumentation == .marked { fl_probe_touch_stack(live) }
        var times = Times()
        // What the kernel pages in does not grow, and counting its pages takes room.
        if mechanism != .demand { times.growths.before = counters.growthsOfThisStack }
        if instrumentation == .marked { fl_probe_mark() }
        let before = DebugKnobs.nanosecondsInSystemCalls
        if instrumentation == .inParts { DebugKnobs.timeSystemCalls(true) }
        if mechanism == .check {
            let start = fl_probe_now()
            fl_probe_checked_call(CheckedCode.morestack)
            times.parts.total = fl_probe_now() - start
        } else if instrumentation == .inParts {
            times.parts = fl_probe_store_parts(live)
        } else if instrumentation == .timedIntoResident {
            times.refusal = fl_probe_make_resident_below(live)
            let supplied = Self.pageFaults
            times.parts.total = fl_probe_store_below(live)
            times.pageFaults = Self.pageFaults - supplied
        } else {
            times.parts.total = fl_probe_store_below(live)
        }
        if instrumentation == .inParts { DebugKnobs.timeSystemCalls(false) }
        times.systemCalls = DebugKnobs.nanosecondsInSystemCalls - before
        if instrumentation == .marked { fl_probe_mark() }
        if mechanism != .demand { times.growths.after = counters.growthsOfThisStack }
        return times
    }

    /// Pages that the kernel has supplied to this thread.
    private static var pageFaults: Int {
        var usage = rusage()
        // RUSAGE_THREAD, which is a macro. It cannot fail.
        getrusage(1, &usage)
        return usage.ru_minflt
    }

    private func check(_ statistics: FaultStatistics) throws {
        let moves = statistics.moves.values.reduce(0, +)
        let growths = mechanism == .demand ? 0 : 1
        let expected = configuration.strategy.moves ? 1 : 0
        guard statistics.growths == growths, moves == expected else {
            throw MeasurementFailure(
                "\(name): \(statistics.growths) growths and \(moves) moves instead of \(growths) and \(expected)")
        }
        if let mover = configuration.mover, statistics.moves[mover] != 1 { throw UnexpectedMover() }
    }
}
