import Foundation
import Measurement
import Testing

struct BootstrapTests {
    /// Skewed like the times of a computer: 100 times e to a normal number. Its median is 100.
    private static func logNormal(_ count: Int, _ generator: inout SeededGenerator) -> [Double] {
        (0..<count).map { _ in
            // Box and Muller. One minus the unit number, because the logarithm of 0 is infinite.
            let normal = (-2 * log(1 - generator.unit())).squareRoot() * cos(2 * .pi * generator.unit())
            return 100 * exp(0.3 * normal)
        }
    }

    @Test(arguments: [31, 40]) func `the interval covers the true median in 19 of 20 trials`(count: Int) throws {
        var generator = SeededGenerator(seed: 20)
        var covered = 0
        for trial in 0..<400 {
            let samples = Self.logNormal(count, &generator)
            let estimate = try Bootstrap(resamples: 400, seed: UInt64(trial)).median(of: samples)
            if estimate.low <= 100 && 100 <= estimate.high { covered += 1 }
        }
        // At a true coverage of 95 % the standard deviation is 1.1 %. An interval that always covers is too wide.
        #expect((360...397).contains(covered), "covered in \(covered) of 400")
    }

    @Test func `the interval narrows with the square root of the number of samples`() throws {
        var generator = SeededGenerator(seed: 4)
        let bootstrap = Bootstrap(resamples: 400)
        func meanWidth(_ count: Int) throws -> Double {
            try (0..<30).map { _ in
                let estimate = try bootstrap.median(of: Self.logNormal(count, &generator))
                return estimate.high - estimate.low
            }.reduce(0, +) / 30
        }
        let ratio = try meanWidth(25) / meanWidth(400)
        #expect((3...5).contains(ratio), "16 times the samples, 4 times as narrow: \(ratio)")
    }

    @Test func `equal samples have an interval without width`() throws {
        let estimate = try Bootstrap().median(of: [3, 3, 3, 3])
        #expect(estimate == Estimate(median: 3, low: 3, high: 3, samples: 4))
    }

    @Test func `one sample is its own interval`() throws {
        #expect(try Bootstrap().median(of: [8]) == Estimate(median: 8, low: 8, high: 8, samples: 1))
    }

    /// The median of three draws from {0, 1, 2} is 0 with probability 7/27, so both ends of 95 % are the extremes.
    @Test func `three samples reach to their extremes`() throws {
        #expect(try Bootstrap().median(of: [0, 2, 1]) == Estimate(median: 1, low: 0, high: 2, samples: 3))
    }

    @Test func `the same seed gives the same interval and another seed another`() throws {
        var generator = SeededGenerator(seed: 8)
        let samples = Self.logNormal(40, &generator)
        let first = try Bootstrap(seed: 1).median(of: samples)
        #expect(try Bootstrap(seed: 1).median(of: samples) == first)
        let other = try Bootstrap(resamples: 100, seed: 2).median(of: samples)
        #expect(other.median == first.median)
        #expect((other.low, other.high) != (first.low, first.high))
    }

    @Test func `the order of the samples does not matter to their median's interval`() throws {
        var generator = SeededGenerator(seed: 8)
        let samples = Self.logNormal(31, &generator)
        #expect(try Bootstrap().median(of: samples) == Bootstrap().median(of: samples.reversed()))
    }

    @Test func `a ratio is paired, so a drift that both share cancels`() throws {
        // Both slow down tenfold over the run; within each round the first takes exactly 1.5 times as long.
        let baseline = (1...30).map { Double($0) }
        let samples = baseline.map { 1.5 * $0 }
        let ratio = try Bootstrap().ratio(of: samples, to: baseline)
        #expect(ratio == Estimate(median: 1.5, low: 1.5, high: 1.5, samples: 30))
        // Unpaired, the same samples say nothing of the kind.
        let unpaired = try Bootstrap().ratio(of: samples.reversed(), to: baseline)
        #expect(unpaired.high - unpaired.low > 0.5)
    }

    @Test(arguments: [Bootstrap.Rounds.shared, .independent])
    func `the geometric mean of constant ratios is exact`(rounds: Bootstrap.Rounds) throws {
        let series = [[2.0, 2, 2], [8, 8, 8], [4, 4, 4]]
        let mean = try Bootstrap().geometricMean(ofRatios: series, rounds: rounds)
        #expect(abs(mean.median - 4) < 1e-12 && abs(mean.low - 4) < 1e-12 && abs(mean.high - 4) < 1e-12)
        #expect(mean.samples == 3)
    }

    @Test func `the geometric mean is of the medians of the series`() throws {
        let series = [[1.0, 9, 2], [7, 50, 8]]
        let mean = try Bootstrap().geometricMean(ofRatios: series)
        #expect(abs(mean.median - 4) < 1e-12)
        #expect(mean.low < 4 && 4 < mean.high)
    }

    /// Two series whose rounds deviate in opposite directions: drawn together the deviations cancel, drawn apart they
    /// do not.
    @Test func `shared rounds are drawn together`() throws {
        let up = (0..<31).map { exp(Double($0 - 15) / 30) }
        let down = up.map { 1 / $0 }
        let together = try Bootstrap().geometricMean(ofRatios: [up, down], rounds: .shared)
        let apart = try Bootstrap().geometricMean(ofRatios: [up, down], rounds: .independent)
        #expect(together.high - together.low < 1e-9)
        #expect(apart.high - apart.low > 0.05)
    }

    @Test func `independent series may differ in length`() throws {
        let series = [[1.0, 2, 3], [4.0, 5]]
        #expect(try Bootstrap().geometricMean(ofRatios: series, rounds: .independent).samples == 2)
        #expect(throws: StatisticsError.unpaired(3, 2)) { try Bootstrap().geometricMean(ofRatios: series) }
    }

    @Test func `a geometric mean needs positive ratios`() {
        #expect(throws: StatisticsError.noSamples) { try Bootstrap().geometricMean(ofRatios: []) }
        #expect(throws: StatisticsError.noSamples) { try Bootstrap().geometricMean(ofRatios: [[]]) }
        #expect(throws: StatisticsError.notPositive(0)) {
            try Bootstrap().geometricMean(ofRatios: [[1, 0]])
        }
    }
}
