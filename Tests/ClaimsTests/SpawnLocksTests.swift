import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("spawn-locks") struct SpawnLocksTests {
    /// Waits in microseconds, nil for none, by lock.
    private func verdict(_ waits: [String: Double?]) -> ClaimVerdict {
        SpawnLocks().verdict(
            on: waits.flatMap { lock, wait in
                let shared: [ParameterName: ParameterValue] = [.lock: .string(lock)]
                let count = SpawnLocks().record("32 KB", .waits, exactly: wait == nil ? 0 : 3, shared)
                guard let wait else { return [count] }
                return [
                    count,
                    SpawnLocks().record(
                        "32 KB", .wait,
                        Estimate(median: wait * 1000, low: wait * 900, high: wait * 1100, samples: 9), shared),
                ]
            })
    }

    @Test func aboutTheClaimedWaitsConfirmIt() {
        let verdict = verdict(["mcentral": 12, "mheap": 9, "stackpool": nil])
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.reason.hasSuffix("; waits of 1,000 goroutines: mcentral 3.0, mheap 3.0, stackpool 0.0"))
    }

    @Test func aLockThatNothingWaitsForRefutesIt() {
        let verdict = verdict(["mcentral": nil, "mheap": 9, "stackpool": 4])
        #expect(verdict.verdict == .refuted)
        #expect(verdict.reason.contains("does not hold: nothing waited for mcentral"))
    }

    @Test func muchLongerOrShorterRefutesIt() {
        #expect(verdict(["mcentral": 12, "mheap": 50]).verdict == .refuted)
        #expect(verdict(["mcentral": 1, "mheap": 9]).verdict == .refuted)
    }

    @Test func withoutAProfileItIsNotMeasurable() { #expect(verdict([:]).verdict == .notMeasurable) }
}
