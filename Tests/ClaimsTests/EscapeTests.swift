import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("escape") struct EscapeTests {
    private func verdict(_ bytes: [(peer: String, name: String, bytes: Double)]) -> ClaimVerdict {
        Escape().verdict(
            on: bytes.map {
                Record(
                    suite: "escape", case: $0.name, metric: .heapBytes, exactly: $0.bytes,
                    parameters: [.peer: .string($0.peer)])
            })
    }

    @Test func noHeapInAnyVersionConfirmsIt() {
        #expect(verdict([("go1.19.8", "started", 0), ("go1.27.3", "started", 0)]).verdict == .confirmed)
    }

    @Test func heapInOneVersionRefutesIt() {
        let verdict = verdict([("go1.19.8", "started", 24), ("go1.27.3", "started", 32), ("go1.27.3", "called", 0)])
        #expect(verdict.verdict == .refuted)
        #expect(verdict.measured.map(\.median) == [32, 0, 24])
        #expect(verdict.reason == "heap for the closure of a goroutine: go1.19.8 24 B, go1.27.3 32 B")
        #expect(self.verdict([("go1.19.8", "started", 24), ("go1.27.3", "started", 0)]).verdict == .refuted)
    }

    @Test func withoutGoItIsNotMeasurable() { #expect(verdict([("go1.27.3", "called", 0)]).verdict == .notMeasurable) }
}
