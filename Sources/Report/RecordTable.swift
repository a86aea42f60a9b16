// Records that belong together, as columns of text.

import Measurement

/// A table of records.
///
/// A parameter that has one value in all of them stands in ``common``; one that all of them have, in a column; any
/// other in the column "parameters".
struct RecordTable {
    /// The parameters that all records share: "clock=monotonic seed=1".
    let common: String
    /// A row per record, in their order.
    let table: TextTable

    init(_ records: [Record]) {
        let common = Self.commonParameters(records)
        let columns = Self.columnParameters(records).filter { common[$0] == nil }
        let isSampled = records.contains { $0.samples > 0 }
        var table = TextTable(
            [
                .init("case"), .init("metric"), .init(isSampled ? "median" : "value", .right),
                .init("95 % interval", .right), .init("baseline"), .init("samples", .right),
            ] + columns.map { .init(TextTable.printable($0.rawValue)) } + [.init("parameters")])
        for record in records {
            let own = record.parameters.filter {
                common[$0.key] == nil && !columns.contains($0.key) && $0.key != .baseline
            }
            let cells = [
                record.name, record.metric,
                (record.isAtLeast ? "at least " : "")
                    + QuantityFormatter.string(record.median, record.unit),
                QuantityFormatter.interval(of: record.estimate, record.unit),
                record.parameters[.baseline]?.description ?? "",
                // What was counted has no sample size.
                record.samples > 0 ? String(record.samples) : "",
            ]
            let values = columns.map { record.parameters[$0]?.description ?? "" }
            table.append(cells + values + [Self.list(own)])
        }
        self.common = Self.list(common)
        self.table = table
    }

    /// What all of two or more records have in common; the baseline keeps its column.
    private static func commonParameters(_ records: [Record]) -> [ParameterName: ParameterValue] {
        guard let first = records.first, records.count > 1 else { return [:] }
        return first.parameters.filter { key, value in
            key != .baseline && records.allSatisfy { $0.parameters[key] == value }
        }
    }

    /// The names, in ascending order, of what every record has: they become columns.
    private static func columnParameters(_ records: [Record]) -> [ParameterName] {
        guard let first = records.first else { return [] }
        return first.parameters.keys.filter { key in
            key != .baseline && records.allSatisfy { $0.parameters[key] != nil }
        }.sorted()
    }

    /// Names and values in ascending order of the names; a value with a space is quoted.
    private static func list(_ parameters: [ParameterName: ParameterValue]) -> String {
        parameters.sorted { $0.key < $1.key }.map { key, value in
            let text = value.description
            return text.contains(" ") ? "\(key)=\"\(text)\"" : "\(key)=\(text)"
        }.joined(separator: " ")
    }
}
