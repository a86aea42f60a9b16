import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("gateway") struct GatewayTests {
    private func estimate(_ value: Double) -> Estimate {
        Estimate(median: value, low: value * 0.98, high: value * 1.02, samples: 3)
    }

    private static let few: ParameterValue = 100_000

    private func record(
        _ name: String, _ metric: Metric, _ estimate: Estimate, count: ParameterValue = few
    ) -> Record {
        Record(
            suite: "gateway", case: name, metric: metric, estimate: estimate,
            parameters: [.count: count, .peer: "go1.27.3"])
    }

    /// Bytes of a goroutine and of a stackless coroutine, whose share is that of both; records of further ones.
    private func verdict(
        _ goroutine: Double?, stackless: Double = 400, count: ParameterValue = few, further: [Record] = []
    ) -> ClaimVerdict {
        var records: [Record] = []
        if let goroutine {
            records = [
                record("goroutine", .memory, estimate(goroutine), count: count),
                record("goroutine", .pause, estimate(18e6), count: count),
                record(WaitingSubject.coroutine20, .memory, estimate(stackless), count: count),
            ]
        }
        for (name, share) in [(WaitingSubject.coroutine20, stackless / (goroutine ?? 2000)), ("task", 0.7)] {
            records.append(
                .ratio(
                    suite: "gateway", case: name, baseline: "goroutine", estimate: estimate(share),
                    parameters: [.count: count]))
        }
        return Gateway().verdict(on: records + further)
    }

    /// A record of 2.3 million.
    private func many(_ metric: Metric, _ value: Double, samples: Int = 1) -> Record {
        let estimate = Estimate(median: value, low: value, high: value, samples: samples)
        return record("goroutine", metric, estimate, count: 2_300_000)
    }

    @Test func whatFewerTakeDecidesAndIsSaidToBeOfFewer() {
        let verdict = verdict(2100)
        // The pause beside 2.3 million is open.
        #expect(verdict.verdict == .notMeasurable)
        #expect(
            verdict.reason.hasPrefix(
                "holds: 2.3 million goroutines would take 4.50 GiB, from 100,000; 100,000 take 200 MiB; "
                    + "100,000 coroutines of C++20 take 38.1 MiB; "))
        #expect(
            verdict.reason.contains("undecided: a collection pauses 18.0 ms beside 100,000, not beside 2.3 million"))
        #expect(verdict.reason.hasSuffix("; a task takes 0.7 [0.69, 0.71; n = 3] of a goroutine"))
        let all = self.verdict(2100, further: [record(Gateway.record, .pause, estimate(1e6))])
        for figure in all.claimed { #expect(all.measured.contains { $0.name == figure.name }) }
        #expect(self.verdict(2100, count: 20_000).reason.contains("100,000 would take 200 MiB, from 20,000"))
        #expect(self.verdict(2100, further: [many(.pause, 18e6, samples: 7)]).verdict == .confirmed)
    }

    @Test func oneThatIsFarOffRefutesItAndIsNamed() {
        #expect(verdict(2700).verdict == .refuted)
        #expect(verdict(2100, stackless: 800).reason.contains("does not hold: 100,000 coroutines of C++20 take"))
        #expect(verdict(2100, stackless: 800).verdict == .refuted)
        #expect(verdict(2100, further: [many(.pause, 1e5, samples: 7)]).verdict == .refuted)
    }

    @Test func thePauseBesideConnectionsWithoutGoroutinesIsPartOfIt() {
        func pause(_ value: Double, _ samples: Int) -> Record {
            let estimate = Estimate(median: value, low: value, high: value, samples: samples)
            return record(Gateway.record, .pause, estimate, count: 2_300_000)
        }
        let confirming = [many(.pause, 18e6, samples: 7)]
        #expect(verdict(2100, further: confirming + [pause(1e6, 7)]).verdict == .confirmed)
        let refuted = verdict(2100, further: confirming + [pause(9e6, 7)])
        #expect(refuted.verdict == .refuted)
        #expect(
            refuted.reason.contains(
                "does not hold: a collection pauses 9.00 ms beside 2,300,000 connections without goroutines"))
        #expect(refuted.measured.contains { $0.name == Figure.pauseBesideRecords.name && $0.median == 9e6 })
        #expect(verdict(2100, further: confirming + [pause(9e6, 1)]).verdict == .notMeasurable)
    }

    @Test func whatWasMeasuredOnceIsShownAndDecidesNothing() {
        let verdict = verdict(2100, further: [many(.memory, 9000), many(.pause, 1e5)])
        #expect(verdict.verdict == .notMeasurable)
        #expect(verdict.reason.contains("undecided: a collection pauses 100 µs beside 2,300,000, measured once"))
        let shown = verdict.measured.first { $0.name == Figure.memory(of: 2_300_000).name }
        #expect(shown?.median == 9000 * 2.3e6 && shown?.samples == 1)
    }

    @Test func aroundABoundItIsNotMeasurable() { #expect(verdict(2087 * 1.2).verdict == .notMeasurable) }

    @Test func withoutGoroutinesItIsNotMeasurable() { #expect(verdict(nil).verdict == .notMeasurable) }
}
