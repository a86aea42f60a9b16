// Claims that say several things: each holds or does not, and the verdict is about all of them.

import Experiments
import Report

/// One of several things that a claim says.
struct Statement {
    let text: String
    /// Nil when the interval does not tell.
    let holds: Bool?

    init(_ text: String, holds: Bool?) {
        self.text = text
        self.holds = holds
    }

    /// All hold, none holds, none is decided, or some hold.
    static func verdict(_ statements: [Statement]) -> Verdict {
        if statements.allSatisfy({ $0.holds == nil }) { return .notMeasurable }
        if statements.allSatisfy({ $0.holds == true }) { return .confirmed }
        return statements.allSatisfy { $0.holds == false } ? .refuted : .depends
    }

    static func text(_ statements: [Statement]) -> String {
        let groups = [(true, "holds"), (false, "does not hold"), (nil, "undecided")] as [(Bool?, String)]
        return groups.compactMap { holds, word in
            let texts = statements.filter { $0.holds == holds }.map(\.text)
            return texts.isEmpty ? nil : "\(word): \(texts.joined(separator: "; "))"
        }.joined(separator: ". ")
    }
}
