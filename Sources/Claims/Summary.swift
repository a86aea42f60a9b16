// The summary of the discussion, for designers of languages: a line for each question that they must decide. Lines are
// templates, filled with what was measured; none has a number of its own, and none says more than what was asked and
// what came out.

import Experiments
import Report

/// The summary in ten lines.
public enum Summary {
    /// A text with places for measured figures: `"\(.hazards) hazards"` has the number with its interval,
    /// `"\(percent: .shareOfCode)"` the same in per cent.
    struct Template: ExpressibleByStringInterpolation {
        enum Piece {
            case text(String)
            case figure(Figure, inPercent: Bool)
        }

        struct StringInterpolation: StringInterpolationProtocol {
            fileprivate var pieces: [Piece] = []

            init(literalCapacity: Int, interpolationCount: Int) {}

            mutating func appendLiteral(_ text: String) { pieces.append(.text(text)) }
            mutating func appendInterpolation(_ figure: Figure) { pieces.append(.figure(figure, inPercent: false)) }
            mutating func appendInterpolation(percent figure: Figure) {
                pieces.append(.figure(figure, inPercent: true))
            }
            mutating func appendInterpolation(_ template: Template) { pieces += template.pieces }
        }

        let pieces: [Piece]

        init(stringLiteral text: String) { pieces = [.text(text)] }
        init(stringInterpolation interpolation: StringInterpolation) { pieces = interpolation.pieces }
    }

    /// What one claim contributes to a line.
    struct Part {
        let claim: any Claim
        let template: Template
        /// The text where a figure of the template was not measured; the reason where that lacks one too.
        var otherwise: Template?
        /// Figures beyond this are no numbers: the sweep that they come from ended there.
        let maximum: Double?

        init(_ claim: any Claim, _ template: Template, otherwise: Template? = nil, maximum: Double? = nil) {
            self.claim = claim
            self.template = template
            self.otherwise = otherwise
            self.maximum = maximum
        }
    }

    /// The lines that follow from the verdicts of a document; none where nothing was judged.
    public static func lines(_ document: Document) -> [String] {
        guard let verdicts = document.verdicts, !verdicts.isEmpty else { return [] }
        return parts.map { line in
            line.map { part in
                let claim = part.claim.identifier
                guard let verdict = verdicts.first(where: { $0.claim == claim }) else { return "\(claim) was not run." }
                return "\(filled(part, verdict) ?? verdict.reason) (\(claim): \(verdict.verdict.rawValue))."
            }.joined(separator: " ")
        }
    }

    /// The template with its figures, else the other one; `nil` where both have one that was not measured.
    static func filled(_ part: Part, _ verdict: ClaimVerdict) -> String? {
        filled(part, part.template, verdict) ?? part.otherwise.flatMap { filled(part, $0, verdict) }
    }

    private static func filled(_ part: Part, _ template: Template, _ verdict: ClaimVerdict) -> String? {
        var text = ""
        for piece in template.pieces {
            switch piece {
            case .text(let own): text += own
            case .figure(let figure, let inPercent):
                guard let measured = verdict.measured.first(where: { $0.name == figure.name }) else { return nil }
                text += inPercent ? percent(measured) : number(measured, maximum: part.maximum)
            }
        }
        return text
    }

    private static func number(_ figure: MeasuredFigure, maximum: Double?) -> String {
        guard let maximum, figure.high > maximum else { return figure.description }
        func text(_ value: Double) -> String {
            value > maximum
                ? "more than \(QuantityFormatter.string(maximum, figure.unit))"
                : QuantityFormatter.string(value.rounded(), figure.unit)
        }
        return figure.low > maximum ? text(figure.low) : "\(text(figure.median)) [\(text(figure.low)), unbounded]"
    }

    private static func percent(_ figure: MeasuredFigure) -> String {
        func text(_ share: Double) -> String { QuantityFormatter.grouped(100 * share, decimals: 1) }
        let interval = figure.low == figure.high ? "" : " [\(text(figure.low)), \(text(figure.high))]"
        return "\(text(figure.median)) %\(interval)"
    }
}
