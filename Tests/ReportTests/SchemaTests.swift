import Measurement
import Report
import Testing

struct SchemaTests {
    static func validator() throws -> SchemaValidator {
        SchemaValidator(schema: try JSONValue(RecordSchema.text))
    }

    @Test func `the schema uses only what the validator checks`() throws {
        try Self.validator().checkKeywords()
    }

    @Test func `a document follows the schema`() throws {
        try Self.validator().validate(JSONValue(Samples.document.json()))
    }

    @Test func `a document with verdicts and claims follows the schema`() throws {
        try Self.validator().validate(JSONValue(Samples.judged.json()))
    }

    @Test func `a document of this machine follows the schema`() throws {
        let document = Document(machine: .current(compilers: true), records: [])
        try Self.validator().validate(JSONValue(document.json()))
    }

    @Test func `a document of a machine that tells nothing follows the schema`() throws {
        try Self.validator().validate(JSONValue(Document(machine: MachineFacts(), records: []).json()))
    }

    @Test func `the schema names the units, the verdicts and the version that are written`() throws {
        let schema = try JSONValue(RecordSchema.text)
        let units = schema[["$defs", "unit", "enum"]]?.array?.compactMap(\.string)
        #expect(units == MetricUnit.allCases.map(\.rawValue))
        let verdicts = schema[["$defs", "verdictWord", "enum"]]?.array?.compactMap(\.string)
        #expect(verdicts == Verdict.allCases.map(\.rawValue))
        #expect(schema[["properties", "schemaVersion", "const"]] == .int(Document.currentSchemaVersion))
    }

    /// One change to a valid document each, with the place and the rule that it breaks. Records: 0 is a time, 1 a
    /// ratio, 2 a fault.
    @Test(
        arguments: [
            ("schemaVersion", .int(2), "/schemaVersion", "const"),
            ("schemaVersion", nil, "/schemaVersion", "required"),
            ("notes", nil, "/notes", "required"),
            ("notes/0", .string(""), "/notes/0", "minLength"),
            ("machine", nil, "/machine", "required"),
            ("extra", .int(1), "/extra", "additionalProperties"),
            ("machine/cores", nil, "/machine/cores", "required"),
            ("machine/cores", .int(0), "/machine/cores", "minimum"),
            ("machine/cores", .string("2"), "/machine/cores", "type"),
            ("machine/cores", .double(1.5), "/machine/cores", "type"),
            ("machine/host", .string("x"), "/machine/host", "additionalProperties"),
            ("machine/isDebugBuild", .null, "/machine/isDebugBuild", "type"),
            ("machine/mitigations", .object(["a": .int(1)]), "/machine/mitigations/a", "type"),
            ("machine/loadAverage", .double(-0.5), "/machine/loadAverage", "minimum"),
            ("records", .object([:]), "/records", "type"),
            ("records/0", .array([]), "/records/0", "type"),
            ("records/0/case", nil, "/records/0/case", "required"),
            ("records/0/case", .string(""), "/records/0/case", "minLength"),
            ("records/0/suite", .string("Switch suite"), "/records/0/suite", "pattern"),
            ("records/0/unit", .string("us"), "/records/0/unit", "enum"),
            ("records/0/unit", .string("ratio"), "/records/0/unit", "enum"),
            ("records/0/median", .string("2"), "/records/0/median", "type"),
            ("records/0/median", .null, "/records/0/median", "type"),
            ("records/0/samples", .int(-1), "/records/0/samples", "minimum"),
            ("records/0/samples", .double(1.5), "/records/0/samples", "type"),
            ("records/0/mean", .int(2), "/records/0/mean", "additionalProperties"),
            ("records/0/parameters/x", .null, "/records/0/parameters/x", "type"),
            ("records/0/parameters/x", .array([]), "/records/0/parameters/x", "type"),
            ("records/1/parameters/baseline", nil, "/records/1/parameters/baseline", "required"),
            ("records/1/parameters/baseline", .int(1), "/records/1/parameters/baseline", "type"),
            ("records/1/unit", .string("ns"), "/records/1/unit", "const"),
            ("records/2/metric", .string("outcome"), "/records/2/metric", "const"),
            ("records/2/unit", .string("bytes"), "/records/2/unit", "const"),
            ("records/2/parameters/verdict", nil, "/records/2/parameters/verdict", "required"),
            ("records/2/parameters/signal", .int(11), "/records/2/parameters/signal", "type"),
            ("verdicts", .object([:]), "/verdicts", "type"),
            ("verdicts/0/reason", nil, "/verdicts/0/reason", "required"),
            ("verdicts/0/reason", .string(""), "/verdicts/0/reason", "minLength"),
            ("verdicts/0/verdict", .string("true"), "/verdicts/0/verdict", "enum"),
            ("verdicts/0/seconds", .double(-0.5), "/verdicts/0/seconds", "minimum"),
            ("verdicts/0/command", .string(""), "/verdicts/0/command", "minLength"),
            ("verdicts/0/remark", .string("x"), "/verdicts/0/remark", "additionalProperties"),
            ("verdicts/0/claimed/0/unit", .string("us"), "/verdicts/0/claimed/0/unit", "enum"),
            ("verdicts/0/claimed/1/high", .null, "/verdicts/0/claimed/1/high", "type"),
            ("verdicts/0/measured/0/low", nil, "/verdicts/0/measured/0/low", "required"),
            ("claims/0/experiments", nil, "/claims/0/experiments", "required"),
            ("claims/0/verdict", .string("depends"), "/claims/0/verdict", "additionalProperties"),
        ] as [(String, JSONValue?, String, String)])
    func `a document that breaks a rule is rejected`(
        path: String, value: JSONValue?, place: String, keyword: String
    ) throws {
        var document = try JSONValue(Samples.judged.json())
        let before = document
        document[path.split(separator: "/").map(String.init)] = value
        #expect(document != before)
        #expect(throws: SchemaValidator.Problem.violation(at: place, keyword: keyword)) {
            try Self.validator().validate(document)
        }
    }

    @Test func `the validator rejects a keyword that it does not know`() throws {
        let validator = SchemaValidator(schema: .object(["maximum": .int(1)]))
        #expect(throws: SchemaValidator.Problem.unknownKeyword("maximum")) { try validator.checkKeywords() }
        #expect(throws: SchemaValidator.Problem.unknownKeyword("maximum")) { try validator.validate(.int(0)) }
    }
}
