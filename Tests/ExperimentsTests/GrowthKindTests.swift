import Faultline
import Measurement
import Testing

@testable import Experiments

@Suite("Growth kinds", .serialized) struct GrowthKindTests {
    @Test func namesAreUnique() {
        #expect(Set(GrowthKind.all.map(\.name)).count == GrowthKind.all.count)
        for kind in GrowthKind.all { #expect(GrowthKind.named(kind.name)?.name == kind.name) }
    }

    @Test func everyOfferedKindGrowsOnceInEachManner() throws {
        let offered = try GrowthKind.all.filter { try $0.isOffered() }
        // Pages without access, copying and demand paging need nothing of the kernel.
        #expect(Set(offered.map(\.name)).isSuperset(of: ["demand", "fault-prot-none"]))
        for kind in offered {
            let times = try kind.perform(.inParts)
            let parts = times.parts
            #expect(parts.traps == (kind.means == .trap ? 1 : 0), "\(kind.name)")
            if kind.means == .trap {
                // Each part is rounded down by itself.
                let sum = parts.delivery + parts.handler + parts.back
                #expect(sum <= parts.total && parts.total - sum <= 3, "\(kind.name)")
                #expect(times.systemCalls > 0 && times.systemCalls < parts.handler, "\(kind.name)")
            }
            _ = try kind.perform(.marked)
        }
    }
}
