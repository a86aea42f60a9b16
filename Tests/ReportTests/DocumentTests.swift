import Foundation
import Measurement
import Report
import Testing

struct DocumentTests {
    @Test func `a document survives a round trip`() throws {
        let document = Samples.document
        #expect(try Document(json: document.json()) == document)
    }

    @Test func `verdicts and claims survive a round trip`() throws {
        #expect(try Document(json: Samples.judged.json()) == Samples.judged)
    }

    @Test func `this machine's document survives a round trip`() throws {
        let document = Document(machine: .current(compilers: true), records: [])
        #expect(try Document(json: document.json()) == document)
    }

    @Test func `a whole double comes back as the same number`() throws {
        var record = Samples.time
        record.parameters = ["a": .double(2), "b": .double(0.1), "c": .int(-3), "d": .bool(false), "e": "1"]
        let text = try Document(machine: Samples.machine, records: [record]).json()
        let parameters = try Document(json: text).records[0].parameters
        #expect(parameters == ["a": .int(2), "b": .double(0.1), "c": .int(-3), "d": .bool(false), "e": "1"])
    }

    @Test func `a record has the expected text`() throws {
        let text = try Document(machine: MachineFacts(), records: [Samples.ratio], notes: ["a/b \"c\""]).json()
        #expect(
            text == """
                {
                  "machine" : {
                    "architecture" : null,
                    "busyProcessors" : null,
                    "cLibrary" : null,
                    "compilers" : null,
                    "cores" : null,
                    "hasHardwareCounters" : null,
                    "isDebugBuild" : false,
                    "isVirtualized" : null,
                    "kernelRelease" : null,
                    "loadAverage" : null,
                    "maxMapCount" : null,
                    "mitigations" : null,
                    "overcommitMemory" : null,
                    "pageSize" : null,
                    "processorModel" : null,
                    "sourceRevision" : null,
                    "swiftCompiler" : null,
                    "totalMemory" : null,
                    "transparentHugepages" : null,
                    "warnings" : [

                    ]
                  },
                  "notes" : [
                    "a/b \\"c\\""
                  ],
                  "records" : [
                    {
                      "case" : "api",
                      "high" : 0.4401,
                      "low" : 0.4287,
                      "median" : 0.4312,
                      "metric" : "ratio",
                      "parameters" : {
                        "baseline" : "boost-fcontext",
                        "clock" : "monotonic"
                      },
                      "samples" : 31,
                      "suite" : "switch",
                      "unit" : "ratio"
                    }
                  ],
                  "schemaVersion" : 1
                }

                """)
    }

    @Test func `a measurement becomes times, ratios and null controls`() throws {
        func samples(_ name: String, _ time: Double, copyOf original: String? = nil) -> CaseSamples {
            CaseSamples(
                name: name, isNullControlOf: original, iterations: 10,
                nanosecondsPerOperation: [time, time, time, time, 50 * time])
        }
        let result = MeasurementResult(
            cases: [samples("plain", 4), samples("plain null", 4, copyOf: "plain"), samples("checked", 5)],
            clock: .processTime, seed: UInt64.max)
        let records = try Record.records(
            of: result, suite: "checks", comparisons: [("checked", "plain")], parameters: ["frame": 64])
        #expect(records.map(\.name) == ["plain", "checked", "checked", "plain null"])
        #expect(records.map(\.metric) == ["time", "time", "ratio", "ratio"])
        #expect(records.map(\.median) == [4, 5, 1.25, 1])
        #expect(records.map(\.samples) == [5, 5, 5, 5])
        #expect(
            records[0].parameters == [
                "clock": "process-time", "seed": "18446744073709551615", "iterations": 10, "outliers": 1,
                "frame": 64,
            ])
        #expect(records[2].parameters["baseline"] == "plain" && records[2].parameters["null-control"] == nil)
        #expect(records[3].parameters["baseline"] == "plain" && records[3].parameters["null-control"] == true)
        try SchemaTests.validator().validate(
            JSONValue(Document(machine: Samples.machine, records: records).json()))
        #expect(throws: MeasurementError.self) {
            try Record.records(of: result, suite: "checks", comparisons: [("checked", "none")])
        }
    }

    private typealias Spoiling = @Sendable (inout Record) -> Void

    private static func spoil<Value: Sendable>(
        _ path: any WritableKeyPath<Record, Value> & Sendable, _ value: Value
    ) -> Spoiling {
        { $0[keyPath: path] = value }
    }

    private static let broken: [(Spoiling, String)] = [
        (spoil(\.suite, ""), "must not be empty"), (spoil(\.name, ""), "must not be empty"),
        (spoil(\.metric, ""), "must not be empty"), (spoil(\.high, .infinity), "must be finite"),
        (spoil(\.median, .nan), "must be finite"), (spoil(\.low, 3), "lies outside"),
        (spoil(\.high, 2), "lies outside"), (spoil(\.samples, -1), "negative"),
        (spoil(\.metric, "ratio"), "go together"), (spoil(\.unit, .ratio), "go together"),
        (
            {
                $0.metric = "ratio"
                $0.unit = .ratio
            }, "needs the name of its baseline"
        ),
        (spoil(\.parameters, ["x": .double(.nan)]), "parameter 'x' must be finite"),
    ]

    @Test(arguments: broken)
    func `a record that breaks an invariant is not written`(
        spoil: @Sendable (inout Record) -> Void, reason: String
    ) throws {
        var record = Samples.time
        spoil(&record)
        let document = Document(machine: Samples.machine, records: [Samples.ratio, record])
        let error = try #require(#expect(throws: ReportError.self) { try document.json() })
        #expect("\(error)".contains(reason))
        #expect(!"\(error)".contains("\n"))
        #expect(throws: error) { try document.table() }
    }
}
