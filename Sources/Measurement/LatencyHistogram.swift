// The distribution of single durations, in constant memory (about 270 KB) and with constant relative precision.

import Histogram

/// Durations of single operations, for tails that a median hides.
///
/// Quantiles are exact to 3 significant digits (a property of the buckets); ``maximum`` and ``mean`` are exact.
public struct LatencyHistogram: Sendable {
    /// Longer durations are counted as this one in quantiles: one hour, in nanoseconds.
    public static let longestTracked: UInt64 = 3_600_000_000_000

    private var histogram = Histogram<UInt64>(
        highestTrackableValue: Self.longestTracked, numberOfSignificantValueDigits: .three)

    /// The sum of all durations, in nanoseconds, as long as it fits (584 years).
    public private(set) var sum: UInt64 = 0
    /// The longest duration, in nanoseconds; 0 when there is none.
    public private(set) var maximum: UInt64 = 0

    /// An empty histogram.
    public init() {}

    /// Adds one duration, in nanoseconds. O(1), without allocating.
    public mutating func record(_ nanoseconds: UInt64) {
        let isTracked = histogram.record(min(nanoseconds, Self.longestTracked))
        precondition(isTracked, "a duration within the range was not recorded")
        sum &+= nanoseconds
        maximum = max(maximum, nanoseconds)
    }

    /// Adds all durations of another histogram.
    public mutating func merge(_ other: LatencyHistogram) {
        histogram.add(other.histogram)
        sum &+= other.sum
        maximum = max(maximum, other.maximum)
    }

    /// How many durations there are.
    public var count: UInt64 { histogram.totalCount }

    /// The arithmetic mean in nanoseconds, `nil` when there is no duration.
    public var mean: Double? { count == 0 ? nil : Double(sum) / Double(count) }

    /// The duration, in nanoseconds, that the given fraction of all durations does not exceed; `nil` when empty.
    ///
    /// - Precondition: `fraction` is in `0 ... 1`.
    public func quantile(_ fraction: Double) -> UInt64? {
        precondition((0...1).contains(fraction), "a quantile lies between 0 and 1")
        guard count > 0 else { return nil }
        // The buckets hold the longest ones only as ``longestTracked``.
        return fraction == 1 ? maximum : histogram.valueAtPercentile(100 * fraction)
    }

    /// The median in nanoseconds.
    public var p50: UInt64? { quantile(0.5) }
    /// The duration that 1 in 100 exceeds, in nanoseconds.
    public var p99: UInt64? { quantile(0.99) }
    /// The duration that 1 in 1,000 exceeds, in nanoseconds.
    public var p999: UInt64? { quantile(0.999) }
}
