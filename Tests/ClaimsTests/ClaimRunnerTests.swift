import Experiments
import Report
import Testing

@testable import Claims

extension Metric {
    fileprivate static let size = Metric("size", .count)
}

/// A claim that does what it is told instead of measuring.
private struct SyntheticClaim: Claim {
    var identifier: String
    var work: @Sendable (Laboratory) throws -> [Record] = { _ in [] }

    let saidBy = "a test"
    let statement = "Something is."
    let claimed: [ClaimedFigure] = []
    let experiments: [String] = []

    func measure(_ laboratory: Laboratory) throws -> [Record] { try work(laboratory) }

    func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let value = try evidence.estimate("it", metric: .size)
        return Judgement(.confirmed, measured: [], reason: "\(value.median)")
    }

    static func record(_ suite: String) -> Record {
        Record(suite: suite, case: "it", metric: .size, exactly: 1)
    }

    static func fine(_ name: String) -> SyntheticClaim { SyntheticClaim(identifier: name) { _ in [record(name)] } }
}

/// Whether the user asked to stop.
private final class StopRequest { var isMade = false }

@Suite("ClaimRunner") struct ClaimRunnerTests {
    private func laboratory(_ request: StopRequest = StopRequest()) -> Laboratory {
        Laboratory(isQuick: true, seed: 1, progress: { _ in }, isInterrupted: { request.isMade })
    }

    @Test func `each finished claim is handed over with all before it`() {
        var seen: [[String]] = []
        let run = ClaimRunner([SyntheticClaim.fine("a"), SyntheticClaim.fine("b")], in: laboratory()).run {
            seen.append($0.verdicts.map(\.claim))
        }
        #expect(seen == [["a"], ["a", "b"]])
        #expect(run.verdicts.map(\.verdict) == [.confirmed, .confirmed])
        #expect(run.records.map(\.suite) == ["a", "b"])
        #expect(run.unfinished == [])
        #expect(run.verdicts.map(\.command) == ["faultline reproduce a --quick", "faultline reproduce b --quick"])
        #expect(run.verdicts.allSatisfy { $0.seconds.map { $0 >= 0 } == true })
    }

    @Test func `a claim that fails is not measurable and the others go on`() {
        let broken = SyntheticClaim(identifier: "broken") { _ in throw MeasurementFailure("two\nlines") }
        let laboratory = laboratory()
        let run = ClaimRunner([broken, SyntheticClaim.fine("b")], in: laboratory).run { _ in }
        #expect(run.verdicts.map(\.verdict) == [.notMeasurable, .confirmed])
        #expect(run.verdicts[0].reason == "missing: two lines")
        #expect(laboratory.notes == ["broken is not measured: two lines"])
        #expect(run.records.map(\.suite) == ["b"])
    }

    @Test func `what was missing for one claim is not held against the next`() {
        let poor = SyntheticClaim(identifier: "poor") { laboratory in
            laboratory.missing("install golang-go")
            return []
        }
        let run = ClaimRunner([poor, SyntheticClaim(identifier: "b")], in: laboratory()).run { _ in }
        #expect(run.verdicts[0].reason == "missing: install golang-go")
        #expect(run.verdicts[1].reason == "no record of 'it' with the metric 'size'")
    }

    @Test(arguments: ["other", "claim"])
    func `a record of another suite or one that breaks an invariant is no evidence`(suite: String) {
        let claim = SyntheticClaim(identifier: "claim") { _ in
            var record = SyntheticClaim.record(suite)
            if suite == "claim" { record.high = .nan }
            return [record]
        }
        let run = ClaimRunner([claim], in: laboratory()).run { _ in }
        #expect(run.verdicts[0].verdict == .notMeasurable)
        #expect(run.records == [])
    }

    @Test func `an interruption keeps what is finished and names the rest`() {
        let request = StopRequest()
        nonisolated(unsafe) let asked = request
        let last = SyntheticClaim(identifier: "b") { laboratory in
            asked.isMade = true
            try laboratory.step("next")
            return [SyntheticClaim.record("b")]
        }
        let laboratory = laboratory(request)
        let run = ClaimRunner([SyntheticClaim.fine("a"), last, SyntheticClaim.fine("c")], in: laboratory).run { _ in }
        #expect(run.verdicts.map(\.claim) == ["a"])
        #expect(run.unfinished == ["b", "c"])
        #expect(laboratory.notes == [])
    }

    @Test func `a failure after a request to stop is an interruption`() {
        let request = StopRequest()
        nonisolated(unsafe) let asked = request
        let claim = SyntheticClaim(identifier: "a") { _ in
            asked.isMade = true
            throw MeasurementFailure("a child was killed by signal 2")
        }
        let run = ClaimRunner([claim], in: laboratory(request)).run { _ in }
        #expect(run.verdicts == [])
        #expect(run.unfinished == ["a"])
    }

    @Test func `what cannot be kept ends the run`() {
        #expect(throws: MeasurementFailure.self) {
            try ClaimRunner([SyntheticClaim.fine("a"), SyntheticClaim.fine("b")], in: laboratory()).run { run in
                #expect(run.verdicts.count == 1)
                throw MeasurementFailure("full")
            }
        }
    }
}

@Suite("Claims") struct ClaimsListTests {
    @Test func `identifiers are unique suites and texts are there`() {
        #expect(Set(Claims.identifiers).count == Claims.all.count)
        for claim in Claims.all {
            #expect(claim.identifier.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "-" }, "\(claim.identifier)")
            #expect(!claim.saidBy.isEmpty && !claim.statement.isEmpty && !claim.experiments.isEmpty)
            #expect(Set(claim.claimed.map(\.name)).count == claim.claimed.count, "\(claim.identifier)")
            #expect(Claims.named(claim.identifier)?.identifier == claim.identifier)
        }
    }

    @Test func `no claim is judged without records`() {
        for claim in Claims.all {
            let verdict = claim.verdict(on: [])
            #expect(verdict.verdict == .notMeasurable, "\(claim.identifier)")
            #expect(!verdict.reason.isEmpty)
        }
    }
}
