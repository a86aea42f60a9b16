// A document for people: one table per suite, then the machine, its warnings and the notes, and the verdicts last.

import Measurement

extension Document {
    /// The document as plain text tables.
    ///
    /// - Throws: ``ReportError/invalidRecord(record:reason:)`` for the first record that breaks an invariant.
    public func table() throws -> String {
        for record in records { try record.check() }
        var text = ""
        for suite in suites {
            let table = RecordTable(records.filter { $0.suite == suite })
            let heading = table.common.isEmpty ? suite : "\(suite) (\(table.common))"
            text += TextTable.printable(heading) + "\n" + table.table.rendered(indentation: 2) + "\n"
        }
        text += "machine: \(TextTable.printable(machine.summary))\n"
        for warning in machine.warnings { text += "warning: \(TextTable.printable(warning))\n" }
        for note in notes { text += "note: \(TextTable.printable(note))\n" }
        if let verdicts { text += "\n" + verdicts.table() }
        return text
    }

    /// The names of the suites, in the order of their first records.
    var suites: [String] {
        var seen = Set<String>()
        return records.map(\.suite).filter { seen.insert($0).inserted }
    }
}
