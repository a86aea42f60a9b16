import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("stack-allocator") struct StackAllocatorTests {
    private func verdict(
        before: Double = 0.31, since: Double = 0.09, files: Double? = 2, isPaired: Bool = true
    ) -> ClaimVerdict {
        var records = [("go1.22.10", before), ("go1.23.9", since)].map { peer, share in
            Record.ratio(
                suite: "stack-allocator", case: "waste", baseline: StackAllocator.held,
                estimate: Estimate(median: share, low: share * 0.98, high: share * 1.02, samples: 9),
                parameters: [.peer: .string(peer)])
        }
        if isPaired {
            records.append(
                .ratio(
                    suite: "stack-allocator", case: "waste", baseline: "waste",
                    estimate: Estimate(
                        median: since / before, low: since / before * 0.98, high: since / before * 1.02, samples: 9),
                    parameters: [.peer: "go1.23.9", .baselinePeer: "go1.22.10"]))
        }
        if let files {
            records.append(
                Record(
                    suite: "stack-allocator", case: "StackAllocator", metric: .filesOfRuntime, exactly: files,
                    parameters: [.peer: "go1.23.9"]))
        }
        return StackAllocator().verdict(on: records)
    }

    @Test func anInterfaceAndLessWasteConfirmIt() {
        let verdict = verdict()
        #expect(verdict.verdict == .confirmed)
        for figure in verdict.claimed { #expect(verdict.measured.contains { $0.name == figure.name }) }
        #expect(self.verdict(before: 0.62, since: 0.18).verdict == .confirmed)
    }

    @Test func mediansOfEachVersionAreNoComparison() {
        let verdict = verdict(isPaired: false)
        #expect(verdict.verdict == .notMeasurable)
        #expect(
            verdict.reason.hasSuffix(
                "undecided: waste goes from 31 % [30.4, 31.6; n = 9] to 9 % [8.8, 9.2; n = 9], "
                    + "not compared round by round"))
        #expect(self.verdict(files: 0, isPaired: false).verdict == .refuted)
    }

    @Test func noInterfaceRefutesIt() {
        let verdict = verdict(files: 0)
        #expect(verdict.verdict == .refuted)
        #expect(verdict.reason.contains("does not hold: 0 files of Go 1.23's runtime name a StackAllocator"))
    }

    @Test func asMuchWasteAsBeforeRefutesIt() { #expect(verdict(since: 0.31).verdict == .refuted) }

    @Test func withoutBothVersionsItIsNotMeasurable() {
        #expect(verdict(files: nil).verdict == .notMeasurable)
        #expect(StackAllocator().verdict(on: [], missing: ["Go 1.22"]).reason == "missing: Go 1.22")
    }
}
