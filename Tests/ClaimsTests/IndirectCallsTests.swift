import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("indirect calls and deep chains") struct IndirectCallsTests {
    private func record(
        _ part: IndirectCalls.Part, _ name: String, _ value: Double, spread: Double = 0.02,
        _ parameters: [ParameterName: ParameterValue] = [:]
    ) -> Record {
        IndirectCalls(part).record(
            name, .furtherPerCall, Estimate(median: value, low: value - spread, high: value + spread, samples: 15),
            parameters)
    }

    private func verdict(
        _ part: IndirectCalls.Part, _ value: Double, null: Double = 0, spread: Double = 0.02, _ others: [Record] = []
    ) -> ClaimVerdict {
        IndirectCalls(part).verdict(
            on: others + [
                record(part, IndirectCalls.mean, null, [.nullControl: true]),
                record(part, IndirectCalls.mean, value, spread: spread),
            ])
    }

    @Test(arguments: IndirectCalls.Part.allCases) func `more confirms it, less refutes it`(part: IndirectCalls.Part) {
        let confirmed = verdict(part, 0.25)
        #expect(confirmed.verdict == .confirmed)
        #expect(confirmed.measured.map(\.median) == [0.25, 0])
        #expect(confirmed.measured.first?.name == confirmed.claimed.first?.name)
        let refuted = verdict(part, -0.25)
        #expect(refuted.verdict == .refuted)
        #expect(
            refuted.reason.hasSuffix("-0.25 [-0.27, -0.23; n = 15] ns (the null control 0.0 [-0.02, 0.02; n = 15])"))
    }

    @Test(arguments: IndirectCalls.Part.allCases) func `what its null control shows as well is no difference`(
        part: IndirectCalls.Part
    ) {
        #expect(verdict(part, 0.25, null: 0.24).verdict == .notDistinguishable)
        #expect(verdict(part, 0.25, spread: 0.3).verdict == .notDistinguishable)
    }

    @Test func `single kinds are figures and decide nothing`() {
        let kind = record(.indirectCalls, "interface", -3, [.depth: 1_000])
        let inC = record(.indirectCalls, "pointer", -3, [.depth: 10])
        let cost = IndirectCalls(.indirectCalls).record(
            "closure", .checksPerCall, Estimate(median: 0.4, low: 0.3, high: 0.5, samples: 15), [.depth: 10])
        let verdict = verdict(.indirectCalls, 0.25, [kind, inC, cost])
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.measured.map(\.median) == [0.25, 0, -3, -3, 0.4])
        #expect(
            verdict.measured[2].name == "what checks cost a call by an interface, chains of 1,000, beyond one by name")
        #expect(verdict.measured[4].name == "what checks cost a call by a closure, chains of 10")
        let deep = record(.deepChains, IndirectCalls.deepChains, 1, [.kind: "name"])
        #expect(
            self.verdict(.deepChains, 0.25, [deep]).measured[2].name
                == "what checks cost a call by name in C, in a chain of 1,000, beyond one of 10")
    }

    @Test(arguments: IndirectCalls.Part.allCases) func `the mean and its null control are needed`(
        part: IndirectCalls.Part
    ) {
        let mean = record(part, IndirectCalls.mean, 0.2)
        #expect(IndirectCalls(part).verdict(on: [mean]).reason.hasPrefix("no null control of what checks cost"))
        let null = record(part, IndirectCalls.mean, 0, [.nullControl: true])
        #expect(IndirectCalls(part).verdict(on: [null]).reason.hasPrefix("no record of what checks cost"))
    }
}
