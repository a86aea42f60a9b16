// Many coroutines that are resumed in turn, and the process that does so under a simulation of caches.
//
// Invariant: where the stacks of a population begin is checked.

@_spi(Experiments) import Faultline
import Measurement

/// Coroutines that wait, and which is next. They belong to the thread that made them, which is the one that measures.
package final class SwitchingPopulation: @unchecked Sendable {
    private let coroutines: [Coroutine<Int, Int, Void>]
    private var next = 0

    private init(_ coroutines: [Coroutine<Int, Int, Void>]) { self.coroutines = coroutines }

    /// This many stacks in a row begin at different lines.
    private static let group = 16

    /// One whose stacks have staggered bases, and one whose stacks do not. They are made in turn, so that neither has
    /// the better memory.
    package static func pair(_ size: Int) throws -> (staggered: SwitchingPopulation, unstaggered: SwitchingPopulation) {
        var staggered: [Coroutine<Int, Int, Void>] = []
        var unstaggered: [Coroutine<Int, Int, Void>] = []
        var bases: (staggered: Set<Int>, unstaggered: Set<Int>) = ([], [])
        defer { DebugKnobs.staggerBases(true) }
        for first in stride(from: 0, to: size, by: group) {
            let count = min(group, size - first)
            DebugKnobs.staggerBases(true)
            for _ in 0..<count { staggered.append(try coroutine(&bases.staggered)) }
            DebugKnobs.staggerBases(false)
            for _ in 0..<count { unstaggered.append(try coroutine(&bases.unstaggered)) }
        }
        // Few may share their base by chance.
        guard bases.unstaggered.count == 1, bases.staggered.count > 1 || size < 100 else {
            throw MeasurementFailure(
                "\(size) stacks begin at \(bases.staggered.count) offsets of a page, and without stagger at "
                    + "\(bases.unstaggered.count)")
        }
        return (SwitchingPopulation(staggered), SwitchingPopulation(unstaggered))
    }

    private static func coroutine(_ bases: inout Set<Int>) throws -> Coroutine<Int, Int, Void> {
        let coroutine = try Coroutine<Int, Int, Void>(
            configuration: StackConfiguration(reservation: 64 << 10)
        ) { co, _ in
            var input = try co.suspend(base())
            while true { input = try co.suspend(input &+ 1) }
        }
        guard case .suspended(let base) = try coroutine.resume(0) else {
            throw MeasurementFailure("a coroutine has ended")
        }
        bases.insert(base)
        _ = try coroutine.resume(0)
        return coroutine
    }

    @inline(never)
    package func resume(_ count: Int) throws {
        var sum = 0
        for round in 0..<count {
            guard case .suspended(let output) = try coroutines[next].resume(round) else {
                throw MeasurementFailure("a coroutine has ended")
            }
            sum &+= output
            next += 1
            if next == coroutines.count { next = 0 }
        }
        keep(sum)
    }
}

/// Where in its page a frame lies that is entered here.
@inline(never) @_optimize(none)
private func base() -> Int {
    var here = 0
    return withUnsafeMutablePointer(to: &here) { Int(bitPattern: $0) & 4095 }
}

extension Finding {
    static let resumed = Finding("resumed")
}

/// Resumes one of two populations that were made in turn.
struct SwitchingExperiment: Experiment {
    let name = "switching"

    /// Options: `count` of coroutines of each population; `turns` of all of them; `staggered` (1, else 0).
    func run(_ options: ExperimentOptions, _ found: Found) throws {
        let count = try options.number("count")
        let turns = try options.number("turns")
        let pair = try SwitchingPopulation.pair(count)
        let population = try options.number("staggered") != 0 ? pair.staggered : pair.unstaggered
        try population.resume(turns * count)
        try found(.resumed, turns * count)
        withExtendedLifetime(pair) {}
        Experiments.finish()
    }
}
