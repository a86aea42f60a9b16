import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("stack-dump") struct StackDumpTests {
    private func estimate(_ value: Double) -> Estimate {
        Estimate(median: value, low: value * 0.95, high: value * 1.05, samples: 9)
    }

    private func records(_ peer: String = "go1.27.3", machine: Int? = 64, _ times: Double...) -> [Record] {
        zip([1, 8, 64], times).flatMap { processors, time in
            var shared: [ParameterName: ParameterValue] = [.peer: .string(peer), .gomaxprocs: .int(processors)]
            shared[.processors] = machine.map { .int($0) }
            let own = Record(
                suite: "stack-dump", case: "runtime.Stack", metric: .time, estimate: estimate(time), parameters: shared)
            return processors == 1
                ? [own]
                : [
                    own,
                    .ratio(
                        suite: "stack-dump", case: "runtime.Stack", baseline: "runtime.Stack",
                        estimate: estimate(time / times[0]), parameters: shared),
                ]
        }
    }

    private func verdict(_ records: [Record]...) -> ClaimVerdict { StackDump().verdict(on: records.flatMap { $0 }) }

    @Test func growthAsClaimedConfirmsItOnAnyMachine() {
        #expect(verdict(records("go1.27.3", 8_000, 28_000, 126_000)).verdict == .confirmed)
    }

    @Test func aFactorOfTwoIsAnotherMachineAndMoreIsNot() {
        let verdict = verdict(records("go1.27.3", machine: 2, 1_000, 7_500, 75_000))
        #expect(verdict.verdict == .refuted)
        #expect(
            verdict.reason.hasPrefix(
                "go1.27.3: does not hold: with GOMAXPROCS 1 a call takes 1.00 µs, claimed 12.0 µs; this machine has 2"))
    }

    @Test func theClaimedRangeOfTheFirstNumberIsThatOfTheRule() {
        #expect(StackDump().claimed.first?.low == 6_000 && StackDump().claimed.first?.high == 24_000)
        #expect(verdict(records("go1.27.3", 6_500, 22_750, 102_375)).verdict == .confirmed)
        #expect(verdict(records("go1.27.3", 5_500, 19_250, 86_625)).verdict == .refuted)
    }

    @Test func lessOrMoreRefutesIt() {
        #expect(verdict(records("go1.27.3", 12_000, 42_000, 60_000)).verdict == .refuted)
        let flat = verdict(records("go1.27.3", 12_000, 12_000, 12_000))
        #expect(flat.verdict == .refuted)
        #expect(flat.reason.contains("8 processors take 1.0 [0.95, 1.05; n = 9] times as long as 1, claimed 3.5"))
    }

    @Test func anIntervalAcrossTheClaimDecidesNothing() {
        #expect(verdict(records("go1.27.3", 12_000, 42_000, 189_000 * 2 / 3.0)).verdict == .notMeasurable)
    }

    @Test func moreThanTheMachineHasDoesNotDecide() {
        let none = verdict(records("go1.27.3", machine: 2, 12_000, 90_000, 900_000))
        #expect(none.verdict == .notMeasurable)
        #expect(
            none.reason == "go1.27.3: holds: with GOMAXPROCS 1 a call takes 12.0 µs, claimed 12.0 µs; this machine has "
                + "2 processors, so that what GOMAXPROCS beyond it does, does not decide: 8 take 7.5 [7.13, 7.88; "
                + "n = 9] times as long as 1, 64 take 75.0 [71.25, 78.75; n = 9] times as long as 1")
        #expect(none.measured.count == 5)
        // Of 8 it can be refuted, but of 64 not be confirmed.
        #expect(verdict(records("go1.27.3", machine: 8, 12_000, 90_000, 900_000)).verdict == .refuted)
        let half = verdict(records("go1.27.3", machine: 8, 12_000, 42_000, 900_000))
        #expect(half.verdict == .notMeasurable)
        #expect(half.reason.contains("; 8 processors take 3.5"))
        #expect(
            verdict(records("go1.27.3", machine: nil, 12_000, 42_000, 189_000)).reason.contains(
                "how many processors the machine has is not recorded"))
    }

    @Test func theNewestGoDecides() {
        #expect(
            verdict(records("go1.19.8", 1, 1, 1), records("go1.27.3", 12_000, 42_000, 189_000)).verdict == .confirmed)
    }

    @Test func withoutGoItIsNotMeasurable() {
        #expect(StackDump().verdict(on: [], missing: ["Go"]).reason == "missing: Go")
    }
}
