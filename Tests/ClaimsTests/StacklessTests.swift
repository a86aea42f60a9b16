import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("stackless") struct StacklessTests {
    private func ratio(_ value: Double, _ parameters: [ParameterName: ParameterValue]) -> Record {
        .ratio(
            suite: "stackless", case: "task", baseline: "coroutine",
            estimate: Estimate(median: value, low: value * 0.99, high: value * 1.01, samples: 7), parameters: parameters
        )
    }

    private func verdict(_ large: Double, _ small: Double, further: [Record] = []) -> ClaimVerdict {
        Stackless().verdict(
            on: [
                ratio(large, [.of: "memory", .depth: 8, .slot: 8_388_608]),
                ratio(small, [.of: "memory", .depth: 8, .slot: 65_536]),
            ] + further)
    }

    @Test func fourFifthsLessInEachSlotConfirmsIt() { #expect(verdict(0.15, 0.2).verdict == .confirmed) }

    @Test func lessInNoSlotRefutesIt() {
        let verdict = verdict(0.29, 0.53)
        #expect(verdict.verdict == .refuted)
        #expect(verdict.measured.first?.median == 0.53)
        #expect(verdict.reason.hasPrefix("71 % less than a coroutine in a slot of 8MiB; 47 % less"))
    }

    @Test func oneSlotOfTwoMakesItDepend() { #expect(verdict(0.15, 0.53).verdict == .depends) }

    @Test func timesAndTheGrowthOfTasksAreNamed() {
        func memory(_ depth: Int, _ bytes: Double) -> Record {
            Record(
                suite: "stackless", case: "task", metric: .memory, exactly: bytes,
                parameters: [.depth: .int(depth)])
        }
        let verdict = verdict(
            0.29, 0.53, further: [ratio(5, [.of: "spawn"]), memory(8, 2000), memory(10_000, 2000 + 100 * 9_992)])
        #expect(verdict.reason.contains("spawn takes a task 5.0 times as long"))
        #expect(verdict.reason.contains("by 100 bytes a frame"))
    }

    @Test func withoutMemoryItIsNotMeasurable() {
        #expect(Stackless().verdict(on: [ratio(5, [.of: "spawn"])]).verdict == .notMeasurable)
    }
}
