import CPeers
import Measurement
import Report
import TestNeeds
import Testing

@testable import Claims

@Suite("trap-cost") struct TrapCostTests {
    private static func crossings(_ kind: String, _ count: Double) -> Record {
        Record(suite: "trap-cost", case: kind, metric: "crossings", unit: .count, exactly: count)
    }

    private static func time(_ kind: String, isTrap: Bool = true) -> Record {
        Record(
            suite: "trap-cost", case: kind, metric: "time", unit: .nanoseconds, exactly: 5000,
            parameters: ["trap": .bool(isTrap)])
    }

    private static func ratio(_ kind: String, _ low: Double, _ high: Double, fresh: Bool = false) -> Record {
        .ratio(
            suite: "trap-cost", case: kind, baseline: "newstack go1.19",
            estimate: Estimate(median: (low + high) / 2, low: low, high: high, samples: 31),
            parameters: ["peer": "go1.19", "fresh-memory": .bool(fresh)])
    }

    private func verdict(_ records: [Record]) -> ClaimVerdict { TrapCost().verdict(on: records) }

    @Test func manyCrossingsAndSlowerThanGoConfirmIt() {
        let verdict = verdict([
            Self.crossings("a", 6), Self.time("a"), Self.ratio("a", 8, 9), Self.crossings("b", 10), Self.time("b"),
            Self.ratio("b", 12, 14),
        ])
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.measured.map(\.median) == [6, 8.5, 13])
        #expect(verdict.reason.contains("6 crossings at least (a)"))
        #expect(verdict.reason.contains("b takes 13.0 [12.0, 14.0] times as long as go1.19's growth"))
    }

    @Test func fourCrossingsAreEnough() {
        #expect(verdict([Self.crossings("a", 4), Self.time("a"), Self.ratio("a", 2, 3)]).verdict == .confirmed)
    }

    @Test func fewCrossingsAndFasterThanGoRefuteIt() {
        #expect(verdict([Self.crossings("a", 2), Self.time("a"), Self.ratio("a", 0.4, 0.5)]).verdict == .refuted)
    }

    @Test func oneHalfOfTheClaimIsADependence() {
        let many = verdict([Self.crossings("a", 6), Self.time("a"), Self.ratio("a", 0.4, 0.5)])
        #expect(many.verdict == .depends)
        #expect(many.reason.contains("which agrees"))
        let few = verdict([Self.crossings("a", 2), Self.time("a"), Self.ratio("a", 8, 9)])
        #expect(few.verdict == .depends)
        #expect(few.reason.contains("which disagrees"))
    }

    @Test func someKindsFasterThanGoAreADependence() {
        let records = [
            Self.crossings("a", 6), Self.time("a"), Self.ratio("a", 0.4, 0.5), Self.crossings("b", 6), Self.time("b"),
            Self.ratio("b", 8, 9),
        ]
        #expect(verdict(records).verdict == .depends)
    }

    @Test func anIntervalAroundOneIsADependence() {
        #expect(verdict([Self.crossings("a", 6), Self.time("a"), Self.ratio("a", 0.9, 1.2)]).verdict == .depends)
    }

    @Test func checksAndFreshMemoryDecideNothing() {
        let records = [
            Self.crossings("a", 6), Self.time("a"), Self.ratio("a", 8, 9), Self.ratio("a", 0.4, 0.5, fresh: true),
            Self.crossings("check", 2), Self.time("check", isTrap: false), Self.ratio("check", 0.4, 0.5),
        ]
        #expect(verdict(records).verdict == .confirmed)
    }

    @Test func withoutCountsTimesOrGoItIsNotMeasurable() {
        #expect(verdict([]).reason == "no growth by a trap was timed")
        #expect(verdict([Self.time("a"), Self.ratio("a", 8, 9)]).reason == "no crossings were counted")
        #expect(verdict([Self.time("a"), Self.crossings("a", 6)]).reason == "no growth was measured beside Go's")
        #expect(verdict([Self.time("a"), Self.crossings("a", 6)]).verdict == .notMeasurable)
    }
}

@Suite("Growth traces") struct GrowthTraceTests {
    private func event(_ kind: fl_trace_kind, _ number: UInt64 = 0, code: Int32 = 0, faults: UInt64 = 0)
        -> fl_trace_event
    {
        fl_trace_event(kind: kind, code: code, number: number, minor_faults: faults)
    }

    @Test func occasionsAreToldApart() throws {
        let trace = try GrowthTrace([
            event(.FL_TRACE_SIGNAL, 11, code: 1), event(.FL_TRACE_CALL, 28), event(.FL_TRACE_RETURN, 28),
            event(.FL_TRACE_LEAVE, 15), event(.FL_TRACE_RETURN, 15), event(.FL_TRACE_END, faults: 1),
        ])
        #expect(trace.fault == 1 && trace.delivery == 1)
        #expect(trace.systemCalls == 2 && trace.calls == [28])
        #expect(trace.signalReturn == 2)
        #expect(trace.demandFaults == 2)
        #expect(trace.crossings == 6)
    }

    @Test func foreignSignalsSpoilATrace() {
        let end = event(.FL_TRACE_END)
        #expect(throws: MeasurementFailure.self) { try GrowthTrace([event(.FL_TRACE_SIGNAL, 14), end]) }
        // kill(2) and raise(3) have codes of 0 and below.
        #expect(throws: MeasurementFailure.self) { try GrowthTrace([event(.FL_TRACE_SIGNAL, 11, code: -6), end]) }
    }

    @Test func aTraceWithoutEndIsNone() {
        #expect(throws: MeasurementFailure.self) { try GrowthTrace([]) }
        #expect(throws: MeasurementFailure.self) { try GrowthTrace([event(.FL_TRACE_CALL, 28)]) }
    }
}

/// The growths themselves, without a look at their times.
@Suite("Growth kinds", .serialized) struct GrowthKindTests {
    @Test func namesAreUnique() {
        #expect(Set(GrowthKind.all.map(\.name)).count == GrowthKind.all.count)
        for kind in GrowthKind.all { #expect(GrowthKind.named(kind.name)?.name == kind.name) }
    }

    @Test(arguments: GrowthKind.all.map(\.name)) func everyKindGrowsOnceInEachManner(_ name: String) throws {
        let kind = try #require(GrowthKind.named(name))
        // Pages without access, copying and demand paging need nothing of the kernel.
        try Need.check(
            guard: kind.configuration.guardKind?.rawValue ?? "", mover: kind.configuration.mover?.rawValue)
        #expect(try kind.isOffered())
        let times = try kind.perform(.inParts)
        let parts = times.parts
        #expect(parts.traps == (kind.means == .trap ? 1 : 0))
        if kind.means == .trap {
            // Each part is rounded down by itself.
            let sum = parts.delivery + parts.handler + parts.back
            #expect(sum <= parts.total && parts.total - sum <= 3)
            #expect(times.systemCalls > 0 && times.systemCalls < parts.handler)
        }
        _ = try kind.perform(.marked)
    }
}
