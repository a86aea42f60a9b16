import Testing

@testable import Faultline

@Suite struct SyntheticFaultsTests {
    private struct Counting: RandomNumberGenerator {
        var state: UInt64

        // Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    /// What the classifier cannot know, as fault_classify.c says.
    private static let otherwise: [SyntheticFault.Cause: String] = [
        .nonCanonicalBranch: "foreign", .nonCanonicalUnread: "ambiguous", .nonCanonicalNearGuard: "ambiguous",
        .lostFrameAtWildOperand: "ambiguous",
    ]

    @Test func eachCauseGetsTheVerdictThatIsDueOrTheDocumentedOther() {
        var faults = SyntheticFaults(random: Counting(state: 3))
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
        var first = SyntheticFaults(random: Counting(state: 9))
        var second = SyntheticFaults(random: Counting(state: 9))
        for _ in 0..<1_000 {
            let (one, other) = (first.next(), second.next())
            #expect(one.cause == other.cause && one.classified() == other.classified())
        }
    }
}
