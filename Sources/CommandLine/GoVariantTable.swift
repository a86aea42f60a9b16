// What a comparison of many variants says: a quantity a column, a variant a row. The records hold the same in full.

import Experiments
import Report

/// The text of a comparison of the variants of a package.
struct GoVariantTable {
    let records: [Record]

    private static let metrics: [(metric: Metric, title: String)] = [
        (.processorTime, "processor time"), (.elapsedTime, "elapsed time"), (.peakMemory, "peak memory"),
        (.pageFaults, "page faults"), (.codeSize, "code"), (.instructions, "instructions"),
        (.instructionMisses, "cache misses"),
    ]

    private func change(
        _ variant: GoComparison.Variant, to baseline: GoComparison.Variant, _ metric: Metric
    ) -> String {
        records.first {
            $0.name == GoComparison.caseName(variant, metric) && $0.metric == Metric.ratio.name
                && $0.parameters[.baseline] == .string(baseline.title)
        }.map(GoComparisonTable.change) ?? ""
    }

    private func table(_ variants: [GoComparison.Variant], against: (GoComparison.Variant) -> GoComparison.Variant)
        -> String
    {
        let metrics = Self.metrics.filter { metric, _ in records.contains { $0.metric == metric.name } }
        var table = TextTable([.init("")] + metrics.map { .init($0.title, .right) })
        for variant in variants {
            table.append([variant.title] + metrics.map { change(variant, to: against(variant), $0.metric) })
        }
        return table.rendered()
    }

    /// The tables, with what their rows mean.
    func rendered() -> String {
        var first = TextTable([.init("")] + Self.metrics.map { .init($0.title, .right) })
        first.append(
            ["original"]
                + Self.metrics.map { metric, _ in
                    records.first { $0.name == GoComparison.Variant.original.title && $0.metric == metric.name }.map {
                        QuantityFormatter.string($0.median, $0.unit)
                    } ?? ""
                })
        let has = { (variant: GoComparison.Variant) in records.contains { $0.name == variant.title } }
        let variants = [
            GoComparison.Variant.again, .equal, .patched, .compiled, .equalGrowing, .probes, .compiledProbes,
        ].filter(has)
        var text = first.rendered() + "\n" + table(variants, against: { _ in .original })
        text +=
            "\nagainst the original, medians of paired rounds with 95 % intervals; equal checks: on the same large "
        text += "stacks as patched, which has no-ops, and as compiled without; equal checks that grow: on the stacks "
        text += "of the probes\n"
        text += GoComparisonTable.growths(records)
        let parts = [GoComparison.Variant.firstSize, .noShrinking, .guards, .lowestWord].filter(has)
        if !parts.isEmpty {
            let steps = [GoComparison.Variant.original] + parts
            text += "\n" + table(parts, against: { steps[steps.firstIndex(of: $0)! - 1] })
            text += "\nparts of the large stacks, with all checks, each against the row above it\n"
        }
        return text + GoComparisonTable.caution(records) + "\n"
    }
}
