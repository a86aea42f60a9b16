// What a comparison says, a quantity a row. The records hold the same in full.

import Experiments
import Report

/// The text of a comparison.
struct GoComparisonTable {
    let records: [Record]

    private func value(_ variant: GoComparison.Variant, _ metric: Metric) -> String {
        records.first { $0.name == variant.title && $0.metric == metric.name }.map {
            QuantityFormatter.string($0.median, $0.unit)
        } ?? ""
    }

    private func change(
        _ variant: GoComparison.Variant, to baseline: GoComparison.Variant, _ metric: Metric
    ) -> String {
        guard
            let record = records.first(where: {
                $0.name == GoComparison.caseName(variant, metric) && $0.metric == Metric.ratio.name
                    && $0.parameters[.baseline] == .string(baseline.title)
            })
        else { return "" }
        return Self.change(record)
    }

    /// What a ratio says, with its interval where it has one.
    static func change(_ record: Record) -> String {
        let text = percent(record.median)
        return record.samples > 1 ? "\(text) [\(percent(record.low)), \(percent(record.high))]" : text
    }

    /// How much more or less than once as much, in per cent.
    private static func percent(_ ratio: Double) -> String {
        let tenths = ((ratio - 1) * 1000).rounded() / 10
        return "\(tenths > 0 ? "+" : "")\(tenths == 0 ? 0 : tenths) %"
    }

    /// What the column of probes means, and how often they grew stacks.
    static func growths(_ records: [Record]) -> String {
        let probes = GoComparison.Variant.probes.title
        guard records.contains(where: { $0.name == probes }) else { return "" }
        func value(_ metric: Metric) -> String? {
            records.first { $0.name == probes && $0.metric == metric.name }.map {
                QuantityFormatter.string($0.median, $0.unit)
            }
        }
        var text = "probes: a copy whose checks fault and so grow small stacks as before, against the original"
        if let growths = value(.stackGrowths), let rate = value(.growthsPerSecond), let faults = value(.probeFaults) {
            text +=
                "; in a run \(growths) growths, \(rate) in a second of processor time, and \(faults) faults of probes"
        }
        return text + "\n"
    }

    /// The table, with what its columns mean.
    func rendered() -> String {
        var table = TextTable([
            .init(""), .init("original", .right), .init("patched", .right), .init("change", .right),
            .init("by checks", .right), .init("by stacks", .right), .init("probes", .right),
            .init("by their stacks", .right), .init("noise", .right),
        ])
        for metric in [Metric.processorTime, .elapsedTime, .peakMemory, .pageFaults, .instructions]
        where !value(.original, metric).isEmpty {
            table.append([
                metric.name.replacing("-", with: " "), value(.original, metric), value(.patched, metric),
                change(.patched, to: .original, metric), change(.patched, to: .equal, metric),
                change(.equal, to: .original, metric), change(.probes, to: .original, metric),
                change(.equalGrowing, to: .original, metric), change(.again, to: .original, metric),
            ])
        }
        var text = table.rendered()
        text += "\nchange: patched against original, medians of paired rounds with 95 % intervals\n"
        if records.contains(where: { $0.name == GoComparison.Variant.equal.title }) {
            text +=
                "by checks: against the same large stacks with equal checks; by stacks: those against the original\n"
        }
        text += Self.growths(records)
        if records.contains(where: { $0.name == GoComparison.Variant.equalGrowing.title }) {
            text += "by their stacks: equal checks on the stacks of the probes, against the original\n"
        }
        text += "noise: the original against itself\n"
        return text + Self.caution(records) + "\n"
    }

    /// That several intervals are printed is to be known to who reads one of them.
    static func caution(_ records: [Record]) -> String {
        let intervals = records.count { $0.metric == Metric.ratio.name && $0.samples > 1 }
        return "each of the \(intervals) intervals misses once in 20 times by itself: decide beforehand which counts"
    }
}
