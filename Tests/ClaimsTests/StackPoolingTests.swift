import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("stack-pool") struct StackPoolingTests {
    private func records(_ peer: String, _ bytes: Int, pooled: Double, unpooled: Double) -> [Record] {
        let shared: [ParameterName: ParameterValue] = [.peer: .string(peer), .bytes: .int(bytes)]
        func time(_ name: String, _ value: Double) -> Record {
            Record(
                suite: "stack-pool", case: name, metric: .time,
                estimate: Estimate(median: value, low: value * 0.9, high: value * 1.1, samples: 31), parameters: shared)
        }
        let ratio = pooled / unpooled
        return [
            time("pooled", pooled), time("unpooled", unpooled),
            .ratio(
                suite: "stack-pool", case: "pooled", baseline: "unpooled",
                estimate: Estimate(median: ratio, low: ratio * 0.9, high: ratio * 1.1, samples: 31),
                parameters: shared),
        ]
    }

    private func verdict(_ small: Double, _ large: Double, peer: String = "go1.19.8") -> ClaimVerdict {
        StackPooling().verdict(
            on: records(peer, peer == "faultline" ? 4096 : 2048, pooled: 20, unpooled: 20 / small)
                + records(peer, 8192, pooled: 30, unpooled: 30 / large))
    }

    @Test func asMuchAsClaimedConfirmsIt() {
        let verdict = verdict(0.2, 0.2)
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.measured.first { $0.name == Figure.withPool("2 KB").name }?.median == 20)
        #expect(verdict.measured.first { $0.name == Figure.withoutPool("8 KB").name }?.median == 150)
    }

    @Test func lessThanClaimedOrAtOneSizeOnlyMakesItDepend() {
        #expect(verdict(0.6, 0.6).verdict == .depends)
        #expect(verdict(0.2, 1.5).verdict == .depends)
    }

    @Test func whatIsUsedAfterAQuietTimeIsAFigureOfItsOwn() {
        var records = records("faultline", 4096, pooled: 20, unpooled: 200)
        records.append(
            .ratio(
                suite: "stack-pool", case: "after a quiet time", baseline: "unpooled",
                estimate: Estimate(median: 0.5, low: 0.4, high: 0.6, samples: 31),
                parameters: [.peer: "faultline", .bytes: 4096]))
        records += self.records("faultline", 8192, pooled: 20, unpooled: 200)
        let measured = StackPooling().verdict(on: records).measured
        #expect(measured.first { $0.name == "this library, 4 KiB, after a quiet time to without" }?.median == 0.5)
        #expect(measured.first { $0.name == "this library, 4 KiB, with to without" }?.median == 0.1)
        #expect(!measured.contains { $0.name == "this library, 8 KiB, after a quiet time to without" })
    }

    @Test func noGainRefutesIt() { #expect(verdict(1.2, 1.3).verdict == .refuted) }

    @Test func theNewestGoDecidesAndThisLibraryStandsIn() {
        let both =
            records("go1.19.8", 2048, pooled: 9, unpooled: 1) + records("go1.19.8", 8192, pooled: 9, unpooled: 1)
            + records("go1.27.3", 2048, pooled: 1, unpooled: 9) + records("go1.27.3", 8192, pooled: 1, unpooled: 9)
        #expect(StackPooling().verdict(on: both).verdict == .confirmed)
        let own = verdict(0.1, 0.1, peer: "faultline")
        #expect(own.verdict == .confirmed)
        #expect(own.reason.hasPrefix("faultline"))
    }

    @Test func withoutEitherSizeItIsNotMeasurable() {
        let half = records("go1.19.8", 2048, pooled: 1, unpooled: 9)
        #expect(StackPooling().verdict(on: half).verdict == .notMeasurable)
        #expect(StackPooling().verdict(on: [], missing: ["Go"]).reason == "missing: Go")
    }
}
