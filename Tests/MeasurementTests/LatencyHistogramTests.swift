import Measurement
import Testing

struct LatencyHistogramTests {
    @Test func `an empty one has no quantiles`() {
        let histogram = LatencyHistogram()
        #expect(histogram.count == 0 && histogram.maximum == 0 && histogram.mean == nil)
        #expect(histogram.p50 == nil && histogram.p99 == nil && histogram.p999 == nil)
    }

    @Test func `quantiles of 1 to 10,000 are exact to three digits`() throws {
        var histogram = LatencyHistogram()
        for value in 1...10_000 { histogram.record(UInt64(value)) }
        func expect(_ found: UInt64?, _ wanted: Double) throws {
            let found = Double(try #require(found))
            #expect(abs(found - wanted) <= wanted / 1000 + 1)
        }
        try expect(histogram.p50, 5000)
        try expect(histogram.p99, 9900)
        try expect(histogram.p999, 9990)
        #expect(histogram.maximum == 10_000)
        #expect(histogram.quantile(1) == 10_000)
        #expect(histogram.quantile(0) == 1)
        #expect(histogram.mean == 5000.5)
        #expect(histogram.count == 10_000)
    }

    @Test func `a rare long one shows in the tail and the maximum only`() {
        var histogram = LatencyHistogram()
        for _ in 0..<9980 { histogram.record(100) }
        for _ in 0..<20 { histogram.record(5_000_000) }
        #expect(histogram.p50 == 100 && histogram.p99 == 100)
        #expect((4_995_000...5_000_000).contains(histogram.p999 ?? 0))
        #expect(histogram.maximum == 5_000_000)
    }

    @Test func `zero and what exceeds the tracked range are counted`() {
        var histogram = LatencyHistogram()
        histogram.record(0)
        #expect(histogram.p50 == 0)
        histogram.record(LatencyHistogram.longestTracked)
        histogram.record(10 * LatencyHistogram.longestTracked)
        #expect(histogram.count == 3)
        #expect(histogram.maximum == 10 * LatencyHistogram.longestTracked)
        #expect(histogram.quantile(1) == histogram.maximum)
        let tracked = Double(histogram.quantile(0.9) ?? 0) / Double(LatencyHistogram.longestTracked)
        #expect((0.999...1.001).contains(tracked))
    }

    @Test func `merging equals recording all in one`() {
        var first = LatencyHistogram()
        var second = LatencyHistogram()
        var all = LatencyHistogram()
        for value in stride(from: UInt64(1), to: 100_000, by: 37) {
            if value % 2 == 0 { first.record(value) } else { second.record(value) }
            all.record(value)
        }
        first.merge(second)
        for fraction in [0, 0.1, 0.5, 0.99, 0.999, 1] {
            #expect(first.quantile(fraction) == all.quantile(fraction))
        }
        #expect(first.count == all.count && first.sum == all.sum && first.maximum == all.maximum)
    }
}
