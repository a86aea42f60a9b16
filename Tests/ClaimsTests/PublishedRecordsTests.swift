// docs/records.json, the records of the last full runs that were published, as evidence: the verdicts beside them
// follow from them, and every name that a plot reads is declared by its claim. Where a claim has come or gone since,
// the runs are older than the rules, which then say nothing of them.

import Experiments
import Foundation
import Measurement
import Report
import TestNeeds
import Testing

@testable import Claims

@Suite("Published records") struct PublishedRecordsTests {
    private static var document: Document {
        get throws { try Document(json: GeneratedFile.text("docs/records.json")) }
    }

    private static let isOfTheseClaims =
        (try? document).map { $0.verdicts?.map(\.claim) == Claims.identifiers } ?? true
    private static let published = Need(
        "published-run", "docs/records.json has other claims; scripts/publish of full runs makes it",
        isMet: isOfTheseClaims)

    @Test(.needs(published)) func `verdicts and their figures follow from the records`() throws {
        let document = try Self.document
        let verdicts = try #require(document.verdicts)
        #expect(verdicts.map(\.claim) == Claims.identifiers)
        for (claim, published) in zip(Claims.all, verdicts) {
            let verdict = claim.verdict(on: document.records)
            #expect(MergedRuns.judged(document, claim) == published.verdict, "\(published.claim)")
            // What each run measured is not in the records of all.
            let measured = published.measured.map { figure in
                var figure = figure
                figure.byRun = nil
                return figure
            }
            #expect(verdict.measured == measured, "\(published.claim)")
        }
    }

    @Test(.needs(published)) func `every sentence of the report has its figures`() throws {
        let document = try Self.document
        let readings = Readings(document)
        for subject in Summary.subjects {
            #expect(throws: Never.self, "\(subject.name)") { try subject.text(readings) }
        }
        for verdict in try #require(document.verdicts) {
            guard let sentence = Summary.findings[verdict.claim]?.sentence else { continue }
            #expect(throws: Never.self, "\(verdict.claim)") { try sentence(readings) }
        }
        #expect(Summary.article(document).keyFigures.count == 4)
    }

    @Test func `a reader of the report meets no names of code, cut sentences or intervals in sentences`() throws {
        let document = try Self.document
        let pages = try ResultsPage(document, article: Summary.article(document)).markdown()
        #expect(pages[0].text.utf8.count <= 30_000)
        let text = pages.map(\.text).joined()
        #expect(!text.contains("…"))
        // How a rule decided is said with its intervals.
        let sentences = text.split(separator: "\n").filter { line in
            !["|", "**Again", "**Rule"].contains { line.hasPrefix($0) }
        }
        for sentence in sentences {
            for name in ["fault-move", "check-move", "guard-pages", "prot-none", "go1.", "  ", " 1 times"] {
                #expect(!sentence.contains(name), "\(sentence)")
            }
            #expect(sentence.firstMatch(of: #/\[[−\-\d.,]+, /#) == nil, "\(sentence)")
        }
    }

    @Test func `the names that plots read are those of the claims`() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try GeneratedFile.check("scripts/plots/names.json") { _ in
            let lines = try Claims.plotted.sorted { $0.key < $1.key }.map { claim, names in
                "  \"\(claim)\": \(String(decoding: try encoder.encode(names), as: UTF8.self))"
            }
            // What runs find with a record, and what does not tell it from others.
            let found = String(decoding: try encoder.encode(ParameterName.found.sorted()), as: UTF8.self)
            return "{\n\(lines.joined(separator: ",\n")),\n  \"found\": \(found)\n}\n"
        }
    }
}
