// Claims that say several things: each holds or does not, and the verdict is about all of them.

import Experiments
import Report

/// One of several things that a claim says.
struct Statement {
    let text: String
    /// Nil when the interval does not tell.
    let holds: Bool?
    /// Whether what it says hangs on a difference that its null control shows as well; it then is not decided.
    let isWithinNull: Bool

    init(_ text: String, holds: Bool?, isWithinNull: Bool = false) {
        self.text = text
        self.holds = isWithinNull ? nil : holds
        self.isWithinNull = isWithinNull
    }

    static func text(_ statements: [Statement]) -> String {
        let groups = [(true, "holds"), (false, "does not hold"), (nil, "undecided")] as [(Bool?, String)]
        return groups.compactMap { holds, word in
            let texts = statements.filter { $0.holds == holds }.map(\.text)
            return texts.isEmpty ? nil : "\(word): \(texts.joined(separator: "; "))"
        }.joined(separator: ". ")
    }
}
