// What a growth costs by a trap and in Go, in turns within one process: fresh memory on both sides, and memory that is
// there on both. A growth by a trap gets a fresh page; in place, between pages without access, it may get one whose
// memory is there already.

import Measurement
import Peers
import Report

/// Growths of each kind in a process of its own.
package struct GrowthCostSampler: Sampler {
    package init() {}

    package let name = "growth-cost"

    /// The first of each that the kernel offers.
    private static let kinds = [
        (inPlace, ["fault-guard-pages", "fault-prot-none"]),
        (byMove, ["fault-move-uffdio-move", "fault-move-copy"]),
        (byRemapping, ["fault-move-mremap"]),
    ]
    /// The cases.
    package static let inPlace = "in place"
    package static let byMove = "by a move"
    package static let byRemapping = "by remapping"
    private static let intoResident = "in place, memory there"
    package static let goWarm = "Go, warm memory"
    package static let goFresh = "Go, fresh memory"
    /// What the texts call the version of Go.
    package static let version = "version"
    /// The stack from which goroutines grow here: their first.
    private static let goStack = 2048

    /// A way to grow by a trap beside Go's growth with the same kind of memory, in nanoseconds of each process.
    package struct Comparison {
        package let way: String
        package let isFresh: Bool
        /// The case of Go's growth.
        package let baseline: String
        package let own: [Double]
        package let go: [Double]
    }

    /// Measures once in a run, for all claims.
    package static func measured(_ laboratory: Laboratory) throws -> ProcessSamples? {
        try laboratory.remembering("what growths cost") { try laboratory.samples(of: GrowthCostSampler()) }
    }

    /// Each way that was measured, with fresh memory, and in place with memory that is there.
    package static func comparisons(_ samples: ProcessSamples) throws -> [Comparison] {
        let cases =
            kinds.map { (way: $0.0, name: $0.0, isFresh: true) }
            + [(way: inPlace, name: intoResident, isFresh: false)]
        return try cases.filter { samples.names.contains($0.name) }.map { way, name, isFresh in
            let baseline = isFresh ? goFresh : goWarm
            return Comparison(
                way: way, isFresh: isFresh, baseline: baseline, own: try samples.times(of: name),
                go: try samples.times(of: baseline))
        }
    }

    package func prepare(_ options: ExperimentOptions, _ laboratory: Laboratory) throws -> SampledCases {
        let settings = laboratory.repetitions(laboratory.isQuick ? 4 : 16)
        var cases = try Self.kinds.compactMap { name, kinds in
            try kinds.compactMap(GrowthKind.named).first { try $0.isOffered() }.map { Self.measured(name, $0) }
        }
        if let first = cases.first { cases.append(first.nullControl()) }
        guard let protected = GrowthKind.named("fault-prot-none") else { preconditionFailure("it is a kind") }
        cases.append(Self.measured(Self.intoResident, protected, .timedIntoResident))
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

    private static func measured(
        _ name: String, _ kind: GrowthKind, _ instrumentation: GrowthKind.Instrumentation = .timed
    ) -> MeasurementCase {
        MeasurementCase(selfTimed: name) { count in
            var took: UInt64 = 0
            for _ in 0..<count { took += try kind.perform(instrumentation).parts.total }
            return took
        }
    }
}
