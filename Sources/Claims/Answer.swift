// The answer to the discussion, for somebody who designs a language: a line for each question that they must decide, made of
// verdicts and their computed reasons. No line has a number or a finding of its own.

import Report

/// The answer in ten lines.
public enum Answer {
    /// A question and the claims whose evidence answers it.
    struct Question {
        /// What is asked.
        var text: String
        /// Those that decide it, in the order in which they are cited.
        var claims: [String]
    }

    /// In the order in which a designer meets them: is there something to gain, what does it cost, what can go wrong.
    static let questions = [
        Question(text: "What do prologue checks cost?", claims: ["check-cost"]),
        Question(text: "In which code do they cost it?", claims: ["inlining", "prologue-census"]),
        Question(text: "What does a growth cost instead, by a trap?", claims: ["trap-cost"]),
        Question(text: "Which programs does the trap pay for?", claims: ["break-even"]),
        Question(text: "Segments, or moving, or in place?", claims: ["hot-split", "move-cost"]),
        Question(text: "What does a small stack take?", claims: ["minimum-stack", "initial-size"]),
        Question(text: "Is there address space and memory for it?", claims: ["address-space", "overcommit"]),
        Question(text: "Can a growth be told from a bug?", claims: ["classification"]),
        Question(text: "Does it hold with threads and other systems?", claims: ["contention", "portability"]),
        Question(text: "What do stackless coroutines save?", claims: ["stackless"]),
    ]

    /// The lines that follow from the verdicts of a document; none where nothing was judged.
    public static func lines(_ document: Document) -> [String] {
        guard let verdicts = document.verdicts, !verdicts.isEmpty else { return [] }
        return questions.map { question in
            "\(question.text) \(question.claims.map { sentence($0, verdicts) }.joined(separator: " "))"
        }
    }

    /// What became of a claim, with its numbers.
    private static func sentence(_ claim: String, _ verdicts: [ClaimVerdict]) -> String {
        guard let verdict = verdicts.first(where: { $0.claim == claim }) else { return "\(claim) was not run." }
        let reason = verdict.reason.last == "." ? verdict.reason : "\(verdict.reason)."
        return "\(claim), \(verdict.verdict.rawValue): \(reason)"
    }
}
