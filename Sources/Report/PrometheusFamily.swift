// Metric families of the Prometheus text exposition format, version 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/). Times are in seconds, sizes in bytes, as its naming
// rules ask (https://prometheus.io/docs/practices/naming/).

import Measurement

/// One metric with its samples, as Prometheus scrapes it.
public struct PrometheusFamily: Sendable, Hashable {
    /// What every name begins with.
    public static let prefix = "faultline_"

    /// A value of a counter or a gauge.
    public struct Sample: Sendable, Hashable {
        /// Names and values of the labels; names match `[a-zA-Z_][a-zA-Z0-9_]*`.
        public var labels: [String: String]
        /// The value.
        public var value: Double

        /// A sample.
        public init(_ value: Double, labels: [String: String] = [:]) {
            self.labels = labels
            self.value = value
        }
    }

    /// The kind of the metric with its values.
    public enum Content: Sendable, Hashable {
        /// Only ever grows while the process lives. The name ends in `_total`.
        case counter([Sample])
        /// Goes up and down.
        case gauge([Sample])
        /// Cumulative buckets.
        ///
        /// `buckets` are ascending upper bounds, each with the number of observations at or below it; the bucket
        /// `+Inf` is added.
        case histogram(buckets: [Bucket], sum: Double, count: UInt64, labels: [String: String])
        /// Quantiles of all observations so far.
        case summary(quantiles: [Quantile], sum: Double, count: UInt64, labels: [String: String])
    }

    /// A bucket of a histogram.
    public struct Bucket: Sendable, Hashable {
        /// The greatest value it counts.
        public var upperBound: Double
        /// How many observations are at most ``upperBound``, those of lower buckets included.
        public var cumulativeCount: UInt64

        /// A bucket.
        public init(upperBound: Double, cumulativeCount: UInt64) {
            self.upperBound = upperBound
            self.cumulativeCount = cumulativeCount
        }
    }

    /// A quantile of a summary.
    public struct Quantile: Sendable, Hashable {
        /// From 0 to 1.
        public var fraction: Double
        /// The value that this fraction of the observations does not exceed; not a number when there is none.
        public var value: Double

        /// A quantile.
        public init(fraction: Double, value: Double) {
            self.fraction = fraction
            self.value = value
        }
    }

    /// The name: `faultline_` and lower-case words, with the unit and, for a counter, `_total` at the end.
    public var name: String
    /// One sentence that says what is counted and in which unit.
    public var help: String
    /// The values.
    public var content: Content

    /// A family. Rules are checked when it is written (``PrometheusText``).
    public init(_ name: String, help: String, _ content: Content) {
        self.name = name
        self.help = help
        self.content = content
    }

    /// The distribution of durations as a summary in seconds: p50, p99, p99.9 and, as quantile 1, the maximum.
    ///
    /// - Parameter name: Ends in `_seconds`.
    public static func summary(
        _ name: String, help: String, of histogram: LatencyHistogram, labels: [String: String] = [:]
    ) -> PrometheusFamily {
        let quantiles = [0.5, 0.99, 0.999, 1].map { fraction in
            Quantile(
                fraction: fraction,
                value: histogram.quantile(fraction).map { Double($0) / 1e9 } ?? .nan)
        }
        return PrometheusFamily(
            name, help: help,
            .summary(
                quantiles: quantiles, sum: Double(histogram.sum) / 1e9, count: histogram.count,
                labels: labels))
    }
}
