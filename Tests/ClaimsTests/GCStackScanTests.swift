import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("gc-stack-scan") struct GCStackScanTests {
    /// Scans of 10, 100, 1,000 and 10,000 frames, in microseconds.
    private func verdict(_ scans: Double..., width: Double = 0.1) -> ClaimVerdict {
        GCStackScan().verdict(
            on: zip(GCStackScan.depths.dropFirst(), scans).map { depth, scan in
                Record(
                    suite: "gc-stack-scan", case: "standstill", metric: .scan,
                    estimate: Estimate(
                        median: scan * 1000, low: (scan - abs(scan) * width) * 1000,
                        high: (scan + abs(scan) * width) * 1000,
                        samples: 9
                    ),
                    parameters: [.peer: "go1.27.3", .depth: .int(depth)])
            })
    }

    @Test func asLongAtEveryDepthConfirmsIt() { #expect(verdict(20, 30, 50, 80).verdict == .confirmed) }

    @Test func shorterOrLongerAtEveryDepthRefutesIt() {
        #expect(verdict(0.1, 0.2, 1, 5).verdict == .refuted)
        #expect(verdict(200, 300, 400, 500).verdict == .refuted)
    }

    @Test func lessAtSomeDepthsAndMoreAtOthersIsNowhereWhatIsClaimed() {
        let verdict = verdict(0.1, 1, 2, 473)
        #expect(verdict.verdict == .refuted)
        #expect(
            verdict.reason.hasPrefix("it takes 10 to 100 µs at none of these depths; go1.27.3: beyond a flat stack "))
        // One that may be within leaves it open.
        #expect(self.verdict(0.1, 1, 10, 473).verdict == .notMeasurable)
    }

    @Test func bothEndsAreBoundaries() {
        let verdict = verdict(0.1, 1, 20, 200)
        #expect(verdict.verdict == .depends)
        #expect(
            verdict.reason.hasPrefix(
                "it takes less up to 100 frames, 10 to 100 µs with 1000 frames, more from 10000 on; go1.27.3: beyond a")
        )
        #expect(
            self.verdict(0.1, 20, 30, 40).reason.hasPrefix(
                "it takes less up to 10 frames, 10 to 100 µs with 100 to 10000 frames; "))
        for figure in verdict.claimed { #expect(verdict.measured.contains { $0.name == figure.name }) }
    }

    @Test func whatItTakesBesideOthersIsShownAndDecidesNothing() {
        let scans = [20.0, 30, 50, 80]
        let own = zip(GCStackScan.depths.dropFirst(), scans).map { depth, scan in
            record("standstill", .scan, scan, [.depth: .int(depth)])
        }
        let beside = [(0, 5.0), (100_000, 900)].flatMap { others, time in
            [Metric.standstill, .assist].map { record(GCStackScan.beside, $0, time, [.others: .int(others)]) }
        }
        let verdict = GCStackScan().verdict(on: own + beside)
        #expect(verdict.verdict == .confirmed)
        #expect(
            verdict.reason.hasSuffix(
                "; one that allocates stands still for 5.00 µs beside 0, 900 µs beside 100,000 goroutines that wait"))
        #expect(verdict.measured.contains { $0.name == Figure.assist(beside: 100_000).name && $0.median == 900_000 })
    }

    private func record(
        _ name: String, _ metric: Metric, _ microseconds: Double, _ parameters: [ParameterName: ParameterValue]
    ) -> Record {
        let time = microseconds * 1000
        return Record(
            suite: "gc-stack-scan", case: name, metric: metric,
            estimate: Estimate(median: time, low: time * 0.9, high: time * 1.1, samples: 9),
            parameters: parameters.merging([.peer: "go1.27.3"]) { $1 })
    }

    @Test func whatIsUndecidedIsNoEnd() {
        // 10 µs with an interval around it, between less and as long.
        #expect(
            verdict(0.1, 10, 20, 200).reason.hasPrefix(
                "it takes less up to 10 frames, 10 to 100 µs with 1000 frames, more from 10000 on, undecided with 100; "
            ))
        #expect(verdict(20, 30, 40, 100).verdict == .notMeasurable)
        #expect(verdict(0.1, 20, 1, 30).verdict == .notMeasurable)
        // All around 10 µs, so that only those are decided that take more.
        #expect(verdict(10, 10, 10, 200).verdict == .notMeasurable)
        #expect(verdict(10, 10, 100, 200).verdict == .notMeasurable)
        #expect(verdict(10, 200, 10, 200).verdict == .notMeasurable)
    }

    @Test func aNegativeDifferenceIsNotToldFromZero() {
        let verdict = verdict(-3, 0, 1, 5)
        #expect(verdict.verdict == .refuted)
        #expect(
            verdict.reason.contains("10 frames take a time not told from zero, 100 frames take a time not told from"))
        #expect(!verdict.reason.contains("-"))
    }

    @Test func whatNoiseHidesIsNotMeasurable() { #expect(verdict(5, 5, 5, 9, width: 0.5).verdict == .notMeasurable) }

    @Test func withoutGoItIsNotMeasurable() { #expect(verdict().verdict == .notMeasurable) }
}
