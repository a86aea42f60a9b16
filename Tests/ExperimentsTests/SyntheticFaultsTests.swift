import Experiments
import Faultline
import Testing

@Suite struct SyntheticFaultsTests {
    /// What the classifier cannot know, as fault_classify.c says.
    private static let otherwise: [SyntheticFault.Cause: String] = [
        .nonCanonicalBranch: "foreign", .nonCanonicalUnread: "ambiguous", .nonCanonicalNearGuard: "ambiguous",
        .lostFrameAtWildOperand: "ambiguous",
    ]

    @Test func eachCauseGetsTheVerdictThatIsDueOrTheDocumentedOther() {
        var faults = SyntheticFaults(seed: 3)
        var seen: [SyntheticFault.Cause: Int] = [:]
        for _ in 0..<200_000 {
            let fault = faults.next()
            seen[fault.cause, default: 0] += 1
            #expect(FaultStatistics.verdicts.contains(fault.due))
            let expected = Self.otherwise[fault.cause] ?? fault.due
            let verdict = FaultStatistics.verdicts[fault.classified()]
            if verdict != expected { Issue.record("\(fault.cause.rawValue): \(verdict), not \(expected)") }
        }
        for cause in SyntheticFault.Cause.allCases { #expect(seen[cause, default: 0] > 5_000, "\(cause)") }
    }

    @Test func theSameNumbersGiveTheSameFaults() {
        var first = SyntheticFaults(seed: 9)
        var second = SyntheticFaults(seed: 9)
        for _ in 0..<1_000 {
            let (one, other) = (first.next(), second.next())
            #expect(one.cause == other.cause && one.classified() == other.classified())
        }
    }
}
