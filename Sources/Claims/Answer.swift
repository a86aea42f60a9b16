// The answer to the discussion, for somebody who designs a language: a line for each question that they must decide.
// Lines are templates, filled with what was measured; none has a number of its own, and none says more than what was
// asked and what came out.

import Experiments
import Report

/// The answer in ten lines.
public enum Answer {
    /// What one claim contributes to a line.
    struct Part {
        /// The identifier of the claim.
        var claim: String
        /// The text, in which `{name}` stands for the measured figure of that name with its interval, `{%name}` for the
        /// same in percent, and `{reason}` for the computed reason of the verdict.
        var template: String
        /// The text where a figure of the template was not measured; the reason where that lacks one too.
        var otherwise: String?
        /// Figures beyond this are no numbers: the sweep that they come from ended there.
        var most: Double?

        init(_ claim: String, _ template: String, otherwise: String? = nil, most: Double? = nil) {
            self.claim = claim
            self.template = template
            self.otherwise = otherwise
            self.most = most
        }
    }

    /// The lines that follow from the verdicts of a document; none where nothing was judged.
    public static func lines(_ document: Document) -> [String] {
        guard let verdicts = document.verdicts, !verdicts.isEmpty else { return [] }
        return parts.map { line in
            line.map { part in
                guard let verdict = verdicts.first(where: { $0.claim == part.claim }) else {
                    return "\(part.claim) was not run."
                }
                let text = filled(part, verdict) ?? verdict.reason
                return "\(text) (\(part.claim): \(verdict.verdict.rawValue))."
            }.joined(separator: " ")
        }
    }

    /// The template with its figures, else the other one; `nil` where both have one that was not measured.
    static func filled(_ part: Part, _ verdict: ClaimVerdict) -> String? {
        filled(part, part.template, verdict) ?? part.otherwise.flatMap { filled(part, $0, verdict) }
    }

    private static func filled(_ part: Part, _ template: String, _ verdict: ClaimVerdict) -> String? {
        var text = ""
        for (place, piece) in template.split(separator: "{", omittingEmptySubsequences: false).enumerated() {
            guard place > 0 else {
                text += piece
                continue
            }
            let halves = piece.split(separator: "}", maxSplits: 1, omittingEmptySubsequences: false)
            precondition(halves.count == 2, "a figure in the template of \(part.claim) is not closed")
            if halves[0] == "reason" {
                text += verdict.reason + halves[1]
                continue
            }
            let isPercent = halves[0].first == "%"
            let name = isPercent ? halves[0].dropFirst() : halves[0]
            guard let figure = verdict.measured.first(where: { $0.name == name }) else { return nil }
            text += (isPercent ? percent(figure) : number(figure, most: part.most)) + halves[1]
        }
        return text
    }

    private static func number(_ figure: MeasuredFigure, most: Double?) -> String {
        guard let most, figure.high > most else { return figure.description }
        func text(_ value: Double) -> String {
            value > most
                ? "more than \(QuantityFormatter.string(most, figure.unit))"
                : QuantityFormatter.string(value.rounded(), figure.unit)
        }
        return figure.low > most ? text(figure.low) : "\(text(figure.median)) [\(text(figure.low)), unbounded]"
    }

    private static func percent(_ figure: MeasuredFigure) -> String {
        func text(_ share: Double) -> String { QuantityFormatter.grouped(100 * share, decimals: 1) }
        let interval = figure.low == figure.high ? "" : " [\(text(figure.low)), \(text(figure.high))]"
        return "\(text(figure.median)) %\(interval)"
    }
}
