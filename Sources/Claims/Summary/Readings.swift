// Figures of a run, as sentences ask for them.

import Experiments
import Report

/// A sentence asks for a figure that was not measured.
struct MissingFigure: Error {}

/// The verdicts of a run, by claim.
struct Readings {
    private let verdicts: [String: ClaimVerdict]
    /// By claim the versions of Go that it was measured with, the newest last.
    private let versions: [String: [String]]

    init(_ document: Document) {
        verdicts = Dictionary((document.verdicts ?? []).map { ($0.claim, $0) }) { first, _ in first }
        var names: [String: Set<String>] = [:]
        for record in document.records {
            let texts = [record.name] + record.parameters.values.compactMap(\.text)
            names[record.suite, default: []].formUnion(texts.compactMap(Self.version))
        }
        versions = names.mapValues { $0.sorted { Self.parts($0).lexicographicallyPrecedes(Self.parts($1)) } }
    }

    var isEmpty: Bool { verdicts.isEmpty }

    func verdict(_ claim: String) -> ClaimVerdict? { verdicts[claim] }

    /// A measured figure of a claim.
    func figure(_ claim: any Claim, _ figure: Figure) throws(MissingFigure) -> MeasuredFigure {
        guard let found = verdicts[claim.identifier]?.measured.first(where: { $0.name == figure.name }) else {
            throw MissingFigure()
        }
        return found
    }

    /// The same as a reader wants it.
    func text(_ claim: any Claim, _ figure: Figure) throws(MissingFigure) -> String {
        ReaderNumber(try self.figure(claim, figure)).text
    }

    /// The same with a word for zero.
    func text(_ claim: any Claim, _ figure: Figure, none: String) throws(MissingFigure) -> String {
        let figure = try self.figure(claim, figure)
        return figure.median == 0 ? none : ReaderNumber(figure).text
    }

    /// "1.5 times the time"; where its interval holds 1, "a time that cannot be told from that". Then "of" may follow.
    func multiple(_ claim: any Claim, _ figure: Figure, of quantity: String) throws(MissingFigure) -> String {
        let figure = try self.figure(claim, figure)
        if figure.low == 1, figure.high == 1 { return "the \(quantity)" }
        return figure.spansOne
            ? "a \(quantity) that cannot be told from that" : "\(ReaderNumber(figure).text) times the \(quantity)"
    }

    /// "1.2 ns more", "1.2 ns less"; "not measurably more" where its interval holds 0, so that "than" may follow.
    func difference(_ claim: any Claim, _ figure: Figure) throws(MissingFigure) -> String {
        let figure = try self.figure(claim, figure)
        if ReaderNumber(figure).spansZero { return "not measurably more" }
        return "\(ReaderNumber(figure.magnitude).text) \(figure.median > 0 ? "more" : "less")"
    }

    /// A ratio as a share: "57 %".
    func percent(_ claim: any Claim, _ figure: Figure) throws(MissingFigure) -> String {
        var figure = try self.figure(claim, figure)
        figure.name = "share, \(figure.name)"
        return ReaderNumber(figure).text
    }

    /// Whether a rule told the difference that its claim is about from none.
    func isTold(_ claim: any Claim) -> Bool {
        verdicts[claim.identifier].map { $0.verdict != .notDistinguishable } ?? false
    }

    /// "a gain of 1.3 %", "a loss of 0.4 %", "no gain that can be told from zero, and 1.5 % at most".
    ///
    /// - Parameter null: The same of something that is compared with itself: within its interval nothing is told.
    func gain(_ claim: any Claim, _ figure: Figure, null: Figure? = nil) throws(MissingFigure) -> String {
        var figure = try self.figure(claim, figure)
        let null = null.flatMap { try? self.figure(claim, $0) }
        let isWithinNull = null.map { $0.low <= figure.median && figure.median <= $0.high } ?? false
        if ReaderNumber(figure).spansZero || isWithinNull {
            let most = max(figure.high, null?.high ?? figure.high)
            (figure.median, figure.low, figure.high) = (most, most - (most - figure.low) / 2, most)
            let excluded = most > 0 ? ", and \(ReaderNumber(figure).text) at most" : ""
            return "no gain that can be told from zero\(excluded)"
        }
        return "a \(figure.median > 0 ? "gain" : "loss") of \(ReaderNumber(figure.magnitude).text)"
    }

    /// Confusions in a million faults, of those that were made up and of real ones together.
    func confusions() throws(MissingFigure) -> Double {
        try figure(Classification(), .confusionsInAMillion(.synthetic)).median
            + figure(Classification(), .confusionsInAMillion(.real)).median
    }

    /// "Go 1.27.3"; "Go" where no version was measured for the claim.
    func newestGo(_ claim: any Claim) -> String {
        versions[claim.identifier]?.last.map { "Go \($0)" } ?? "Go"
    }

    /// "a, b and c".
    static func list(_ texts: [String]) -> String {
        (texts.count > 1 ? "\(texts.dropLast().joined(separator: ", ")) and " : "") + (texts.last ?? "")
    }

    /// "1.27.3" of a text in which "go1.27.3" stands as a word.
    private static func version(_ text: String) -> String? {
        for word in text.split(whereSeparator: { $0 == " " || $0 == "," || $0 == "/" }) where word.hasPrefix("go1.") {
            let version = word.dropFirst(2)
            if version.allSatisfy({ $0.isNumber || $0 == "." }) { return String(version) }
        }
        return nil
    }

    private static func parts(_ version: String) -> [Int] { version.split(separator: ".").compactMap { Int($0) } }
}

extension MeasuredFigure {
    /// Whether a ratio cannot be told from 1.
    var spansOne: Bool { low <= 1 && high >= 1 }

    /// Without its sign, which is said in words.
    var magnitude: MeasuredFigure {
        guard median < 0 else { return self }
        var figure = self
        (figure.median, figure.low, figure.high) = (-median, -high, -low)
        return figure
    }
}
