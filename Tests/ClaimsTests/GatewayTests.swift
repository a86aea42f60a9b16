import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("gateway") struct GatewayTests {
    /// A number, the case and the metric of its record, how many wait, and what would be claimed of one of them.
    private struct Subject {
        let number: Gateway.Number
        let name: String
        let metric: Metric
        let count: Int
        let claimed: Double
    }

    private static let subjects = [
        Subject(
            number: .memory, name: WaitingSubject.goroutine, metric: .memory, count: 2_300_000,
            claimed: 4.8e9 / 2_300_000),
        Subject(
            number: .stackless, name: WaitingSubject.coroutine20, metric: .memory, count: 2_300_000,
            claimed: 1.1e9 / 2_300_000),
        Subject(
            number: .pause, name: WaitingSubject.goroutine, metric: .pause, count: 2_300_000, claimed: 18e6),
        Subject(
            number: .pauseStackless, name: Gateway.record, metric: .pause, count: 2_300_000, claimed: 2.3e6),
        Subject(
            number: .idle, name: WaitingSubject.goroutine, metric: .memory, count: 100_000, claimed: 2_100),
        Subject(
            number: .idleStackless, name: WaitingSubject.coroutine20, metric: .memory, count: 100_000, claimed: 420),
    ]

    private func verdict(
        _ subject: Subject, _ value: Double, count: Int? = nil, spread: Double = 0.02, samples: Int = 3
    ) -> ClaimVerdict {
        let claim = Gateway(subject.number)
        return claim.verdict(
            on: [
                claim.record(
                    subject.name, subject.metric,
                    Estimate(median: value, low: value * (1 - spread), high: value * (1 + spread), samples: samples),
                    [.count: .int(count ?? subject.count), .peer: "go1.27.3"])
            ])
    }

    @Test(arguments: subjects.indices) func `what is claimed confirms it, thrice or a third refutes it`(index: Int) {
        let subject = Self.subjects[index]
        let confirmed = verdict(subject, subject.claimed)
        #expect(confirmed.verdict == .confirmed)
        #expect(confirmed.measured.map(\.name) == confirmed.claimed.map(\.name))
        #expect(verdict(subject, 3 * subject.claimed).verdict == .refuted)
        #expect(verdict(subject, subject.claimed / 3).verdict == .refuted)
    }

    @Test(arguments: subjects.indices) func `around a bound, of other numbers, or once, nothing is decided`(index: Int)
    {
        let subject = Self.subjects[index]
        let bound = subject.metric.name == Metric.pause.name ? 2 : 1.1
        #expect(verdict(subject, bound * subject.claimed).verdict == .notMeasurable)
        let least = subject.metric.name == Metric.pause.name ? 0.5 : 0.9
        #expect(verdict(subject, least * subject.claimed).verdict == .notMeasurable)
        #expect(verdict(subject, subject.claimed, count: 20_000).verdict == .notMeasurable)
        #expect(verdict(subject, subject.claimed, samples: 1).verdict == .notMeasurable)
    }

    @Test func `memory is that of all together, and others stand beside it`() {
        let claim = Gateway(.idle)
        let goroutine = claim.record(
            WaitingSubject.goroutine, .memory, Estimate(median: 2000, low: 1990, high: 2010, samples: 7),
            [.count: 100_000])
        let shares = [(WaitingSubject.coroutine20, 0.3), ("task", 0.5)].map { name, share in
            claim.ratio(name, to: "goroutine", Estimate(exactly: share), [.count: 100_000])
        }
        let verdict = claim.verdict(on: [goroutine] + shares)
        #expect(verdict.measured.map(\.median) == [2e8, 0.3, 0.5])
        #expect(verdict.measured[1].name == Figure.shareOfConnections.name)
        #expect(
            verdict.reason.hasPrefix("memory of 100,000 goroutines that wait: 191 MiB [190, 192], n = 7, claimed "))
    }

    @Test(arguments: Gateway.Number.allCases) func `without them it is not measurable`(number: Gateway.Number) {
        #expect(Gateway(number).verdict(on: []).verdict == .notMeasurable)
    }
}
