// Statistics of samples. All functions are pure; samples need no order and are never dropped.

/// A median with its 95 % interval. Always `low <= median <= high`.
public struct Estimate: Sendable, Hashable, Codable {
    /// The median of the samples.
    public let median: Double
    /// The lower end of the interval.
    public let low: Double
    /// The upper end of the interval.
    public let high: Double
    /// How many samples there were; 0 for what was counted or computed, which has no spread. What was measured once has
    /// no interval that says anything, and decides nothing.
    public let samples: Int

    /// Whether it is a single measurement, whose spread is not known.
    public var isMeasuredOnce: Bool { samples == 1 }

    /// An estimate.
    ///
    /// - Precondition: `low <= median <= high`, `samples` is not negative.
    public init(median: Double, low: Double, high: Double, samples: Int) {
        precondition(low <= median && median <= high, "the median lies outside its interval")
        precondition(samples >= 0, "a count of samples is not negative")
        self.median = median
        self.low = low
        self.high = high
        self.samples = samples
    }

    /// A single number that was counted, not sampled: no interval.
    public init(exactly value: Double) {
        self.init(median: value, low: value, high: value, samples: 0)
    }
}

/// What keeps samples from having a statistic; one line each.
public enum StatisticsError: Error, Hashable, CustomStringConvertible {
    /// There are no samples.
    case noSamples
    /// Paired samples differ in number.
    case unpaired(Int, Int)
    /// A sample is zero or negative where a ratio or a logarithm needs a positive one, or it is not a number.
    case notPositive(Double)
    /// A sample is infinite or not a number.
    case notFinite(Double)

    public var description: String {
        switch self {
        case .noSamples:
            "there are no samples: measure at least one round"
        case .unpaired(let first, let second):
            "\(first) samples cannot be paired with \(second): measure both in the same rounds"
        case .notPositive(let value):
            "a sample is \(value) where a ratio needs a positive number: make the batches longer"
        case .notFinite(let value):
            "a sample is \(value): samples must be finite"
        }
    }
}

/// Point statistics.
public enum Statistics {
    /// The middle sample, or the mean of the two middle ones. O(n log n).
    ///
    /// - Throws: ``StatisticsError/noSamples``, ``StatisticsError/notFinite(_:)``.
    public static func median(_ samples: [Double]) throws -> Double {
        try medianOfSorted(sorted(samples))
    }

    /// The `fraction` quantile, interpolated linearly between neighbours (Hyndman and Fan's type 7). O(n log n).
    ///
    /// - Parameter fraction: From 0, the minimum, to 1, the maximum.
    /// - Throws: ``StatisticsError/noSamples``, ``StatisticsError/notFinite(_:)``.
    /// - Precondition: `fraction` is in `0 ... 1`.
    public static func quantile(_ fraction: Double, of samples: [Double]) throws -> Double {
        quantile(fraction, ofSorted: try sorted(samples))
    }

    /// The samples beyond Tukey's fences, 1.5 times the distance of the quartiles below the lower or above the upper
    /// one, in the order given. For showing them: no statistic here leaves them out.
    ///
    /// - Throws: ``StatisticsError/noSamples``, ``StatisticsError/notFinite(_:)``.
    public static func outliers(_ samples: [Double]) throws -> [Double] {
        let ordered = try sorted(samples)
        let lower = quantile(0.25, ofSorted: ordered)
        let upper = quantile(0.75, ofSorted: ordered)
        let fence = 1.5 * (upper - lower)
        return samples.filter { $0 < lower - fence || $0 > upper + fence }
    }

    /// The ratio of each sample to the baseline's of the same round.
    ///
    /// - Throws: ``StatisticsError``: no samples, different numbers of them, a baseline sample that is not positive.
    public static func pairedRatios(_ samples: [Double], to baseline: [Double]) throws -> [Double] {
        guard samples.count == baseline.count else {
            throw StatisticsError.unpaired(samples.count, baseline.count)
        }
        guard !samples.isEmpty else { throw StatisticsError.noSamples }
        return try zip(samples, baseline).map { sample, base in
            guard base > 0, base.isFinite else { throw StatisticsError.notPositive(base) }
            guard sample.isFinite else { throw StatisticsError.notFinite(sample) }
            return sample / base
        }
    }

    static func sorted(_ samples: [Double]) throws -> [Double] {
        guard !samples.isEmpty else { throw StatisticsError.noSamples }
        if let odd = samples.first(where: { !$0.isFinite }) { throw StatisticsError.notFinite(odd) }
        return samples.sorted()
    }

    package static func medianOfSorted(_ ordered: [Double]) -> Double {
        let middle = ordered.count / 2
        return ordered.count % 2 == 1
            ? ordered[middle] : midpoint(ordered[middle - 1], ordered[middle])
    }

    /// The mean of two numbers, without overflow.
    static func midpoint(_ first: Double, _ second: Double) -> Double {
        first + (second - first) / 2
    }

    static func quantile(_ fraction: Double, ofSorted ordered: [Double]) -> Double {
        precondition((0...1).contains(fraction), "a quantile lies between 0 and 1")
        let position = fraction * Double(ordered.count - 1)
        let below = Int(position)
        guard below + 1 < ordered.count else { return ordered[below] }
        return ordered[below] + (position - Double(below)) * (ordered[below + 1] - ordered[below])
    }
}
