import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("frame-prediction") struct FramePredictionTests {
    private func share(_ name: String, _ value: Double) -> Record {
        .ratio(
            suite: "frame-prediction", case: name, baseline: FramePrediction.whole,
            estimate: Estimate(exactly: value), parameters: [:])
    }

    private func marks(_ name: String, tried: Double, exceeded: Double) -> [Record] {
        [(Metric.boundsTried, tried), (.boundsExceeded, exceeded), (.boundsReached, tried - exceeded - 1)].map {
            Record(suite: "frame-prediction", case: name, metric: $0, exactly: $1, parameters: [:])
        }
    }

    private func verdict(_ records: [Record]) -> ClaimVerdict { FramePrediction().verdict(on: records) }

    @Test func fewBoundsThatHoldMakeItDepend() {
        let verdict = verdict(
            [share("programs", 0.35), share("programs, recursion", 0.5), share("programs, foreign code", 0)]
                + marks("go1", tried: 40, exceeded: 0) + marks("fib", tried: 2, exceeded: 0))
        #expect(verdict.verdict == .depends)
        #expect(
            verdict.reason
                == "it depends on the code: it can for the 35 % of call trees that have a bound, "
                + "not for the others; 35 % of "
                + "call trees have a bound (in the way: recursion 50 %); "
                + "0 of 42 bounds were exceeded by calls that were "
                + "followed, 40 were reached")
        #expect(verdict.measured.map(\.name).contains(Figure.boundsExceeded.name))
    }

    @Test func boundsForNearlyAllThatHoldConfirmIt() {
        #expect(verdict([share("programs", 0.95)] + marks("go1", tried: 40, exceeded: 0)).verdict == .confirmed)
    }

    @Test func oneBoundThatIsExceededRefutesIt() {
        #expect(verdict([share("programs", 0.95)] + marks("go1", tried: 40, exceeded: 1)).verdict == .refuted)
        #expect(verdict([share("programs", 0.35)] + marks("go1", tried: 40, exceeded: 1)).verdict == .refuted)
        #expect(verdict([share("programs", 0)] + marks("go1", tried: 40, exceeded: 0)).verdict == .refuted)
    }

    @Test func withoutCallsOrWithAnUndecidedShareNothingIsDecided() {
        for value in [0.35, 0.95] {
            let verdict = verdict([share("programs", value)])
            #expect(verdict.verdict == .notMeasurable && verdict.reason.hasSuffix("; no call was followed"))
        }
        var open = share("programs", 0.9)
        (open.low, open.high) = (0.85, 0.95)
        #expect(verdict([open] + marks("go1", tried: 40, exceeded: 0)).verdict == .notMeasurable)
        #expect(self.verdict([]).verdict == .notMeasurable)
    }
}
