// What a page of results says in words. Whoever knows what was measured writes it, from verdicts; the page sets it
// beside figures, plots and records.

/// The words of a page of results.
public struct Article: Sendable {
    /// A number that stands large at the beginning.
    public struct KeyFigure: Sendable, Hashable {
        /// With its unit.
        public var number: String
        /// What it is of, in a few words.
        public var text: String
        /// The claim that it was measured for.
        public var claim: String

        /// A key figure.
        public init(_ number: String, _ text: String, claim: String) {
            (self.number, self.text, self.claim) = (number, text, claim)
        }
    }

    /// A line of the summary.
    public struct Line: Sendable, Hashable {
        /// What it is about, in a word or a few.
        public var subject: String
        /// A sentence.
        public var text: String
        /// The claims that it follows from.
        public var claims: [String]

        /// A line.
        public init(_ subject: String, _ text: String, claims: [String]) {
            (self.subject, self.text, self.claims) = (subject, text, claims)
        }
    }

    /// What is said of one claim.
    public struct Finding: Sendable, Hashable {
        /// What the claim is about: the heading of its section.
        public var title: String
        /// What came out, in one sentence.
        public var sentence: String
        /// What would have to be measured for another verdict.
        public var change: String

        /// A finding.
        public init(title: String, sentence: String, change: String) {
            (self.title, self.sentence, self.change) = (title, sentence, change)
        }
    }

    /// Work of others on the same question.
    public struct Work: Sendable, Hashable, Codable {
        /// What it is called.
        public var name: String
        /// Where it is found.
        public var address: String
        /// What it found.
        public var found: String
        /// What this run says beside it; names in braces stand for findings.
        public var ours: String
    }

    /// Something that a reader can make again.
    public struct Task: Sendable, Hashable {
        /// What.
        public var what: String
        /// What to type.
        public var command: String
        /// How long it takes.
        public var time: String

        /// A task.
        public init(_ what: String, _ command: String, _ time: String) {
            (self.what, self.command, self.time) = (what, command, time)
        }
    }

    /// The headline.
    public var question: String
    /// The verdict, in one sentence.
    public var answer: String
    /// What follows it, for someone who decides.
    public var paragraphs: [String]
    /// Four, or fewer where not all was measured.
    public var keyFigures: [KeyFigure]
    /// The summary.
    public var lines: [Line]
    /// By the identifiers of claims.
    public var findings: [String: Finding]
    /// In the order in which they are shown.
    public var related: [Work]
    /// What can be made again.
    public var guide: [Task]
    /// What a second machine needs.
    public var needs: [String]
    /// What was said and is not tested, with the reason.
    public var untested = ""
    /// Words for names of code that figures and plots are called by.
    public var words: [String: String]

    /// An article without a word but its headline.
    public init(question: String) {
        self.question = question
        answer = ""
        (paragraphs, keyFigures, lines, findings, related) = ([], [], [], [:], [])
        (guide, needs, words) = ([], [], [:])
    }

    /// A text with words in place of names of code, the longest first; only whole names are replaced.
    func worded(_ text: String) -> String {
        var text = text
        for (name, word) in words.sorted(by: { ($0.key.count, $1.key) > ($1.key.count, $0.key) }) {
            var result = ""
            var rest = text[...]
            while let range = rest.firstRange(of: name) {
                let before = rest[..<range.lowerBound].last ?? text[..<rest.startIndex].last
                let after = rest[range.upperBound...].first
                let isPart = [before, after].contains { $0.map { $0.isLetter || $0 == "-" } ?? false }
                result += rest[..<range.lowerBound] + (isPart ? name : word)
                rest = rest[range.upperBound...]
            }
            text = result + rest
        }
        return text
    }
}
