// What every command writes as JSON. The encoding is stable: sorted keys, records in the order given, two spaces.

import FoundationEssentials
import Measurement

/// One of several runs whose results are together in a document.
public struct MeasuredRun: Sendable, Hashable, Codable {
    /// What it is called, for instance the name of its folder.
    public var name: String
    /// The machine that it ran on.
    public var machine: MachineFacts
    /// What a reader should know of it.
    public var notes: [String]
    /// When it began, in UTC, as `2026-11-28T23:10:00Z`; `nil` where its document does not say.
    public var began: String?
    /// What determined its orders and layouts; `nil` as above.
    public var seed: UInt64?

    /// The run of a document.
    public init(name: String, _ document: Document) {
        (self.name, machine, notes) = (name, document.machine, document.notes)
        (began, seed) = (document.began, document.seed)
    }
}

/// The results of one run of a command, and the machine they come from.
public struct Document: Sendable, Hashable, Codable {
    /// The version of the JSON Schema that this module writes. It changes when a reader of the old one would misread
    /// the new one, not when something is added.
    public static let currentSchemaVersion = 1

    /// The version of the JSON Schema that the document follows.
    public let schemaVersion: Int
    /// The machine that the results come from; its warnings apply to all of them.
    public var machine: MachineFacts
    /// The results, in the order in which they are shown.
    public var records: [Record]
    /// What a reader should know of this run: what was skipped and why.
    public var notes: [String]
    /// What became of each claim; `nil` in documents of commands that judge none.
    public var verdicts: [ClaimVerdict]?
    /// The runs whose results are together here, where there are several; `machine` then is that of the first.
    public var runs: [MeasuredRun]?
    /// When the run began, in UTC, as `2026-11-28T23:10:00Z`; `nil` in documents of commands that do not say it.
    public var began: String?
    /// What determined orders, layouts and resampling; `nil` as above.
    public var seed: UInt64?
    /// The claims that there are; `nil` in documents of commands that do not list them.
    public var claims: [ClaimDescription]?

    /// A document of the current schema version.
    public init(
        machine: MachineFacts, records: [Record], notes: [String] = [], verdicts: [ClaimVerdict]? = nil,
        claims: [ClaimDescription]? = nil
    ) {
        schemaVersion = Self.currentSchemaVersion
        self.machine = machine
        self.records = records
        self.notes = notes
        self.verdicts = verdicts
        self.claims = claims
    }

    /// The document without what was measured for these claims, and without its notes on them.
    public func without(_ claims: Set<String>) -> Document {
        var document = self
        document.records.removeAll { claims.contains($0.suite) }
        document.verdicts?.removeAll { claims.contains($0.claim) }
        document.notes.removeAll { note in claims.contains { note.hasPrefix("\($0) ") || note.hasPrefix("\($0): ") } }
        return document
    }

    /// The document as JSON, ending in a newline.
    ///
    /// - Throws: ``ReportError/invalidRecord(record:reason:)`` for the first record that breaks an invariant.
    public func json() throws -> String {
        for record in records { try record.check() }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }

    /// The document that a JSON text holds.
    ///
    /// - Throws: `DecodingError` when it is not JSON or not a document.
    public init(json: String) throws {
        self = try JSONDecoder().decode(Document.self, from: Data(json.utf8))
    }
}
