import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("spawn locks") struct SpawnLockTests {
    /// What happened at the lock of `owner` in storms: waits of 1,000 goroutines, and microseconds of one, nil for
    /// none.
    private func verdict(
        _ owner: SpawnLock.Owner, _ storms: [(name: String, waits: Double, microseconds: Double?)]
    ) -> ClaimVerdict {
        let claim = SpawnLock(owner)
        let shared: [ParameterName: ParameterValue] = [.lock: .string(owner.rawValue)]
        return claim.verdict(
            on: storms.flatMap { name, waits, microseconds in
                [claim.record(name, .waits, exactly: waits, shared)]
                    + (microseconds.map { wait in
                        let estimate = Estimate(median: wait * 1000, low: wait * 900, high: wait * 1100, samples: 9)
                        return [claim.record(name, .wait, estimate, shared)]
                    } ?? [])
            })
    }

    @Test func `about the claimed wait confirms it`() {
        #expect(verdict(.mcentral, [("2 KB", 3, 12)]).verdict == .confirmed)
        let verdict = verdict(.mheap, [("128 KB", 3, 9)])
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.measured.map(\.median) == [9_000, 3])
    }

    @Test func `much longer or shorter refutes it`() {
        #expect(verdict(.mheap, [("128 KB", 3, 50)]).verdict == .refuted)
        #expect(verdict(.mcentral, [("2 KB", 3, 1)]).verdict == .refuted)
    }

    @Test(arguments: SpawnLock.Owner.allCases) func `a lock that nothing waits for refutes it`(owner: SpawnLock.Owner) {
        let verdict = verdict(owner, [(owner.storm, 0, nil)])
        #expect(verdict.verdict == .refuted)
        #expect(verdict.reason.hasSuffix("nothing waited for \(owner.rawValue)"))
    }

    @Test func `one storm decides, whatever happens in others`() {
        let verdict = verdict(.mheap, [("2 KB", 40, 100), ("32 KB", 90, 100), ("128 KB", 1, 9)])
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.measured.map(\.median) == [9_000, 1])
        #expect(self.verdict(.mcentral, [("128 KB", 3, 12)]).verdict == .notMeasurable)
    }

    @Test func `the claimed range is that of the rule`() {
        #expect(SpawnLock(.mheap).claimed.map(\.low) == [4_600] && SpawnLock(.mheap).claimed.map(\.high) == [18_400])
        #expect(verdict(.mheap, [("128 KB", 3, 5.2)]).verdict == .confirmed)
        #expect(verdict(.mheap, [("128 KB", 3, 4)]).verdict == .refuted)
    }

    @Test func `around a bound nothing is decided`() {
        #expect(verdict(.mheap, [("128 KB", 3, 18)]).verdict == .notMeasurable)
    }

    @Test func `waits without a duration, or no profile, decide nothing`() {
        #expect(verdict(.mheap, [("128 KB", 3, nil)]).verdict == .notMeasurable)
        #expect(verdict(.mcentral, []).verdict == .notMeasurable)
    }
}
