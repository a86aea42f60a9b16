import Experiments
import Foundation
import Measurement
import Report
import Testing

@testable import Claims

/// "It is more than one", of a size that is told to it.
private struct SizeClaim: Claim {
    static let size = Metric("size", .count)
    let identifier = "size"
    let saidBy = "a test"
    let statement = "It is more than one."
    let claimed: [ClaimedFigure] = []
    let experiments = ["it is looked at"]

    func measure(_ laboratory: Laboratory) throws -> [Record] { [] }

    func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let size = try evidence.estimate("it", metric: Self.size)
        let verdict: Verdict = size.low > 1 ? .confirmed : size.high < 1 ? .refuted : .notDistinguishable
        return Judgement(
            verdict, measured: [MeasuredFigure(Figure("size", .count), size)], reason: "\(size.low) to \(size.high)")
    }
}

@Suite("Merged runs") struct MergedRunsTests {
    private static let claim = SizeClaim()

    /// A run whose size lies a tenth around `size`; nil where it could not be measured.
    private func run(_ name: String, _ size: Double?, processor: String = "A", notes: [String] = []) -> MergedRuns.Run {
        var machine = MachineFacts()
        machine.processorModel = processor
        let records = size.map { size in
            [
                Self.claim.record(
                    "it", SizeClaim.size,
                    Estimate(median: size, low: size * 0.875, high: size * 1.125, samples: 7),
                    [.seed: .string(name), .strategy: "fault"])
            ]
        }
        var document = Document(machine: machine, records: records ?? [], notes: notes)
        document.verdicts = [Self.claim.verdict(on: records ?? [], missing: size == nil ? ["a ruler"] : [])]
        return (name, document)
    }

    private func merged(_ runs: MergedRuns.Run...) -> Document { MergedRuns.document(runs, judgedBy: [Self.claim]) }

    /// What is found beside a record differs between the metrics of one thing once runs are merged.
    @Test func `rules find in merged records of full runs what they find in those of one`() throws {
        let folder = GeneratedFile.url("docs/runs")
        let runs = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        try #require(!runs.isEmpty)
        for run in runs {
            let document = try Document(json: GeneratedFile.text("docs/runs/\(run)/records.json"))
            // Of each record another run measured a little more, each by its own share.
            let again = document.records.enumerated().map { place, record in
                var record = record
                let factor = record.samples > 0 ? 1 + Double(place % 10) / 1_000 : 1
                (record.median, record.low, record.high) = (
                    record.median * factor, record.low * factor, record.high * factor
                )
                return record
            }
            let merged = Record.merged([document.records, again])
            for claim in Claims.all {
                let (one, both) = (claim.verdict(on: document.records), claim.verdict(on: merged))
                #expect(one.measured.map(\.name) == both.measured.map(\.name), "\(claim.identifier) in \(run)")
                // More samples may tell what fewer could not.
                #expect(
                    both.verdict != .notMeasurable || one.verdict == .notMeasurable,
                    "\(claim.identifier) in \(run): \(both.reason)")
            }
        }
    }

    @Test func `one run is itself`() {
        let run = run("monday", 2)
        #expect(merged(run) == run.document)
    }

    @Test func `a bound of one run is a bound of all, and what was counted stays counted`() {
        func record(_ value: Double, unended: Int? = nil) -> Record {
            var record = Self.claim.record("it", SizeClaim.size, exactly: value)
            if let unended { record.parameters.merge([.atLeast: true, .unended: .int(unended)]) { $1 } }
            return record
        }
        let bounded = Record.merged([[record(2, unended: 1)], [record(3)], [record(4, unended: 2)]])
        #expect(bounded.count == 1 && bounded[0].isAtLeast && bounded[0].parameters[.unended] == 3)
        // Unlike counts are samples of their runs.
        #expect(bounded[0].samples == 3)
        let counted = Record.merged([[record(2)], [record(2)]])
        #expect(counted[0].estimate == Estimate(exactly: 2) && !counted[0].isAtLeast)
    }

    @Test func `records of one identity become one that has all intervals in it`() throws {
        let document = merged(run("a", 2), run("b", 3, processor: "B"))
        let record = try #require(document.records.first)
        #expect(document.records.count == 1)
        #expect(record.estimate == Estimate(median: 2.5, low: 1.75, high: 3.375, samples: 14))
        #expect(record.parameters[.runs] == 2 && record.parameters[.spreadBetweenRuns] == 1.5)
        #expect(document.runs?.map(\.machine.processorModel) == ["A", "B"])
        #expect(try Document(json: document.json()) == document)
        let verdict = try #require(document.verdicts?.first)
        #expect(verdict.verdict == .confirmed && verdict.byRun == [.confirmed, .confirmed])
        #expect(verdict.measured.first?.byRun == [2, 3])
        #expect(MergedRuns.judged(document, Self.claim) == .confirmed)
    }

    @Test func `runs that disagree make it depend on the machine, which is said`() throws {
        let document = merged(run("a", 2), run("b", 0.5, processor: "B"))
        let verdict = try #require(document.verdicts?.first)
        #expect(verdict.verdict == .depends)
        #expect(
            verdict.reason
                == "it depends on the machine or the day: confirmed in a (A), refuted in b (B). In all runs: "
                + "0.4375 to 2.25")
        // The records alone would say that it is not distinguishable.
        #expect(MergedRuns.judged(document, Self.claim) == .depends)
    }

    @Test func `a run that could not measure says nothing against the others`() throws {
        let verdict = try #require(merged(run("a", 2), run("b", nil)).verdicts?.first)
        #expect(verdict.verdict == .confirmed && verdict.byRun == [.confirmed, .notMeasurable])
        #expect(verdict.reason == "1.75 to 2.25; not measurable in b")
        let neither = try #require(merged(run("a", nil), run("b", nil)).verdicts?.first)
        #expect(neither.verdict == .notMeasurable && neither.reason == "missing: a ruler")
    }

    @Test func `what others disturbed in one run is flagged in all`() {
        var disturbed = run("b", 2)
        disturbed.document.records[0].parameters[.othersProcessors] = .double(0.7)
        disturbed.document.verdicts?[0].disturbed = "others used 0.7 processors meanwhile"
        let document = merged(run("a", 2), disturbed)
        #expect(document.records[0].parameters[.othersProcessors] == .double(0.7))
        #expect(document.verdicts?[0].disturbed == "b: others used 0.7 processors meanwhile")
    }

    @Test func `notes and warnings that not all runs have carry their run's name`() {
        #expect(merged(run("a", 2, notes: ["x", "y"]), run("b", 2, notes: ["x"])).notes == ["x", "a: y"])
        var busy = run("b", 2)
        busy.document.machine.warnings = ["busy"]
        #expect(merged(run("a", 2), busy).machine.warnings == ["b: busy"])
        #expect(merged(busy, busy).machine.warnings == ["busy"])
    }

    @Test func `what was found with a record is put together`() {
        func record(_ found: [ParameterName: ParameterValue]) -> Record {
            Record(suite: "a", case: "b", metric: .time, exactly: 1, parameters: found.merging([.peer: "c"]) { $1 })
        }
        func merged(_ found: [ParameterName: ParameterValue]...) -> [ParameterName: ParameterValue] {
            let records = Record.merged(found.map { [record($0)] })
            #expect(records.count == 1)
            return records[0].parameters
        }
        #expect(merged([.stacks: 3], [.stacks: 8], [.stacks: 4])[.stacks] == 4)
        #expect(merged([.ending: "died"], [.ending: "error"], [.ending: "died"])[.ending] == "died or error")
        #expect(merged([.atLeast: false], [.atLeast: true])[.atLeast] == true)
        #expect(merged([:], [.unended: 5])[.unended] == 5)
        #expect(merged([.othersProcessors: 0.5], [.othersProcessors: 0.7])[.othersProcessors] == 0.7)
        #expect(Record.merged([[record([.depth: 1])], [record([.depth: 2])]]).count == 2)
    }

    /// One real run, and the same with all that is found changed, in another order.
    @Test func `every record of a run finds itself in another run`() throws {
        let records = try Document(json: GeneratedFile.text("docs/records.json")).records.map { record in
            var record = record
            record.parameters[.runs] = nil
            record.parameters[.spreadBetweenRuns] = nil
            return record
        }
        let other = records.reversed().map { record in
            var record = record
            (record.median, record.low, record.high) = (record.median + 2, record.low + 2, record.high + 2)
            for (name, value) in record.parameters where ParameterName.found.contains(name.rawValue) {
                record.parameters[name] = .string("\(value) and more")
            }
            record.parameters[.othersProcessors] = 0.7
            return record
        }
        let merged = Record.merged([records, other])
        #expect(merged.map(\.name) == records.map(\.name))
        for (merged, record) in zip(merged, records) {
            #expect(merged.parameters[.runs] == 2 && abs(merged.median - record.median - 1) < 1e-6, "\(record)")
        }
    }

    /// A name that is in neither list would silently make a record of its own in each run, or none.
    @Test func `every parameter that is declared identifies a record or is found with it`() throws {
        let sources = GeneratedFile.url("Sources")
        var declared: Set<String> = []
        let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
        for case let file as URL in files where file.pathExtension == "swift" {
            let text = try String(contentsOf: file, encoding: .utf8)
            declared.formUnion(text.matches(of: #/ParameterName\("([^"]+)"\)/#).map { String($0.1) })
        }
        #expect(declared.count > 50)
        #expect(ParameterName.found.isDisjoint(with: ParameterName.identifying))
        let listed = ParameterName.found.union(ParameterName.identifying)
        #expect(
            declared.subtracting(listed).sorted() == [], "list them in Sources/Report/ParameterRoles.swift")
        #expect(listed.subtracting(declared).sorted() == [], "nothing declares them any more")
    }
}
