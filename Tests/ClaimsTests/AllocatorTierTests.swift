import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("allocator tiers") struct AllocatorTierTests {
    /// A tier, and nanoseconds that are about what is claimed of it.
    private static let tiers: [(AllocatorTier.Tier, Double)] = [(.cache, 1.5), (.pool, 12), (.heap, 70)]

    private func record(
        _ tier: AllocatorTier.Tier, _ name: String, _ time: Double, _ metric: Metric = .time
    ) -> Record {
        AllocatorTier(tier).record(
            name, metric, Estimate(median: time, low: time * 0.9, high: time * 1.1, samples: 9))
    }

    private func verdict(_ tier: AllocatorTier.Tier, _ time: Double, further: [Record] = []) -> ClaimVerdict {
        AllocatorTier(tier).verdict(on: further + [record(tier, tier.rawValue, time)])
    }

    @Test(arguments: tiers) func `about the claimed time confirms it, far more or less refutes it`(
        tier: AllocatorTier.Tier, time: Double
    ) {
        #expect(verdict(tier, time).verdict == .confirmed)
        #expect(verdict(tier, 4 * time).verdict == .refuted)
        #expect(verdict(tier, time / 4).verdict == .refuted)
    }

    @Test(arguments: AllocatorTier.Tier.allCases) func `the claimed range is that of the rule`(
        tier: AllocatorTier.Tier
    ) throws {
        let claimed = try #require(AllocatorTier(tier).claimed.first)
        let (low, high) = (try #require(claimed.low), try #require(claimed.high))
        #expect(low * 4 == high)
        #expect(verdict(tier, low * 1.2).verdict == .confirmed && verdict(tier, high * 0.9).verdict == .confirmed)
        #expect(verdict(tier, low * 0.8).verdict == .refuted && verdict(tier, high * 1.2).verdict == .refuted)
    }

    @Test func `the time is said`() {
        #expect(
            verdict(.cache, 13).reason
                == "the processor's cache allocates a stack in 13.0 [11.7, 14.3; n = 9] ns; about 1 is "
                + "taken as half to "
                + "twice that")
    }

    @Test func `around a bound nothing is decided`() { #expect(verdict(.pool, 20).verdict == .notMeasurable) }

    @Test func `freeing and other sizes are figures and decide nothing`() {
        let further = [
            record(.cache, AllocatorTier.Tier.cache.rawValue, 500, .timeOfFreeing),
            record(.cache, AllocatorTier.emptyCache, 900),
        ]
        let verdict = verdict(.cache, 1.5, further: further)
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.measured.map(\.median) == [1.5, 900, 500])
    }

    @Test func `without its own time it is not measurable`() {
        let other = record(.cache, AllocatorTier.emptyCache, 900)
        #expect(AllocatorTier(.cache).verdict(on: [other]).verdict == .notMeasurable)
    }
}
