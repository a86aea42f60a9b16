import Faultline
import Measurement
import TestNeeds
import Testing

@testable import Experiments

/// The growths themselves, without a look at their times.
@Suite("Growth kinds", .serialized) struct GrowthKindTests {
    @Test func namesAreUnique() {
        #expect(Set(GrowthKind.all.map(\.name)).count == GrowthKind.all.count)
        for kind in GrowthKind.all { #expect(GrowthKind.named(kind.name)?.name == kind.name) }
    }

    @Test(arguments: GrowthKind.all.map(\.name)) func everyKindGrowsOnceUnderEachInstrumentation(_ name: String) throws
    {
        let kind = try #require(GrowthKind.named(name))
        // Pages without access, copying and demand paging need nothing of the kernel.
        try Need.check(
            guard: kind.configuration.guardKind?.rawValue ?? "", mover: kind.configuration.mover?.rawValue)
        #expect(try kind.isOffered())
        let times = try kind.perform(.inParts)
        let parts = times.parts
        #expect(parts.traps == (kind.mechanism == .trap ? 1 : 0))
        if kind.mechanism == .trap {
            // Each part is rounded down by itself.
            let sum = parts.delivery + parts.handler + parts.back
            #expect(sum <= parts.total && parts.total - sum <= 3)
            #expect(times.systemCalls > 0 && times.systemCalls < parts.handler)
        }
        _ = try kind.perform(.marked)
    }

    /// What makes it an error is in the growth itself: a page that the kernel supplies.
    @Test func aGrowthIntoAPageThatIsThereGetsNone() throws {
        let kind = try #require(GrowthKind.named("fault-prot-none"))
        #expect(try kind.perform(.timedIntoResident).parts.total > 0)
        // Guard pages have no memory, and a moved stack gets another page.
        for name in ["fault-guard-pages", "fault-move-mremap"] {
            let other = try #require(GrowthKind.named(name))
            #expect(throws: MeasurementFailure.self) { try other.perform(.timedIntoResident) }
        }
    }
}
