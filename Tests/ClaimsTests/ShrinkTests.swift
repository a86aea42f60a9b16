import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("shrink") struct ShrinkTests {
    private func records(
        _ name: String, _ parameters: [ParameterName: ParameterValue], _ before: Double, _ after: Double
    )
        -> [Record]
    {
        func record(_ metric: Metric, _ value: Double) -> Record {
            Shrink().record(
                name, metric, Estimate(median: value, low: value * 0.98, high: value * 1.02, samples: 7), parameters)
        }
        return [
            record(.bytesBefore, before), record(.bytesAfter, after),
            record(.time, 900),
        ]
    }

    private func verdict(library: Double, go: Double) -> ClaimVerdict {
        Shrink().verdict(
            on: records("release", [.guard: "guard-pages"], 262_144, library)
                + records("collection", [.peer: "go1.19.8"], 32_768, go))
    }

    @Test func halfOrMoreByEachWayConfirmsIt() {
        let verdict = verdict(library: 12_288, go: 4_096)
        #expect(verdict.verdict == .confirmed)
        #expect(
            verdict.reason == "go1.19.8 collection: 32768 bytes to 4096 in 900 ns; "
                + "release with guard-pages: 262144 bytes to 12288 in 900 ns")
    }

    @Test func everyWayIsJudged() {
        func verdict(_ moved: Double, _ hibernated: Double) -> ClaimVerdict {
            Shrink().verdict(
                on: records("release", [.guard: "prot-none"], 262_144, 12_288)
                    + records("move", [.guard: "guard-pages"], 262_144, moved)
                    + records("hibernate", [.guard: "guard-pages"], 262_144, hibernated))
        }
        let all = verdict(8_192, 512)
        #expect(all.verdict == .confirmed)
        #expect(
            all.reason == "release with prot-none: 262144 bytes to 12288 in 900 ns; "
                + "move with guard-pages: 262144 bytes to 8192 in 900 ns; "
                + "hibernate with guard-pages: 262144 bytes to 512 in 900 ns")
        #expect(verdict(262_144, 512).verdict == .depends)
        #expect(verdict(8_192, 262_144).verdict == .depends)
    }

    @Test func lessByEachWayRefutesIt() { #expect(verdict(library: 262_144, go: 30_000).verdict == .refuted) }

    @Test func oneWayOfTwoMakesItDepend() {
        let verdict = verdict(library: 12_288, go: 30_000)
        #expect(verdict.verdict == .depends)
        #expect(
            verdict.reason.hasPrefix(
                "it depends on the way: half or more is given back by release with guard-pages 95.1 to 95.5 %, less by "
                    + "go1.19.8 collection 4.7 to 12 %; "))
    }

    @Test func anIntervalAroundHalfDecidesNothing() {
        for library in [12_288.0, 262_144, 131_072] {
            let verdict = verdict(library: library, go: 16_384)
            #expect(verdict.verdict == .notMeasurable)
            #expect(verdict.reason.hasPrefix("more rounds are needed to tell whether half is given back: "))
        }
    }

    @Test func withoutRecordsItIsNotMeasurable() {
        #expect(Shrink().verdict(on: records("use", [:], 0, 262_144)).verdict == .notMeasurable)
    }
}
