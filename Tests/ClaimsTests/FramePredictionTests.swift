import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("frame-prediction") struct FramePredictionTests {
    /// The share of a program's functions that have a bound, or what is said in `name`.
    private func share(
        _ name: String, _ value: Double, of functions: Int = 1_000, peer: String = "go1.27.3"
    ) -> Record {
        .ratio(
            suite: "frame-prediction", case: name, baseline: FramePrediction.whole,
            estimate: Estimate(exactly: value), parameters: [.functions: .int(functions), .peer: .string(peer)])
    }

    private func marks(_ name: String, tried: Double, exceeded: Double, ratio: Double = 1) -> [Record] {
        let peer: [ParameterName: ParameterValue] = name.hasPrefix("go") ? [.peer: .string(name)] : [:]
        return [(Metric.boundsTried, tried), (.boundsExceeded, exceeded), (.boundsReached, tried - exceeded - 1)].map {
            Record(suite: "frame-prediction", case: name, metric: $0, exactly: $1, parameters: peer)
        } + [
            .ratio(
                suite: "frame-prediction", case: name, baseline: FramePrediction.deepest,
                estimate: Estimate(median: ratio, low: ratio, high: 2 * ratio, samples: 40), parameters: peer)
        ]
    }

    private func verdict(_ records: [Record]) -> ClaimVerdict { FramePrediction().verdict(on: records) }

    @Test func boundsForNearlyAllThatHoldConfirmIt() {
        #expect(verdict([share("go", 0.95)] + marks("go1.27.3", tried: 40, exceeded: 0)).verdict == .confirmed)
    }

    @Test func boundsForAFewRefuteItHoweverWellTheyHold() {
        let verdict = verdict(
            [share("go go1.27.3", 0.4, of: 3_000), share("gofmt go1.27.3", 0.2)]
                + [share("go go1.27.3, recursion", 0.5, of: 3_000), share("gofmt go1.27.3, recursion", 0.1)]
                + [share("go go1.27.3, foreign code", 0, of: 3_000)]
                + marks("go1.27.3", tried: 40, exceeded: 0) + marks("fib", tried: 2, exceeded: 0))
        #expect(verdict.verdict == .refuted)
        #expect(
            verdict.reason
                == "go1.27.3: 35 % of call trees have a bound (in the way: recursion 40 %); 0 of 40 bounds were "
                + "exceeded by calls that were followed, 39 were reached; of older versions and of kernels in C 0 of 2")
        #expect(verdict.measured.prefix(3).map(\.median) == [0.35, 0, 40])
        #expect(self.verdict([share("go", 0.35)]).verdict == .refuted)
    }

    @Test func theNewestGoDecides() {
        let newest = [share("go", 0.95)] + marks("go1.27.3", tried: 40, exceeded: 0, ratio: 1.1)
        let others =
            [share("go", 0.2, of: 9_000, peer: "go1.19.8")] + marks("go1.19.8", tried: 40, exceeded: 3, ratio: 3)
            + marks("depths", tried: 7, exceeded: 1)
        let verdict = verdict(others + newest)
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.reason.hasSuffix("; of older versions and of kernels in C 4 of 47"))
        // The newest first, and no one chosen of the others.
        #expect(verdict.measured.suffix(3).map(\.median) == [1.1, 3, 1])
    }

    @Test func oneBoundThatIsExceededRefutesIt() {
        #expect(verdict([share("go", 0.95)] + marks("go1.27.3", tried: 40, exceeded: 1)).verdict == .refuted)
    }

    @Test func withoutCallsNothingIsConfirmed() {
        let verdict = verdict([share("go", 0.95)])
        #expect(verdict.verdict == .notMeasurable && verdict.reason.hasSuffix("; no call was followed"))
        #expect(self.verdict([]).verdict == .notMeasurable)
        #expect(self.verdict(marks("go1.27.3", tried: 40, exceeded: 1)).verdict == .notMeasurable)
    }
}
