// 95 % intervals by the percentile bootstrap (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, ch. 13).
//
// A resample is never built: drawing n times with replacement gives each rank of the sorted samples a count, and the
// median of the resample is found by walking the counts. That is O(n) per resample instead of O(n log n).

import Glibc

/// Computes medians and geometric means with 95 % intervals; the same seed gives the same interval.
///
/// Coverage is close to 95 % from about 15 samples on. With fewer the interval is honest only as the range that
/// resampling gives: with n samples it can never reach beyond their minimum and maximum.
public struct Bootstrap: Sendable, Hashable {
    /// Resamples for a quick look: the ends of a 95 % interval then lie on 50 resamples each.
    public static let quickResamples = 2_000
    /// Below this many resamples the ends of a 95 % interval lie on fewer than three.
    public static let minimumResamples = 100
    /// The confidence of every interval here.
    public static let confidence = 0.95

    /// Resamples per interval.
    public let resamples: Int
    /// What determines the resampling.
    public let seed: UInt64

    /// - Precondition: `resamples` is at least ``minimumResamples``.
    public init(resamples: Int = Bootstrap.quickResamples, seed: UInt64 = 1) {
        precondition(resamples >= Self.minimumResamples, "too few resamples for a 95 % interval")
        self.resamples = resamples
        self.seed = seed
    }

    /// The median of the samples and its interval. O(n × resamples).
    ///
    /// - Throws: ``StatisticsError/noSamples``, ``StatisticsError/notFinite(_:)``.
    public func median(of samples: [Double]) throws -> Estimate {
        let ranked = try RankedSamples(samples)
        var generator = SeededGenerator(seed: seed)
        var counts = [Int](repeating: 0, count: ranked.count)
        let medians = (0..<resamples).map { _ in
            for rank in counts.indices { counts[rank] = 0 }
            for _ in counts.indices { counts[generator.index(below: counts.count)] += 1 }
            return ranked.median(counts: counts)
        }
        return estimate(ranked.median, from: medians, samples: samples.count)
    }

    /// The median of the ratios within each round, and its interval.
    ///
    /// - Throws: As ``Statistics/pairedRatios(_:to:)``.
    public func ratio(of samples: [Double], to baseline: [Double]) throws -> Estimate {
        try median(of: Statistics.pairedRatios(samples, to: baseline))
    }

    /// Whether the series of a geometric mean were measured together.
    public enum Rounds: Sendable, Hashable {
        /// Round i of every series is the same round: what disturbed one series then disturbed all, so a resample
        /// draws whole rounds.
        case shared
        /// Each series has rounds of its own, in any number: each is resampled by itself.
        case independent
    }

    /// The geometric mean, over the series, of each series' median ratio; its interval by resampling rounds.
    ///
    /// - Parameters:
    ///   - series: For each case, its ratio in each round (``Statistics/pairedRatios(_:to:)``), all positive.
    ///   - rounds: Whether the series share their rounds.
    /// - Returns: An estimate whose ``Estimate/samples`` counts the rounds of the shortest series.
    /// - Throws: ``StatisticsError``: nothing there, unequal series under ``Rounds/shared``, a ratio not positive.
    public func geometricMean(ofRatios series: [[Double]], rounds: Rounds = .shared) throws -> Estimate {
        guard let first = series.first else { throw StatisticsError.noSamples }
        for ratios in series {
            if let odd = ratios.first(where: { !($0 > 0) }) { throw StatisticsError.notPositive(odd) }
            if rounds == .shared, ratios.count != first.count {
                throw StatisticsError.unpaired(first.count, ratios.count)
            }
        }
        let ranked = try series.map(RankedSamples.init)
        var generator = SeededGenerator(seed: seed)
        let means = (0..<resamples).map { _ in
            var drawn: [Int] = []
            var sumOfLogarithms = 0.0
            for one in ranked {
                if rounds == .independent || drawn.isEmpty {
                    drawn = (0..<one.count).map { _ in generator.index(below: one.count) }
                }
                var counts = [Int](repeating: 0, count: one.count)
                for round in drawn { counts[one.rank[round]] += 1 }
                sumOfLogarithms += log(one.median(counts: counts))
            }
            return exp(sumOfLogarithms / Double(ranked.count))
        }
        let mean = exp(ranked.reduce(0) { $0 + log($1.median) } / Double(ranked.count))
        return estimate(mean, from: means, samples: ranked.map(\.count).min() ?? 0)
    }

    private func estimate(_ value: Double, from resampled: [Double], samples: Int) -> Estimate {
        let ordered = resampled.sorted()
        let tail = (1 - Self.confidence) / 2
        let low = Statistics.quantile(tail, ofSorted: ordered)
        let high = Statistics.quantile(1 - tail, ofSorted: ordered)
        // The value lies outside only by rounding, or when nearly all resamples agree.
        return Estimate(median: value, low: min(low, value), high: max(high, value), samples: samples)
    }
}

/// Samples in ascending order, and where each of them went.
private struct RankedSamples {
    let ordered: [Double]
    /// `rank[i]` is the index in ``ordered`` of sample `i`.
    let rank: [Int]

    init(_ samples: [Double]) throws {
        ordered = try Statistics.sorted(samples)
        var rank = [Int](repeating: 0, count: samples.count)
        // Ties are broken by position, so that ranks are a permutation.
        let order = samples.indices.sorted { (samples[$0], $0) < (samples[$1], $1) }
        for (position, index) in order.enumerated() { rank[index] = position }
        self.rank = rank
    }

    var count: Int { ordered.count }
    var median: Double { Statistics.medianOfSorted(ordered) }

    /// The median of the resample that holds the sample of rank i `counts[i]` times. The counts sum to ``count``.
    func median(counts: [Int]) -> Double {
        let upperRank = count / 2
        let lowerRank = count % 2 == 1 ? upperRank : upperRank - 1
        var seen = 0
        var lower: Double?
        for rank in counts.indices {
            seen += counts[rank]
            if lower == nil, seen > lowerRank { lower = ordered[rank] }
            if seen > upperRank { return Statistics.midpoint(lower ?? ordered[rank], ordered[rank]) }
        }
        preconditionFailure("the counts do not sum to the number of samples")
    }
}
