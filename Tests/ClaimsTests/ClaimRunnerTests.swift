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

    @Test func `records of Go say which version is the newest that is installed`() {
        let claim = SyntheticClaim(identifier: "a") { _ in
            ["go1.1", "faultline"].map { peer in
                var record = SyntheticClaim.record("a")
                record.parameters[.peer] = .string(peer)
                return record
            }
        }
        let laboratory = laboratory()
        let records = ClaimRunner([claim], in: laboratory).run { _ in }.records
        #expect(records.map { $0.parameters[.newestGo]?.text } == [laboratory.go.last?.version, nil])
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

@Suite("Newest Go") struct NewestGoTests {
    private func record(_ version: String, newest: String?) -> Record {
        var record = SyntheticClaim.record("a")
        record.parameters[.peer] = .string(version)
        record.parameters[.newestGo] = newest.map { .string($0) }
        return record
    }

    private let claim = SyntheticClaim(identifier: "a")

    @Test func `the newest that is installed decides alone`() {
        let records = ["go1.9.1", "go1.27.3", "faultline"].map { record($0, newest: "go1.27.3") }
        #expect(records.ofNewestGo.map(\.goVersion) == ["go1.27.3"])
        #expect(claim.verdict(on: records).reason == "1.0")
    }

    @Test func `an older one does not decide where the newest failed`() {
        let records = [record("go1.9.1", newest: "go1.27.3"), record("go1.26.10", newest: "go1.27.3")]
        #expect(records.ofNewestGo.isEmpty)
        #expect(
            claim.verdict(on: records).reason
                == "1.0; go1.27.3 is installed and was not measured; of go1.26.10 there are records")
    }

    @Test func `records that do not say it, and runs with several newest ones`() {
        #expect([record("go1.9.1", newest: nil), record("go1.27.3", newest: nil)].ofNewestGo.count == 1)
        #expect(claim.verdict(on: [record("go1.9.1", newest: nil)]).reason == "1.0")
        let both = [record("go1.9.1", newest: "go1.9.1 or go1.27.3"), record("go1.27.3", newest: "go1.27.3")]
        #expect(both.ofNewestGo.map(\.goVersion) == ["go1.27.3"])
        #expect([record("faultline", newest: nil)].ofNewestGo.isEmpty)
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

    @Test func `a number that no source gives is said to be our reading`() {
        let ours = Claims.all.flatMap { claim in
            claim.claimed.filter { $0.isOurReading == true }.map { "\(claim.identifier): \($0.name)" }
        }
        for figure in [
            Figure.callWithSegments, .callWithCopying, .sharedLine, .descentAgain, .shareOfBoundedTrees,
            .contendingGrowth, .furtherInIndirectCalls, .furtherInDeepChains,
            .growthAgainstGo, .largeAgainstSmallCopy,
            .pointersAgainstNumbers,
            .probeFaults, .inliningSaves, .pauseWithoutChecks, .filesWithAllocator,
        ] {
            #expect(ours.contains { $0.hasSuffix(": \(figure.name)") }, "\(figure.name)")
        }
        // What sources do say is theirs.
        for claim in [CheckCost(), StackDump(), Stackless(), MinimumStack()] as [any Claim] {
            #expect(claim.claimed.allSatisfy { $0.isOurReading == nil }, "\(claim.identifier)")
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
