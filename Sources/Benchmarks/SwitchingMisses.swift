// What many coroutines that are resumed in turn miss of a cache, in a simulation.

import Experiments
import Measurement
import Processes
import Report
import Workloads

/// What a resume and suspend misses of the nearest cache, in a simulation: this machine's counters may not be for us.
struct SwitchingMisses {
    let suite: String

    /// Turns that both processes make, and further ones that only the second makes.
    private static let turns = (first: 2, further: 10)

    func records(_ laboratory: Laboratory) throws -> [Record] {
        do throws(ProcessError) {
            let counter = try ExecutionCounter()
            var records: [Record] = []
            for size in laboratory.isQuick ? [2, 32, 100] : [2, 16, 32, 64, 100, 10_000] {
                for (name, isStaggered) in [("api-\(size)", true), ("unstaggered-\(size)", false)] {
                    laboratory.preparing(suite, "simulating caches for \(name)")
                    let misses = try self.misses(size, isStaggered, counter, laboratory)
                    records.append(
                        Record(
                            suite: suite, case: name, metric: Metric("first-level-misses", .count),
                            estimate: Estimate(median: misses, low: misses, high: misses, samples: 1),
                            parameters: [.coroutines: .int(size), .countedBy: "valgrind"]))
                }
            }
            laboratory.note(
                "misses of the first-level data cache are simulated by \(try counter.version()) (cachegrind, "
                    + "\(ExecutionCounter.dataCache))")
            return records
        } catch {
            try laboratory.step(suite)
            laboratory.missing("cache misses are not simulated: \(error)")
            return []
        }
    }

    /// Of one resume and suspend.
    private func misses(
        _ size: Int, _ isStaggered: Bool, _ counter: ExecutionCounter, _ laboratory: Laboratory
    ) throws(ProcessError) -> Double {
        let runs = [Self.turns.first, Self.turns.first + Self.turns.further].map { turns in
            [Experiments.command, "switching", "count=\(size)", "turns=\(turns)", "staggered=\(isStaggered ? 1 : 0)"]
        }
        let misses = try counter.dataMisses(of: runs) { laboratory.isAskedToStop }
        return max(0, misses[1] - misses[0]) / Double(Self.turns.further * size)
    }
}
