import Measurement
import Report
import Testing

struct ReaderNumberTests {
    private static func number(_ name: String, _ unit: MetricUnit, _ ends: (Double, Double, Double)) -> ReaderNumber {
        ReaderNumber(
            MeasuredFigure(
                Figure(name, unit),
                Estimate(median: ends.0, low: ends.1, high: ends.2, samples: ends.1 == ends.2 ? 0 : 7)))
    }

    private static let numbers: [(String, MetricUnit, (Double, Double, Double), String, String)] = [
        // As many digits as the interval bears, two at least and three at most.
        ("wait", .ratio, (33832, 28621, 36981), "34,000", "29,000 to 37,000"),
        ("growth", .ratio, (10.7748, 10.4221, 10.9549), "10.8", "10.4 to 11.0"),
        ("wait", .ratio, (55.28, 34.4, 82.4), "55", "34 to 82"),
        ("time", .nanoseconds, (2725.99, 2656.3, 4671.3), "2.7 µs", "2.7 to 4.7 µs"),
        ("time", .nanoseconds, (9.996, 9.996, 9.996), "10.0 ns", ""),
        // Shares are in per cent. Where even the sign is open, no digit pretends otherwise.
        ("gain on programs", .ratio, (0.01315, 0.00757, 0.02244), "1.3 %", "0.8 to 2.2 %"),
        ("gain on programs", .ratio, (-0.00238, -0.01869, 0.0157), "−0.2 %", "−1.9 to 1.6 %"),
        ("share of code", .ratio, (0.0612, 0.0612, 0.0612), "6.12 %", ""),
        // The sign of an end is what says so.
        ("gain on programs", .ratio, (0.00672, -0.00041, 0.0138), "0.67 %", "−0.04 to 1.38 %"),
        ("growths", .count, (2481, 0, 6499.7), "2,500", "0 to 6,500"),
        ("scan", .nanoseconds, (0, -4300.7, 4259.9), "0 ns", "−4,300 to 4,300 ns"),
        // What was counted.
        ("stacks", .count, (16_777_216, 16_777_216, 16_777_216), "16.8 million", ""),
        ("faults", .count, (20_000_000, 20_000_000, 20_000_000), "20 million", ""),
        ("hazards", .count, (46, 46, 46), "46", ""), ("calls", .count, (1, 1, 1), "one", ""),
        ("depth", .count, (32_755, 32_755, 32_755), "32,800", ""), ("wrong", .count, (0, 0, 136.4), "0", "0 to 140"),
        ("space", .bytes, (838_860_800_000, 838_860_800_000, 838_860_800_000), "781 GiB", ""),
        ("memory", .bytes, (425.3, 425.3, 425.3), "425 bytes", ""),
        ("frame", .bytes, (32, 32, 32), "32 bytes", ""), ("slot", .bytes, (4096, 4096, 4096), "4 KiB", ""),
    ]

    @Test(arguments: numbers)
    func `a number has the digits that its interval bears`(
        name: String, unit: MetricUnit, ends: (Double, Double, Double), text: String, interval: String
    ) {
        let number = Self.number(name, unit, ends)
        #expect(number.text.replacing("\u{A0}", with: " ") == text)
        #expect(number.interval.replacing("\u{A0}", with: " ") == interval)
    }

    @Test func `a lower bound says so wherever it is shown`() {
        func number(_ unit: MetricUnit, isAtLeast: Bool) -> ReaderNumber {
            let estimate = Estimate(median: 33832, low: 28621, high: 36981, samples: 7)
            return ReaderNumber(MeasuredFigure(Figure("wait", unit), estimate, isAtLeast: isAtLeast))
        }
        let bound = number(.ratio, isAtLeast: true)
        #expect(bound.text == "at least 34,000" && bound.marked == "at least 34,000\u{A0}×")
        #expect(bound.interval == "at least 29,000")
        #expect(number(.nanoseconds, isAtLeast: true).marked == "at least 34\u{A0}µs")
        let one = MeasuredFigure(Figure("growths", .count), Estimate(exactly: 1), isAtLeast: true)
        #expect(ReaderNumber(one).text == "at least 1")
    }

    @Test func `what was measured once has no interval and says so`() throws {
        let figure = Figure("memory", .bytes)
        #expect(ReaderNumber(MeasuredFigure(figure, try .median(of: [425]))).interval == "measured once")
        #expect(ReaderNumber(MeasuredFigure(figure, Estimate(exactly: 425))).interval == "")
        #expect("\(MeasuredFigure(figure, try .median(of: [425])))" == "425 B [n = 1]")
    }

    @Test func `a ratio is told from a count and its unit stays with it`() {
        #expect(Self.number("growth", .ratio, (10.77, 10.42, 10.95)).marked == "10.8\u{A0}×")
        #expect(Self.number("gain", .ratio, (0.5, 0.5, 0.5)).marked == "50.0\u{A0}%")
    }

    private static let claims: [(ClaimedFigure, String)] = [
        (ClaimedFigure(Figure("gain on programs", .ratio), low: 0.03, high: 0.05), "3 to 5 %"),
        (ClaimedFigure(Figure("crossings", .count), low: 4, high: nil), "at least 4"),
        (ClaimedFigure(Figure("files", .count), low: 1, high: nil), "at least one"),
        (ClaimedFigure(Figure("growth", .ratio), low: nil, high: 2), "at most 2 ×"),
        (ClaimedFigure(Figure("space", .bytes), 800e9), "745 GiB"),
        (ClaimedFigure(Figure("stacks", .count), low: nil, high: 99_999), "at most 99,999"),
        (ClaimedFigure(Figure("stacks", .count), low: nil, high: 999_999), "at most 1 million"),
        (ClaimedFigure(Figure("time", .nanoseconds), low: 0, high: nil), "at least 0 ns"),
    ]

    @Test(arguments: claims)
    func `a claimed number has the digits of its source`(figure: ClaimedFigure, text: String) {
        #expect(ReaderNumber.claimed(figure).replacing("\u{A0}", with: " ") == text)
    }

    @Test func `a claimed number that is ours is marked`() {
        func marked(_ isOurs: Bool) -> String {
            let figure = ClaimedFigure(Figure("growth", .ratio), low: 2, high: nil, isOurReading: isOurs)
            return ReaderNumber.markedClaim(figure).replacing("\u{A0}", with: " ")
        }
        #expect(marked(true) == "at least 2 × (our reading)")
        #expect(marked(false) == "at least 2 ×")
    }
}
