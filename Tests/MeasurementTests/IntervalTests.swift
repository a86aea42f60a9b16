import Foundation
import Testing

@testable import Measurement

struct IntervalTests {
    /// Kinds of data, each with its true median.
    enum Shape: String, CaseIterable {
        case normal, logNormal, exponential, twoPeaks

        var median: Double {
            switch self {
            case .normal, .logNormal: 100
            case .exponential: 100 + 50 * log(2)
            // Of 0.7 of the data around 100 and 0.3 around 110: where 5/7 of the former are below.
            case .twoPeaks: 100 + 0.565_949
            }
        }

        func sample(_ generator: inout SeededGenerator) -> Double {
            // Box and Muller. One minus the unit number, because the logarithm of 0 is infinite.
            let exponential = -log(1 - generator.unit())
            let normal = (2 * exponential).squareRoot() * cos(2 * .pi * generator.unit())
            return switch self {
            case .normal: 100 + 10 * normal
            case .logNormal: 100 * exp(0.5 * normal)
            case .exponential: 100 + 50 * exponential
            case .twoPeaks: (generator.unit() < 0.7 ? 100 : 110) + normal
            }
        }
    }

    /// At a true coverage of 95 % the standard deviation of this simulation is 0.45 %. An interval that covers more is
    /// wider than it says.
    @Test(arguments: Shape.allCases, [3, 5, 7, 11, 30])
    func `the interval covers the true median in 93 to 96.5 % of trials`(shape: Shape, count: Int) throws {
        var generator = SeededGenerator(seed: 20)
        let trials = 2400
        let covered = try (0..<trials).count { _ in
            let estimate = try Estimate.median(of: (0..<count).map { _ in shape.sample(&generator) })
            return estimate.low <= shape.median && shape.median <= estimate.high
        }
        let share = Double(covered) / Double(trials)
        #expect((0.93...0.965).contains(share), "\(shape.rawValue), \(count) samples: \(share)")
    }

    /// Programs whose true ratios are log-normal around 1.02, each measured with noise of its own.
    @Test(arguments: [3, 5, 13])
    func `a mean over programs covers that of all programs there could be`(programs: Int) throws {
        var generator = SeededGenerator(seed: 7)
        let trials = 2400
        let covered = try (0..<trials).count { _ in
            let series = (0..<programs).map { _ in
                let program = 1.02 * pow(Shape.logNormal.sample(&generator) / 100, 0.05)
                return (0..<7).map { _ in program * (1 + 0.0001 * (Shape.normal.sample(&generator) - 100)) }
            }
            let mean = try Estimate.geometricMean(over: series)
            return mean.low <= 1.02 && 1.02 <= mean.high
        }
        let share = Double(covered) / Double(trials)
        #expect((0.935...0.965).contains(share), "\(programs) programs: \(share)")
    }

    @Test func `the interval narrows with the square root of the number of samples`() throws {
        var generator = SeededGenerator(seed: 4)
        func meanWidth(_ count: Int) throws -> Double {
            try (0..<60).map { _ in
                let samples = (0..<count).map { _ in Shape.logNormal.sample(&generator) }
                let estimate = try Estimate.median(of: samples)
                return estimate.high - estimate.low
            }.reduce(0, +) / 60
        }
        for (few, many) in [(25, 400), (400, 6400)] {
            let ratio = try meanWidth(few) / meanWidth(many)
            #expect((3.3...4.8).contains(ratio), "16 times the samples, 4 times as narrow: \(ratio)")
        }
    }

    /// The smallest and the largest of six enclose the median in 96.9 % of cases, the next in 78.1 %: 0.36 of the way
    /// between them, by the formula.
    @Test func `six samples reach almost to their extremes`() throws {
        let estimate = try Estimate.median(of: [5, 1, 3, 2, 6, 4])
        #expect(estimate.median == 3.5 && estimate.samples == 6)
        #expect(abs(estimate.low - 1.3571) < 1e-3 && abs(estimate.high - 5.6429) < 1e-3)
    }

    /// Student's quantile of two degrees of freedom is 4.3027: ratios 1/2, 1 and 2 reach to e^(4.3027 ln 2 / √3).
    @Test func `three ratios reach beyond their extremes, as far to either side`() throws {
        let estimate = try Estimate.median(of: [2, 0.5, 1])
        #expect(estimate.median == 1 && abs(estimate.high - 5.595) < 1e-2)
        #expect(abs(estimate.low * estimate.high - 1) < 1e-12)
    }

    @Test func `differences of either sign have their interval around the mean`() throws {
        let estimate = try Estimate.median(of: [-1, 0, 1])
        #expect(abs(estimate.high - 4.3027 / 3.squareRoot()) < 1e-9 && estimate.low == -estimate.high)
    }

    @Test func `Student's quantile is that of the tables`() {
        for (degrees, quantile) in [(1, 12.706), (11, 2.2010), (14, 2.1448), (30, 2.0423), (1000, 1.9623)] {
            #expect(abs(Estimate.studentQuantile(degreesOfFreedom: degrees) - quantile) < 3e-4)
        }
    }

    @Test(arguments: [1, 2, 4, 7]) func `equal samples have an interval without width`(count: Int) throws {
        let estimate = try Estimate.median(of: Array(repeating: 3, count: count))
        #expect(abs(estimate.low - 3) < 1e-12 && abs(estimate.high - 3) < 1e-12 && estimate.samples == count)
    }

    @Test func `one sample is told from what was counted`() throws {
        #expect(try Estimate.median(of: [3]).isMeasuredOnce)
        #expect(try !Estimate.median(of: [3, 4]).isMeasuredOnce && !Estimate(exactly: 3).isMeasuredOnce)
    }

    @Test func `the order of the samples does not matter to their median's interval`() throws {
        var generator = SeededGenerator(seed: 8)
        let samples = (0..<31).map { _ in Shape.logNormal.sample(&generator) }
        #expect(try Estimate.median(of: samples) == Estimate.median(of: samples.reversed()))
    }

    @Test func `a ratio is paired, so a drift that both share cancels`() throws {
        // Both slow down tenfold over the run; within each round the first takes exactly 1.5 times as long.
        let baseline = (1...30).map { Double($0) }
        let samples = baseline.map { 1.5 * $0 }
        let ratio = try Estimate.ratio(of: samples, to: baseline)
        #expect(ratio == Estimate(median: 1.5, low: 1.5, high: 1.5, samples: 30))
        // Unpaired, the same samples say nothing of the kind.
        let unpaired = try Estimate.ratio(of: samples.reversed(), to: baseline)
        #expect(unpaired.high - unpaired.low > 0.5)
    }

    @Test func `a mean over programs is of their medians, and one program is itself`() throws {
        let mean = try Estimate.geometricMean(over: [[1, 9, 2], [7, 50, 8, 8]])
        #expect(abs(mean.median - 4) < 1e-12 && mean.low < 2 && 8 < mean.high && mean.samples == 2)
        #expect(try Estimate.geometricMean(over: [[1, 9, 2]]) == Estimate.median(of: [1, 9, 2]))
    }

    @Test func `samples are needed, finite ones, and for a geometric mean positive ones`() {
        #expect(throws: StatisticsError.noSamples) { try Estimate.median(of: []) }
        #expect(throws: StatisticsError.noSamples) { try Estimate.geometricMean(over: []) }
        #expect(throws: StatisticsError.noSamples) { try Estimate.geometricMean(over: [[]]) }
        #expect(throws: StatisticsError.notPositive(0)) { try Estimate.geometricMean(over: [[1, 0]]) }
    }
}
