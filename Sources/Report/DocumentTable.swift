// A document for people: one table per suite, then the machine, its warnings and the notes, and the verdicts last.

import Measurement

extension Document {
    /// The document as plain text tables.
    ///
    /// A parameter that has one value in all records of a suite stands in its heading; one that all of them have, in a
    /// column; any other in the column "parameters".
    ///
    /// - Throws: ``ReportError/invalidRecord(record:reason:)`` for the first record that breaks an invariant.
    public func table() throws -> String {
        for record in records { try record.check() }
        var text = ""
        for suite in suites {
            text += Self.section(suite, records.filter { $0.suite == suite }) + "\n"
        }
        text += "machine: \(TextTable.printable(machine.summary))\n"
        for warning in machine.warnings { text += "warning: \(TextTable.printable(warning))\n" }
        for note in notes { text += "note: \(TextTable.printable(note))\n" }
        if let verdicts { text += "\n" + verdicts.table() }
        return text
    }

    /// The names of the suites, in the order of their first records.
    private var suites: [String] {
        var seen = Set<String>()
        return records.map(\.suite).filter { seen.insert($0).inserted }
    }

    private static func section(_ suite: String, _ records: [Record]) -> String {
        let common = commonParameters(records)
        let columns = columnParameters(records).filter { common[$0] == nil }
        let isSampled = records.contains { $0.samples > 1 }
        var table = TextTable(
            [
                .init("case"), .init("metric"), .init(isSampled ? "median" : "value", .right),
                .init("95 % interval", .right), .init("baseline"), .init("samples", .right),
            ] + columns.map { .init(TextTable.printable($0)) } + [.init("parameters")])
        for record in records {
            let estimate = Estimate(
                median: record.median, low: record.low, high: record.high, samples: record.samples)
            let own = record.parameters.filter {
                common[$0.key] == nil && !columns.contains($0.key) && $0.key != Record.baselineParameter
            }
            let cells = [
                record.name, record.metric, QuantityFormatter.string(record.median, record.unit),
                QuantityFormatter.interval(of: estimate, record.unit),
                record.parameters[Record.baselineParameter]?.description ?? "",
                // What was counted once has no sample size worth a column.
                record.samples > 1 ? String(record.samples) : "",
            ]
            let values = columns.map { record.parameters[$0]?.description ?? "" }
            table.append(cells + values + [list(own)])
        }
        let heading = common.isEmpty ? suite : "\(suite) (\(list(common)))"
        return TextTable.printable(heading) + "\n" + table.rendered(indentation: 2)
    }

    /// What all of two or more records have in common; the baseline keeps its column.
    private static func commonParameters(_ records: [Record]) -> [String: ParameterValue] {
        guard let first = records.first, records.count > 1 else { return [:] }
        return first.parameters.filter { key, value in
            key != Record.baselineParameter && records.allSatisfy { $0.parameters[key] == value }
        }
    }

    /// The names, in ascending order, of what every record has: they become columns.
    private static func columnParameters(_ records: [Record]) -> [String] {
        guard let first = records.first else { return [] }
        return first.parameters.keys.filter { key in
            key != Record.baselineParameter && records.allSatisfy { $0.parameters[key] != nil }
        }.sorted()
    }

    /// Names and values in ascending order of the names; a value with a space is quoted.
    private static func list(_ parameters: [String: ParameterValue]) -> String {
        parameters.sorted { $0.key < $1.key }.map { key, value in
            let text = value.description
            return text.contains(" ") ? "\(key)=\"\(text)\"" : "\(key)=\(text)"
        }.joined(separator: " ")
    }
}
