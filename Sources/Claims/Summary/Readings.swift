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

    /// The same with its interval: "9.4 ns (9.1 to 9.9 ns)".
    func between(_ claim: any Claim, _ figure: Figure) throws(MissingFigure) -> String {
        let number = ReaderNumber(try self.figure(claim, figure))
        let ends = number.isAtLeast ? "" : number.interval
        return number.text + (ends.isEmpty ? "" : " (\(ends))")
    }

    /// "1.5 times as long"; where its interval holds 1, both ends: "0.93 to 1.04 times as long". Then "as" may follow.
    func times(_ claim: any Claim, _ figure: Figure, _ quantity: String = "long") throws(MissingFigure) -> String {
        let figure = try self.figure(claim, figure)
        if figure.low == 1, figure.high == 1 { return "as \(quantity)" }
        let number = ReaderNumber(figure)
        let ends = number.interval
        return "\(figure.spansOne && !ends.isEmpty ? ends : number.text) times as \(quantity)"
    }

    /// "1.2 ns more", "1.2 ns less"; "not measurably more" where its interval holds 0, so that "than" may follow.
    func difference(_ claim: any Claim, _ figure: Figure) throws(MissingFigure) -> String {
        let figure = try self.figure(claim, figure)
        if ReaderNumber(figure).spansZero { return "not measurably more" }
        return "\(ReaderNumber(figure.magnitude).text) \(figure.median > 0 ? "more" : "less")"
    }

    /// "0.12 ns more (0.10 to 0.14 ns)"; "not measurably more (−0.05 to 0.02 ns)" where it is not told from none.
    func further(_ part: IndirectCalls.Part) throws(MissingFigure) -> String {
        let claim = IndirectCalls(part)
        let figure = try self.figure(claim, claim.figure)
        let null = try self.figure(claim, .nullControl(of: claim.figure))
        let ends = ReaderNumber(figure).interval
        let interval = ends.isEmpty ? "" : " (\(ends))"
        let isWithinNull = null.low <= figure.median && figure.median <= null.high
        return (isWithinNull ? "not measurably more" : try difference(claim, claim.figure)) + interval
    }

    /// "; by a closure alone 0.38 ns more in chains of 10, and 0.08 ns more in chains of 1,000"; nothing where that was
    /// not measured.
    func furtherByClosures(_ part: IndirectCalls.Part) -> String {
        let claim = IndirectCalls(part)
        func text(_ figure: Figure) -> String? { try? difference(claim, figure) }
        switch part {
        case .indirectCalls:
            guard let short = text(claim.further(of: IndirectCalls.closure, chains: 10)),
                let long = text(claim.further(of: IndirectCalls.closure, chains: 1_000))
            else { return "" }
            return "; by a closure alone \(short) in chains of 10, and \(long) in chains of 1,000"
        case .deepChains:
            return text(claim.further(of: IndirectCalls.closure, chains: nil)).map { "; by a closure alone \($0)" }
                ?? ""
        }
    }

    /// " Kernels in Go 1.27.3 slow down by checks 1.2 times as much where nothing is inlined as inlined as usual.";
    /// nothing where that was not measured.
    var inliningInGo: String {
        guard let cost = try? times(Inlining(), .inliningSavesInGo, "much") else { return "" }
        return " Kernels in \(newestGo(Inlining())) slow down by checks \(cost) where nothing is inlined as inlined as "
            + "usual."
    }

    /// " By a move it takes 2.8 times as long with fresh memory, and by remapping pages 4.3 times."; nothing where
    /// these were not measured.
    var growthByMoves: String {
        guard let move = try? text(TrapCost(), .moveAgainstGoFresh) else { return "" }
        let remapping = (try? text(TrapCost(), .remappingAgainstGoFresh)).map {
            ", and by remapping pages \($0) times"
        }
        return " By a move it takes \(move) times as long with fresh memory\(remapping ?? "")."
    }

    /// " In this library a move by copying takes 1.7 times as long. One by moving pages takes 1.1 times as long, and
    /// one by remapping them 1.0 times."; what was not measured is left out.
    var contendingMoves: String {
        func text(_ way: String) -> String? { try? between(Contention(), .contendingMove(way)) }
        let copying = text(Contention.Way.copy).map { " In this library a move by copying takes \($0) times as long." }
        let moving = text(Contention.Way.uffdioMove).map { " One by moving pages takes \($0) times as long" }
        let remapping = text(Contention.Way.mremap).map { ", and one by remapping them \($0) times" }
        return (copying ?? "") + (moving.map { $0 + (remapping ?? "") + "." } ?? "")
    }

    /// Bytes of an idle stack of the newest Go before collections and after; nil where Go was not measured.
    var stackGivenBackByGo: (before: String, after: String)? {
        let figures = (verdict(Shrink().identifier)?.measured ?? []).filter { $0.name.hasPrefix("go1.") }
        guard let before = figures.first(where: { $0.name.hasSuffix("bytes before") }),
            let after = figures.first(where: { $0.name.hasSuffix("bytes after") })
        else { return nil }
        return (ReaderNumber(before).text, ReaderNumber(after).text)
    }

    /// Whether a rule told the difference that its claim is about from none.
    func isTold(_ claim: any Claim) -> Bool {
        verdicts[claim.identifier].map { $0.verdict != .notDistinguishable } ?? false
    }

    /// Whether programs with checks miss the instruction cache more or less often than without, by more than another
    /// order of their functions does.
    func areMissesTold() throws(MissingFigure) -> Bool {
        let misses = try figure(CodeSize(), .missesWithChecks)
        let other = try figure(CodeSize(), .missesOfAnotherLayout)
        return !misses.spansOne && !(other.low <= misses.median && misses.median <= other.high)
    }

    /// "; with probes, whose stacks shrink, 1.7 and 1.0 times"; nothing where that was not measured.
    var memoryWithProbes: String {
        guard let waiting = try? text(FaultGrowth(), .memoryWithProbes),
            let onceDeep = try? text(FaultGrowth(), .memoryOnceDeepWithProbes)
        else { return "" }
        return "; with probes, whose stacks shrink, \(waiting) and \(onceDeep) times"
    }

    /// What programs do: "gain 1.3 %", "lose 0.4 %", "gain nothing that can be told from zero (−1.9 to 1.6 %)".
    ///
    /// - Parameter null: The same of something that is compared with itself: within its interval nothing is told.
    func gain(_ claim: any Claim, _ figure: Figure, null: Figure? = nil) throws(MissingFigure) -> String {
        let figure = try self.figure(claim, figure)
        let null = null.flatMap { try? self.figure(claim, $0) }
        let isWithinNull = null.map { $0.low <= figure.median && figure.median <= $0.high } ?? false
        if ReaderNumber(figure).spansZero || isWithinNull {
            let ends = ReaderNumber(figure).interval
            return "gain nothing that can be told from zero" + (ends.isEmpty ? "" : " (\(ends))")
        }
        return "\(figure.median > 0 ? "gain" : "lose") \(ReaderNumber(figure.magnitude).text)"
    }

    /// Confusions in a million faults, of synthetic and of real ones together.
    func confusions() throws(MissingFigure) -> Double {
        let sources = [Classification.Source.synthetic, .real]
        var (confused, all) = (0.0, 0.0)
        for source in sources {
            let faults = try figure(Classification(), .faults(source)).median
            confused += try figure(Classification(), .confusionsInAMillion(source)).median * faults
            all += faults
        }
        return all > 0 ? confused / all : 0
    }

    /// "none was", "one in a million was", "12 in a million were": "confused" may follow.
    func confused() throws(MissingFigure) -> String {
        let count = Int(try confusions().rounded(.up))
        return count == 0 ? "none was" : count == 1 ? "one in a million was" : "\(count) in a million were"
    }

    /// "; 3 to 5 % cannot be excluded" where a gain is not told from zero and reaches what is claimed; else nothing.
    var claimedGainIsOpen: String {
        let claimed = CheckCost().claimed(.gainOnRealPrograms)
        guard !isTold(CheckCost()), let low = claimed.low,
            let gain = try? figure(CheckCost(), .gainOnRealPrograms), gain.high >= low
        else { return "" }
        return "; \(ReaderNumber.claimed(claimed)) cannot be excluded"
    }

    /// ", where 3 to 5 % are claimed" where the gain is all below that; else as ``claimedGainIsOpen``.
    var claimedGain: String {
        let claimed = CheckCost().claimed(.gainOnRealPrograms)
        guard let low = claimed.low, let gain = try? figure(CheckCost(), .gainOnRealPrograms), gain.high < low
        else { return claimedGainIsOpen }
        return ", where \(ReaderNumber.claimed(claimed)) are claimed"
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
