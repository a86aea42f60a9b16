// Verdicts for people: a row per claim, and one more for each further number that it claims.

import Measurement

extension [ClaimVerdict] {
    /// The verdicts as a table, with claimed beside measured numbers; empty without verdicts.
    public func table() -> String {
        var table = TextTable([
            .init("claim"), .init("verdict"), .init("number"), .init("claimed", .right), .init("measured", .right),
            .init("reason"),
        ])
        for verdict in self {
            for (place, row) in verdict.rows.enumerated() {
                let isFirst = place == 0
                table.append([
                    isFirst ? verdict.claim : "", isFirst ? verdict.verdict.rawValue : "", row.name,
                    row.claimed.map { "\($0)\($0.mark)" } ?? "", row.measured?.description ?? "",
                    isFirst ? verdict.reason(atMost: 72) : "",
                ])
            }
        }
        return table.rendered()
    }
}

extension ClaimVerdict {
    /// A number of the claim: what was claimed of it, what was measured.
    struct Row {
        var name: String
        var claimed: ClaimedFigure?
        var measured: MeasuredFigure?
    }

    /// The beginning of the reason, ended between words; whole, it stands in the claim's section of a report.
    func reason(atMost length: Int) -> String {
        guard reason.count > length else { return reason }
        let cut = reason.prefix(length - 2)
        return String(cut[..<(cut.lastIndex(of: " ") ?? cut.endIndex)]) + " …"
    }

    /// The claimed numbers, each beside the measured one of its name; a claim without any gets one row, for what was
    /// measured instead.
    var rows: [Row] {
        let rows = claimed.map { figure in
            Row(name: figure.name, claimed: figure, measured: measured.first { $0.name == figure.name })
        }
        guard rows.isEmpty else { return rows }
        return [Row(name: measured.first?.name ?? "", measured: measured.first)]
    }
}
