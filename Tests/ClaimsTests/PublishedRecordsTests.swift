// docs/records.json, the records of the last full run that was published, as evidence: the verdicts beside them follow
// from them, and every name that a plot reads is declared by its claim.

import Experiments
import Foundation
import Measurement
import Report
import Testing

@testable import Claims

@Suite("Published records") struct PublishedRecordsTests {
    private static var document: Document {
        get throws { try Document(json: GeneratedFile.text("docs/records.json")) }
    }

    @Test func `verdicts and their figures follow from the records`() throws {
        let document = try Self.document
        let verdicts = try #require(document.verdicts)
        #expect(verdicts.map(\.claim) == Claims.identifiers)
        for (claim, published) in zip(Claims.all, verdicts) {
            let verdict = claim.verdict(on: document.records)
            #expect(verdict.verdict == published.verdict, "\(published.claim)")
            #expect(verdict.measured == published.measured, "\(published.claim)")
        }
    }

    @Test func `every line of the summary has its figures`() throws {
        let verdicts = try #require(Self.document.verdicts)
        for part in Summary.parts.joined() {
            let claim = part.claim.identifier
            var part = part
            part.otherwise = nil
            let verdict = try #require(verdicts.first { $0.claim == claim })
            #expect(Summary.filled(part, verdict) != nil, "\(claim)")
        }
    }

    @Test func `the names that plots read are those of the claims`() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try GeneratedFile.check("scripts/plots/names.json") { _ in
            let lines = try Claims.plotted.sorted { $0.key < $1.key }.map { claim, names in
                "  \"\(claim)\": \(String(decoding: try encoder.encode(names), as: UTF8.self))"
            }
            return "{\n\(lines.joined(separator: ",\n"))\n}\n"
        }
    }
}
