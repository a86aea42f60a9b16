// What a growth costs by a trap and in Go, in turns within one process: fresh memory on both sides, and warm on both.
// A growth by a trap always gets a fresh page, whose supply is a case of its own (`GrowthKind.demand`), so that what a
// warm page would save can be taken off.

import Measurement
import Peers
import Report

/// Growths of each kind in a process of its own.
package struct GrowthCostSampler: Sampler {
    package init() {}

    package let name = "growth-cost"

    /// The first of each that the kernel offers: in place, and by a move.
    private static let kinds = [
        (inPlace, ["fault-guard-pages", "fault-prot-none"]),
        (byMove, ["fault-move-uffdio-move", "fault-move-copy"]),
    ]
    /// The cases.
    package static let inPlace = "in place"
    package static let byMove = "by a move"
    package static let goWarm = "Go, warm memory"
    package static let goFresh = "Go, fresh memory"
    /// What the texts call the version of Go.
    package static let version = "version"
    /// The stack from which goroutines grow here: their first.
    private static let goStack = 2048

    /// Measures once in a run, for all claims.
    package static func measured(_ laboratory: Laboratory) throws -> ProcessSamples? {
        try laboratory.remembering("what growths cost") { try laboratory.samples(of: GrowthCostSampler()) }
    }

    /// The kinds that were measured.
    package static func ways(_ samples: ProcessSamples) -> [String] {
        [inPlace, byMove].filter(samples.names.contains)
    }

    /// What a growth takes beyond the page that it gets, in each process.
    package static func withoutPage(_ way: String, _ samples: ProcessSamples) throws -> [Double] {
        zip(try samples.times(of: way), try samples.times(of: GrowthKind.demand)).map { $0 - $1 }
    }

    package func prepare(_ options: ExperimentOptions, _ laboratory: Laboratory) throws -> SampledCases {
        let settings = laboratory.repetitions(laboratory.isQuick ? 4 : 16)
        var cases = try Self.kinds.compactMap { name, kinds in
            try kinds.compactMap(GrowthKind.named).first { try $0.isOffered() }.map { Self.measured(name, $0) }
        }
        if let first = cases.first { cases.append(first.nullControl()) }
        guard let demand = GrowthKind.named(GrowthKind.demand) else { preconditionFailure("demand is a kind") }
        cases.append(Self.measured(GrowthKind.demand, demand))
        guard let newest = laboratory.go.last, let driver = try GoGrowth.start(newest, laboratory) else {
            return SampledCases([], settings)
        }
        cases += [
            driver.growth(Self.goWarm, from: Self.goStack),
            driver.growth(Self.goFresh, from: Self.goStack, isCold: true),
        ]
        return SampledCases(
            cases, settings, texts: [Self.version: newest.version], facts: { withExtendedLifetime(driver) { [:] } })
    }

    private static func measured(_ name: String, _ kind: GrowthKind) -> MeasurementCase {
        MeasurementCase(selfTimed: name) { count in
            var took: UInt64 = 0
            for _ in 0..<count { took += try kind.perform(.timed).parts.total }
            return took
        }
    }
}
