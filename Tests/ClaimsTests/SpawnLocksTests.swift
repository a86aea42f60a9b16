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
        #expect(
            verdict.reason.hasSuffix(
                "; waits of 1,000 goroutines in the worst storm of each lock: mcentral 3.0 (32 KB), "
                    + "mheap 3.0 (32 KB), stackpool 0.0"))
    }

    /// How many waited and how long one did are of one storm: the one whose goroutines waited longest in all, not the
    /// one with the longest wait or the one with the most waits.
    @Test func countsAndDurationsAreOfOneStorm() {
        let storms: [(name: String, waits: Double, microseconds: Double?)] = [
            ("2 KB", 40, 1), ("32 KB", 10, 9), ("128 KB", 1, 50), ("none", 0, nil),
        ]
        let records = storms.flatMap { name, waits, microseconds in
            let shared: [ParameterName: ParameterValue] = [.lock: "mheap"]
            return [SpawnLocks().record(name, .waits, exactly: waits, shared)]
                + (microseconds.map { wait in
                    [
                        SpawnLocks().record(
                            name, .wait,
                            Estimate(median: wait * 1000, low: wait * 900, high: wait * 1100, samples: 9), shared)
                    ]
                } ?? [])
        }
        let verdict = SpawnLocks().verdict(on: records)
        func median(_ figure: Figure) -> Double? { verdict.measured.first { $0.name == figure.name }?.median }
        #expect(median(.waits("mheap")) == 10 && median(.wait("mheap")) == 9_000)
        #expect(verdict.reason.contains("a wait for mheap takes 9.00 µs [8.10, 9.90] (32 KB)"))
        #expect(verdict.reason.contains("(32 KB)") && !verdict.reason.contains("(128 KB)"))
        #expect(median(.waits("mcentral")) == 0 && median(.wait("mcentral")) == nil)
    }

    @Test func aStormWithoutADurationIsNotTheWorst() {
        let lonely = SpawnLocks().record("2 KB", .waits, exactly: 40, [.lock: "mheap"])
        let verdict = SpawnLocks().verdict(on: [lonely])
        #expect(verdict.verdict == .refuted && verdict.reason.contains("nothing waited for mheap"))
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
