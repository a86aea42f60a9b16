// What a run says to designers of languages: the answer, ten lines, a sentence for each claim. Every number is filled
// in from verdicts; what was not measured is said to be so.

import Experiments
import FoundationEssentials
import Report

/// The words of a report.
public enum Summary {
    /// What was asked.
    static let question = "Should Go replace its stack checks by page faults?"

    /// The words that follow from the verdicts of a document; the headline alone where nothing was judged.
    public static func article(_ document: Document) -> Article {
        var article = Article(question: question)
        let readings = Readings(document)
        guard !readings.isEmpty else { return article }
        let answer = Answer(readings)
        article.answer = answer.sentence
        article.paragraphs = answer.paragraphs
        article.keyFigures = answer.keyFigures
        article.lines = lines(readings)
        for verdict in document.verdicts ?? [] { article.findings[verdict.claim] = finding(verdict, readings) }
        article.related = related(article.findings)
        article.guide = guide(document)
        article.needs = needs
        article.untested = untested
        article.words = words
        return article
    }

    /// The summary: a line for each subject, whatever was run.
    static func lines(_ readings: Readings) -> [Article.Line] {
        subjects.map { subject in
            let claims = subject.claims.map(\.identifier)
            let text = (try? subject.text(readings)) ?? "Not measured in this run."
            return Article.Line(subject.name, text, claims: claims.filter { readings.verdict($0) != nil })
        }
    }

    /// What is said of a claim: its own sentence, or where a figure of that is missing, one that any claim can have.
    static func finding(_ verdict: ClaimVerdict, _ readings: Readings) -> Article.Finding {
        let text = findings[verdict.claim]
        return Article.Finding(
            title: text?.title ?? plainTitle(verdict.claim),
            sentence: (try? text?.sentence?(readings)) ?? plainSentence(verdict),
            change: text?.change ?? plainChange(verdict))
    }

    /// The work of others, from the one file that has it.
    static func related(_ findings: [String: Article.Finding]) -> [Article.Work] {
        do {
            let works = try JSONDecoder().decode([Article.Work].self, from: Data(PackageResources.related_json))
            return works.map { work in
                var work = work
                for (claim, finding) in findings {
                    work.ours = work.ours.replacing("{\(claim)}", with: finding.sentence)
                }
                // A claim that was not run has nothing to stand beside.
                if work.ours.contains("{") { work.ours = "not measured in this run." }
                return work
            }
        } catch {
            preconditionFailure("related.json: \(error)")
        }
    }

    private static func plainTitle(_ claim: String) -> String {
        let words = claim.replacing("-", with: " ")
        return words.prefix(1).uppercased() + words.dropFirst()
    }

    /// "Gain on real programs: 1.3 %, where 3 to 5 % was claimed."; of a claim without a number, where our reading is.
    static func plainSentence(_ verdict: ClaimVerdict) -> String {
        for claimed in verdict.claimed {
            if let measured = verdict.measured.first(where: { $0.name == claimed.name }) {
                let name = claimed.name.prefix(1).uppercased() + claimed.name.dropFirst()
                let due = ReaderNumber.claimed(claimed)
                return "\(name): \(ReaderNumber(measured).marked), where "
                    + (claimed.isOurReading == true ? "our reading of the claim is \(due)." : "\(due) was claimed.")
            }
        }
        switch verdict.verdict {
        case .confirmed: return "What was claimed was found."
        case .refuted: return "What was claimed was not found."
        case .depends: return "The claim holds in a part of what was measured."
        default: return "This run does not tell."
        }
    }

    /// What the figures of a claim would have to be.
    static func plainChange(_ verdict: ClaimVerdict) -> String {
        guard !verdict.claimed.isEmpty else { return "" }
        let figures = verdict.claimed.map { "\($0.name), \(ReaderNumber.markedClaim($0))" }.joined(separator: "; ")
        return verdict.verdict == .confirmed
            ? "A whole interval outside of what was claimed, which is: \(figures)."
            : "Whole intervals within what was claimed, which is: \(figures)."
    }
}
