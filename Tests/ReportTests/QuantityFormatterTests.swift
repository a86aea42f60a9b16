import Measurement
import Report
import Testing

struct QuantityFormatterTests {
    @Test(
        arguments: [
            (0, .nanoseconds, "0 ns"), (0.0316, .nanoseconds, "0.0316 ns"), (2.7134, .nanoseconds, "2.71 ns"),
            (9.994, .nanoseconds, "9.99 ns"), (9.996, .nanoseconds, "10.0 ns"), (99.96, .nanoseconds, "100 ns"),
            (999.4, .nanoseconds, "999 ns"), (999.6, .nanoseconds, "1.00 µs"), (1234, .nanoseconds, "1.23 µs"),
            (123_456, .nanoseconds, "123 µs"), (5_000_000, .nanoseconds, "5.00 ms"), (2.5e9, .nanoseconds, "2.50 s"),
            (1.2345678e13, .nanoseconds, "12,346 s"), (-1500, .nanoseconds, "-1.50 µs"),
            (0, .bytes, "0 B"), (48, .bytes, "48 B"), (1023, .bytes, "1,023 B"), (1024, .bytes, "1 KiB"),
            (16384, .bytes, "16 KiB"), (1536, .bytes, "1.50 KiB"), (1_048_575, .bytes, "1.00 MiB"),
            (0x1p20, .bytes, "1 MiB"), (64 * 0x1p20, .bytes, "64 MiB"), (0x1p30, .bytes, "1 GiB"),
            (0x1p50, .bytes, "1,024 TiB"),
            (0, .count, "0"), (9, .count, "9"), (999, .count, "999"), (1000, .count, "1,000"),
            (1_234_567, .instructions, "1,234,567"), (2.5, .count, "2.50"), (1234.5, .count, "1,235"),
            (1e18, .count, "1e+18"),
            (0.4312, .ratio, "0.43"), (1, .ratio, "1.00"), (0.0123, .ratio, "0.0123"), (0, .ratio, "0.00"),
            (12.345, .ratio, "12.35"), (123.456, .ratio, "123.46"), (4321.4, .ratio, "4,321"),
            (.infinity, .ratio, "inf"),
        ] as [(Double, MetricUnit, String)])
    func `a quantity is written for people`(value: Double, unit: MetricUnit, text: String) {
        #expect(QuantityFormatter.string(value, unit) == text)
    }

    @Test(
        arguments: [
            (2.7134, 2.69, 2.7512, .nanoseconds, "2.71 ns [2.69, 2.75]"),
            (1.2e3, 990, 1.31e3, .nanoseconds, "1.20 µs [0.99, 1.31]"),
            (0.4312, 0.4287, 0.4401, .ratio, "0.43 [0.43, 0.44]"),
            (16384, 12288, 20480, .bytes, "16 KiB [12, 20]"),
            (12345, 12000, 1_234_567, .count, "12,345 [12,000, 1,234,567]"),
        ] as [(Double, Double, Double, MetricUnit, String)])
    func `an interval has the scale of its median`(
        median: Double, low: Double, high: Double, unit: MetricUnit, text: String
    ) {
        let estimate = Estimate(median: median, low: low, high: high, samples: 31)
        #expect(QuantityFormatter.string(estimate, unit) == text)
    }

    @Test func `what was counted once has no interval, what was sampled has`() {
        #expect(QuantityFormatter.string(Estimate(exactly: 9), .count) == "9")
        let sampled = Estimate(median: 9, low: 9, high: 9, samples: 5)
        #expect(QuantityFormatter.string(sampled, .count) == "9 [9, 9]")
    }

    @Test(
        arguments: [
            (0, 0, "0"), (0.05, 1, "0.1"), (-0.04, 1, "0.0"), (1234.567, 2, "1,234.57"), (999.999, 2, "1,000.00"),
            (-1_000_000, 0, "-1,000,000"), (0.001, 3, "0.001"), (12, 3, "12.000"),
        ] as [(Double, Int, String)])
    func `digits are grouped by three`(value: Double, decimals: Int, text: String) {
        #expect(QuantityFormatter.grouped(value, decimals: decimals) == text)
    }
}
