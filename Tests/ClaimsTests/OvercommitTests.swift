import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("overcommit") struct OvercommitTests {
    private static let gib = 1_073_741_824.0

    private func record(
        _ name: String, _ metric: Metric, _ value: Double, _ parameters: [ParameterName: ParameterValue]
    ) -> Record {
        Overcommit().record(name, metric, exactly: value, parameters)
    }

    /// A stack in mode 2; without a charge it was refused.
    private func strict(_ kind: String, charged: Double?, simulated: Bool = false) -> [Record] {
        let shared: [ParameterName: ParameterValue] = [
            .guard: .string(kind), .mode: 2, .simulated: .bool(simulated),
        ]
        guard let charged else { return [record("fault", .stacks, 0, shared)] }
        return [
            record("fault", .stacks, 1, shared), record("fault", .reserved, Self.gib, shared),
            record("fault", .charged, charged, shared),
        ]
    }

    private func verdict(_ records: [Record]...) -> ClaimVerdict {
        Overcommit().verdict(on: records.flatMap { $0 })
    }

    @Test func refusedOrChargedInFullConfirmsIt() {
        #expect(verdict(strict("guard-pages", charged: Self.gib)).verdict == .confirmed)
        #expect(verdict(strict("guard-pages", charged: nil)).verdict == .confirmed)
    }

    @Test func chargedForItsUseAloneRefutesIt() {
        #expect(verdict(strict("prot-none", charged: 65_536)).verdict == .refuted)
    }

    @Test func itDependsOnTheGuardWhereTheyDiffer() {
        let verdict = verdict(strict("guard-pages", charged: nil), strict("prot-none", charged: 65_536))
        #expect(verdict.verdict == .depends)
        #expect(
            verdict.reason
                == "it depends on the guard: in mode 2 1 of 2 are refused or charged in full (fault with guard-pages)")
    }

    @Test func endsAtExhaustionAreNamed() {
        let ends = [("fault", 0.0), ("demand", 1)].map {
            record($0, .deathsAtExhaustion, $1, [.limit: "control group"])
        }
        let verdict = verdict(strict("prot-none", charged: 65_536, simulated: true), ends)
        #expect(verdict.reason.hasSuffix("at the limit of control group 1 of 2 strategies end the process"))
        #expect(verdict.reason.hasPrefix("in mode 2, worked out, 0 of 1"))
    }

    @Test func withoutModeTwoItIsNotMeasurable() {
        let lenient = [record("fault", .stacks, 1, [.guard: "prot-none", .mode: 0])]
        #expect(verdict(lenient).verdict == .notMeasurable)
    }
}
