import Experiments
import Faultline
import Measurement
import Report
import Testing
import Workloads

@testable import Claims

@Suite("hot-split") struct HotSplitTests {
    private enum Kind { case segmented, copying, other }

    private static func at(_ name: String, _ kind: Kind, _ low: Double, _ high: Double, position: String = "at")
        -> Record
    {
        .ratio(
            suite: "hot-split", case: "\(name) \(position)", baseline: "\(name) above",
            estimate: Estimate(median: (low + high) / 2, low: low, high: high, samples: 31),
            parameters: [
                .position: .string(position), .segmented: .bool(kind == .segmented),
                .copying: .bool(kind == .copying),
            ])
    }

    private func verdict(_ records: Record...) -> ClaimVerdict { HotSplit().verdict(on: records) }

    @Test func slowSegmentsAndFastCopiesConfirmIt() {
        let verdict = verdict(
            Self.at("check-segment", .segmented, 900, 1000), Self.at("libgcc", .segmented, 200, 300),
            Self.at("check-move", .copying, 0.9, 1.1), Self.at("go1.19", .copying, 1, 1.2))
        #expect(verdict.verdict == .confirmed)
        // The mildest split and the worst copy decide.
        #expect(verdict.measured.map(\.median) == [250, 1.1])
        #expect(verdict.reason.contains("libgcc at the boundary 250.0 [200.0, 300.0; n = 31]"))
    }

    @Test func segmentsThatAreNotSlowRefuteIt() {
        #expect(
            verdict(Self.at("a", .segmented, 0.9, 1.1), Self.at("b", .copying, 0.9, 1.1)).verdict == .refuted)
    }

    @Test func copyingThatCuresNothingRefutesIt() {
        let verdict = verdict(
            Self.at("a", .segmented, 900, 1000), Self.at("b", .copying, 0.9, 1.1), Self.at("c", .copying, 5, 6))
        #expect(verdict.verdict == .refuted)
    }

    @Test func oneSlowKindOfSegmentsIsADependence() {
        let verdict = verdict(
            Self.at("a", .segmented, 900, 1000), Self.at("b", .segmented, 1, 1.1), Self.at("c", .copying, 0.9, 1.1))
        #expect(verdict.verdict == .depends)
        #expect(
            verdict.reason.hasPrefix("it depends on the segments: at least 2.0 times with some, less with others: a"))
    }

    @Test(arguments: [(1.5, 2.5, 0.9, 1.1), (900, 1000, 1.5, 2.5)])
    func anIntervalAroundTheLimitNeedsMoreRounds(_ low: Double, _ high: Double, _ lowest: Double, _ highest: Double) {
        let verdict = verdict(Self.at("a", .segmented, low, high), Self.at("b", .copying, lowest, highest))
        #expect(verdict.verdict == .notMeasurable)
        #expect(verdict.reason.hasPrefix("an interval contains 2"))
    }

    @Test func otherStrategiesAndPositionsDecideNothing() {
        let verdict = verdict(
            Self.at("a", .segmented, 900, 1000), Self.at("b", .copying, 0.9, 1.1), Self.at("fault", .other, 50, 60),
            Self.at("a", .segmented, 0.9, 1.1, position: "below"), Self.at("b", .copying, 50, 60, position: "below"))
        #expect(verdict.verdict == .confirmed)
    }

    @Test func withoutSegmentsOrCopiesItIsNotMeasurable() {
        #expect(verdict(Self.at("b", .copying, 1, 1.1)).reason == "no stack of segments was measured at its boundary")
        #expect(
            verdict(Self.at("a", .segmented, 9, 10)).reason == "no stack that is copied was measured at its boundary")
        #expect(verdict().verdict == .notMeasurable)
    }
}

/// Where stacks grow, by counts.
