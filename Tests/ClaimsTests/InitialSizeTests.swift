import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("initial size") struct InitialSizeTests {
    private static let growths: [(InitialSize.Number, size: Int, claimed: Double)] = [
        (.growthsFrom2KB, 2048, 1.8), (.growthsFrom8KB, 8192, 0.3),
    ]
    private static let totals: [(InitialSize.Number, Metric)] = [
        (.copying, .timeOfCopying), (.collections, .collections),
    ]

    private func estimate(_ value: Double, samples: Int = 9) -> Estimate {
        Estimate(median: value, low: value * 0.98, high: value * 1.02, samples: samples)
    }

    private func requests(
        _ number: InitialSize.Number, _ metric: Metric, _ size: Int, _ value: Double, peer: String = "go1.27.3",
        strategy: String = "goroutine"
    ) -> Record {
        InitialSize(number).record(
            "requests", metric, estimate(value),
            [.peer: .string(peer), .strategy: .string(strategy), .initial: .int(size)])
    }

    /// Totals from 8 KB against those from 2 KB, and from 2 KB against themselves.
    private func verdict(
        _ number: InitialSize.Number, _ metric: Metric, _ change: Estimate?, null: Estimate? = nil
    ) -> ClaimVerdict {
        func ratio(_ estimate: Estimate, isNull: Bool) -> Record {
            var parameters: [ParameterName: ParameterValue] = [.peer: "go1.27.3", .strategy: "goroutine"]
            if isNull { parameters[.nullControl] = true }
            return InitialSize(number).ratio(InitialSize.change(metric), to: "from 2048 bytes", estimate, parameters)
        }
        return InitialSize(number).verdict(
            on: [requests(number, metric, 2048, 100), requests(number, metric, 8192, 25)]
                + [ratio(null ?? Estimate(median: 1, low: 0.9, high: 1.1, samples: 9), isNull: true)]
                + (change.map { [ratio($0, isNull: false)] } ?? []))
    }

    @Test(arguments: growths) func `growths follow from the depths that were chosen, and decide nothing`(
        number: InitialSize.Number, size: Int, claimed: Double
    ) {
        func verdict(_ value: Double) -> ClaimVerdict {
            // The other size is no matter.
            InitialSize(number).verdict(
                on: [requests(number, .growths, size, value), requests(number, .growths, 10_240 - size, 7)])
        }
        for value in [claimed, 2 * claimed, claimed / 2] {
            #expect(verdict(value).verdict == .notMeasurable)
            #expect(verdict(value).measured.first?.median == value)
        }
        #expect(verdict(claimed).claimed.first?.low == claimed)
        #expect(
            verdict(claimed).reason.hasPrefix(
                "the number follows from what requests do, which was chosen here, and what the article's did is not "
                    + "known; go1.27.3: "))
    }

    @Test(arguments: totals) func `a ratio of totals is of the requests that were chosen, and decides nothing`(
        number: InitialSize.Number, metric: Metric
    ) {
        for ratio in [0.1, 0.26, 0.7] {
            let verdict = verdict(number, metric, estimate(ratio))
            #expect(verdict.verdict == .notMeasurable)
            #expect(verdict.measured.map(\.median) == [ratio, 1, 100, 25])
            #expect(verdict.reason.hasPrefix("the number follows from what requests do, "))
        }
        #expect(verdict(number, metric, estimate(1, samples: 1)).verdict == .notMeasurable)
    }

    @Test(arguments: totals) func `what the same stacks show as well is no difference`(
        number: InitialSize.Number, metric: Metric
    ) {
        #expect(verdict(number, metric, estimate(1)).verdict == .notDistinguishable)
        let wide = Estimate(median: 1, low: 0.2, high: 3, samples: 9)
        #expect(verdict(number, metric, estimate(0.26), null: wide).verdict == .notDistinguishable)
    }

    @Test(arguments: totals) func `totals that were not paired decide nothing`(
        number: InitialSize.Number, metric: Metric
    ) {
        #expect(verdict(number, metric, nil).verdict == .notMeasurable)
    }

    @Test func `the newest Go decides`() {
        let verdict = InitialSize(.growthsFrom2KB).verdict(
            on: [
                requests(.growthsFrom2KB, .growths, 2048, 9, peer: "go1.19.8"),
                requests(.growthsFrom2KB, .growths, 2048, 1.8),
            ])
        #expect(verdict.measured.first?.median == 1.8)
        #expect(verdict.reason.contains("; go1.27.3: 1.8 ["))
    }

    @Test func `without Go it is not measurable`() {
        let own = requests(.growthsFrom2KB, .growths, 4096, 1, peer: "faultline", strategy: "fault")
        let missing = ["Go is not measured: install golang-go"]
        let verdict = InitialSize(.growthsFrom2KB).verdict(on: [own], missing: missing)
        #expect(verdict.verdict == .notMeasurable)
        #expect(verdict.reason == "missing: Go is not measured: install golang-go")
    }
}
