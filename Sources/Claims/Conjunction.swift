// Claims that name several numbers of one thing: true only where each of them is.

import Experiments
import Measurement
import Report

extension Statement {
    /// All hold, one does not, or what is open decides.
    static func conjunction(_ statements: [Statement]) -> Verdict {
        if statements.contains(where: { $0.holds == false }) { return .refuted }
        if statements.allSatisfy({ $0.holds == true }) { return .confirmed }
        return statements.contains(where: \.isWithinNull) ? .notDistinguishable : .notMeasurable
    }

    /// Whether an estimate is what a figure claims; beyond a bound it is not.
    init(_ text: String, _ estimate: Estimate, is figure: ClaimedFigure) {
        let relation = estimate.relation(to: figure)
        self.init(text, holds: relation == .undecided ? nil : relation == .within)
    }
}

extension Array where Element == Record {
    /// The records of the newest version of Go that was installed; those of older ones, of this library and others are
    /// left out. None where the newest could not be measured: an older one does not decide in its place.
    var ofNewestGo: [Record] {
        guard let newest = newestInstalledGo ?? last(where: { $0.goVersion != nil })?.goVersion else { return [] }
        return filter { $0.goVersion == newest }
    }

    /// The newest version of Go that was installed where they were made; nil where they do not say it.
    var newestInstalledGo: String? {
        // Of several runs the names of all are there: "go1.26.1 or go1.27.3".
        compactMap { $0.parameters[.newestGo]?.text }.flatMap { $0.split(separator: " or ").map(String.init) }
            .max(by: Self.isOlder)
    }

    /// The newest version of Go that they are of.
    private var newestMeasuredGo: String? { compactMap(\.goVersion).max(by: Self.isOlder) }

    /// What a reader must know of a verdict on them: that the newest version was not measured, and which was.
    var absenceOfNewestGo: String? {
        guard let installed = newestInstalledGo, let measured = newestMeasuredGo, Self.isOlder(measured, installed)
        else { return nil }
        return "\(installed) is installed and was not measured; of \(measured) there are records"
    }

    private static func isOlder(_ first: String, _ second: String) -> Bool {
        func numbers(_ version: String) -> [Int] { version.split { !$0.isNumber }.compactMap { Int($0) } }
        return numbers(first).lexicographicallyPrecedes(numbers(second))
    }
}
