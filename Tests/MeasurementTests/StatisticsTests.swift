import Measurement
import Testing

struct StatisticsTests {
    @Test(
        arguments: [
            ([7.0], 7.0), ([3, 1, 2], 2), ([4, 1, 3, 2], 2.5), ([5, 5, 5, 1], 5), ([-1, 1], 0),
            ([1e308, 1.5e308], 1.25e308),
        ] as [([Double], Double)])
    func `median is the middle or the mean of the two middle ones`(samples: [Double], median: Double) throws {
        #expect(try Statistics.median(samples) == median)
    }

    @Test(arguments: [
        (0.0, 10.0), (0.25, 20.0), (0.5, 30.0), (0.75, 40.0), (1.0, 50.0), (0.1, 14.0), (0.99, 49.6),
    ])
    func `quantiles interpolate between neighbours`(fraction: Double, value: Double) throws {
        let found = try Statistics.quantile(fraction, of: [50, 10, 40, 20, 30])
        #expect(abs(found - value) < 1e-12)
    }

    @Test func `outliers lie beyond one and a half times the distance of the quartiles`() throws {
        // Quartiles 2 and 4: the fences are -1 and 7.
        #expect(try Statistics.outliers([1, 2, 3, 4, 7.0]).isEmpty)
        #expect(try Statistics.outliers([7.01, 2, 3, 4, 1]) == [7.01])
        #expect(try Statistics.outliers([-1.01, 2, 3, 4, 5]) == [-1.01])
    }

    @Test func `paired ratios divide round by round`() throws {
        #expect(try Statistics.pairedRatios([2, 9, 0], to: [4, 3, 7]) == [0.5, 3, 0])
    }

    @Test func `what has no statistic is an error that says so`() {
        #expect(throws: StatisticsError.noSamples) { try Statistics.median([]) }
        #expect(throws: StatisticsError.noSamples) { try Statistics.outliers([]) }
        #expect(throws: StatisticsError.noSamples) { try Statistics.pairedRatios([], to: []) }
        #expect(throws: StatisticsError.notFinite(.infinity)) { try Statistics.median([1, .infinity]) }
        #expect(throws: StatisticsError.unpaired(2, 1)) { try Statistics.pairedRatios([1, 2], to: [1]) }
        #expect(throws: StatisticsError.notPositive(0)) { try Statistics.pairedRatios([1], to: [0]) }
        #expect(throws: StatisticsError.self) { try Statistics.median([.nan]) }
        #expect(throws: StatisticsError.self) { try Statistics.pairedRatios([1], to: [.nan]) }
        #expect("\(StatisticsError.unpaired(2, 1))".contains("2 samples cannot be paired with 1"))
    }
}
