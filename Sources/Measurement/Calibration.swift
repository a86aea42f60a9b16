// How many iterations make a batch long enough to time. Calibrating runs the case, so it also warms it up.

/// How iteration counts are chosen.
public enum IterationPolicy: Sendable, Hashable {
    /// Every case runs the same number: the one that the fastest case needs to reach the target time. A case whose
    /// batch would then exceed ``InterleavedMeasurement/Settings/longestBatch`` runs as many as fit (and no fewer than
    /// it needs to reach the target); ``CaseSamples/iterations`` tells.
    case shared

    /// Each case runs as many as it needs to reach the target time.
    case perCase

    /// Every case runs exactly this many, 1 or more, however long that takes.
    case fixed(Int)
}

/// What calibrating learned about one case.
struct Calibration {
    /// The iterations it takes to reach the target time.
    var iterations: Int
    /// Elapsed nanoseconds per iteration, setup and teardown included.
    var elapsedPerIteration: Double

    /// No batch has more iterations than this, so that a body that reports no time at all cannot run for ever.
    static let maximumIterations = 1 << 30

    /// Finds the number of iterations with which two batches in a row take at least `target` nanoseconds.
    ///
    /// Two in a row, because the first batch of all may owe its length to cold caches and lazy binding alone.
    /// Gives up, with the number reached, when a batch takes `patience` nanoseconds of elapsed time: a case that
    /// reports little of the time it takes.
    static func calibrate(
        _ measured: MeasurementCase, target: UInt64, patience: UInt64, clock: MeasurementClock
    ) throws -> Calibration {
        let limit = min(measured.maximumIterations ?? maximumIterations, maximumIterations)
        var iterations = 1
        var reached = 0
        while true {
            let batch = try measured.run(iterations: iterations, clock: clock)
            reached = batch.timed >= target ? reached + 1 : 0
            let gaveUp = batch.elapsed >= patience && batch.timed < target
            if reached == 2 || gaveUp || (iterations == limit && batch.timed < target) {
                return Calibration(
                    iterations: iterations,
                    elapsedPerIteration: Double(batch.elapsed) / Double(iterations))
            }
            guard reached == 0 else { continue }
            // A tenth more than needed, so that a small change of speed does not fall short; at most tenfold, because
            // the first, short batches predict badly.
            let wanted = batch.timed == 0 ? 10 : 1.1 * Double(target) / Double(batch.timed)
            let grown = (Double(iterations) * min(10, max(2, wanted))).rounded(.up)
            iterations = Int(min(Double(limit), grown))
        }
    }

    /// The iteration counts of all cases under a policy that calibrates.
    static func counts(
        _ calibrations: [Calibration], of cases: [MeasurementCase], shared: Bool, longestBatch: UInt64
    ) -> [Int] {
        let largest = calibrations.map(\.iterations).max() ?? 1
        return zip(calibrations, cases).map { calibration, measured in
            guard shared else { return calibration.iterations }
            let fitting = Double(longestBatch) / max(calibration.elapsedPerIteration, 1e-3)
            let affordable = fitting < Double(largest) ? Int(fitting) : largest
            return min(max(affordable, calibration.iterations), measured.maximumIterations ?? largest)
        }
    }
}
