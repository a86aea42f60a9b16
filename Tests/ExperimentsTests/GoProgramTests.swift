import GoBinary
import Peers
import Processes
import Report
import TestNeeds
import Testing
import Workloads

@testable import Experiments

@Suite("Go programs") struct GoProgramTests {
    private static func laboratory() -> Laboratory { Laboratory(isQuick: true, seed: 1, progress: { _ in }) }

    @Test(.needs(.go))
    func aPatchedCopyIsMadeOnceAndWorks() throws {
        let gofmt = try #require(GoTool.all(Self.laboratory(), ["gofmt"]).first)
        let options = StripOptions(initial: PatchedPrograms.initial)
        let programs = try PatchedPrograms()
        let copy = try programs.copy(of: gofmt.path, options)
        #expect(try programs.copy(of: gofmt.path, options) == copy)
        #expect(try programs.copy(of: gofmt.path, StripOptions(initial: 1 << 20, checks: .equal)) != copy)
        let arguments = ["-d", "\(gofmt.toolchain.root)/src/sort/sort.go"]
        let finished = try [gofmt.path, copy].map { try Subprocess.finish($0, arguments, seconds: 60) }
        #expect(finished[0].ending == .exited(0) && finished[1].ending == .exited(0))
        #expect(finished[0].output == finished[1].output)
    }

    @Test func whatIsNoGoProgramIsSaidInOneLine() throws {
        let programs = try PatchedPrograms()
        #expect(throws: ProcessError.self) { try programs.copy(of: "/bin/true", StripOptions()) }
        #expect(throws: ProcessError.self) { try programs.copy(of: "/nonexistent", StripOptions()) }
    }

    @Test(.needs(.go))
    func checksAreAPartOfWhatIsExecuted() throws {
        let laboratory = Self.laboratory()
        let gofmt = try #require(GoTool.all(laboratory, ["gofmt"]).first)
        let job = try #require(gofmt.counted)
        let execution = try GoCheckExecution.count(of: gofmt.path, job, laboratory)
        // Two instructions for each of many functions that are called.
        #expect(execution.checks > 0.005 * execution.total && execution.checks < 0.2 * execution.total)
        #expect(execution.passes > 0 && execution.checks >= 2 * execution.passes)
        #expect(execution.checks < 5 * execution.passes)
    }

    @Test(.needs(.go))
    func aCopyWithProbesDoesTheSameAndSaysHowOftenItGrew() throws {
        let laboratory = Self.laboratory()
        let gofmt = try #require(GoTool.all(laboratory, ["gofmt"]).last)
        let job = try #require(gofmt.counted)
        let subject = GoSubject(
            name: gofmt.name, kind: .go, version: gofmt.toolchain.version, job: job, layouts: [gofmt.path],
            origin: .prebuilt)
        let probes = try #require(GoColumn.all.first { $0.suffix == GoColumn.probes })
        let records = try GoAnswers.records(of: subject, suite: "x", laboratory)
        #expect(records.map(\.metric) == [Metric.alike.name, Metric.probeFaults.name], "\(laboratory.missingHere)")
        #expect(records.first?.median == 1 && records.last!.median > 0)
        let growths = try #require(try probes.growths(of: subject, laboratory))
        #expect(growths.count > 0 && growths.seconds > 0)
    }

    /// A run just too short, and the shortest that is not; the fewest rounds.
    @Test(arguments: [(49.9e6, 15, 1), (50e6, 15, 0), (50e6, 5, 1), (49.9e6, 5, 2), (nil, 6, 0)])
    func shortRunsAndFewRoundsAreWarnedOf(_ nanoseconds: Double?, _ rounds: Int, _ count: Int) {
        let comparison = GoComparison(
            layouts: [], task: GoTask(arguments: [], longest: 1), rounds: rounds, comparesOutput: true, seed: 1)
        let records = nanoseconds.map {
            Record(suite: "go-compare", case: "original", metric: .elapsedTime, exactly: $0)
        }
        let warnings = comparison.warnings(records.map { [$0] } ?? [])
        #expect(warnings.count == count)
        #expect(warnings.contains { $0.contains("give it more to do, 50 ms at least") } == (nanoseconds == 49.9e6))
    }

    @Test func aProgramThatAnswersOtherwiseOrFailsIsNotAlike() throws {
        let laboratory = Self.laboratory()
        let folder = try TemporaryFolder()
        func script(_ name: String, _ text: String) throws -> String {
            let path = "\(folder.path)/\(name)"
            try Files.write("#!/bin/sh\n\(text)\n".utf8, to: path)
            try Files.makeExecutable(path)
            return path
        }
        let file = "\(folder.path)/object"
        let writing = "echo done; echo code > \(file)"
        let original = try script("original", writing)
        let job = GoJob(
            work: "x", arguments: [], environment: ["GOGC=off", "GOMAXPROCS=1", "PATH=/usr/bin:/bin"], file: file)
        let subject = GoSubject(
            name: "x go1.27.3", kind: .go, version: "go1.27.3", job: job, layouts: [original], origin: .prebuilt)
        let jobs = [job, job.withGoSettings]
        let expected = try jobs.map { try $0.run(original, laboratory) }
        let counting = "; echo probe-faults 3 growths 4 >&2"
        for (name, text, isAlike, faults) in [
            ("same", writing + counting, 1.0, 6.0), ("other", "echo other; echo code > \(file)" + counting, 0, 6),
            ("other-file", "echo done; echo data > \(file)", 0, 0), ("fails", "exit 3", 0, 0),
            ("with-collections", "[ \"$GOGC\" ] && \(writing)", 0, 0),
            ("writes-nothing", "echo done", 0, 0),
        ] {
            let records = try GoAnswers.records(
                of: subject, with: script(name, text), jobs, expected, suite: "x", laboratory)
            #expect(records.map(\.median) == [isAlike, faults], "\(name)")
            #expect(records.allSatisfy { $0.goVersion == "go1.27.3" })
        }
    }

    @Test func whatIsStoppedHasABoundInItsRecords() throws {
        let probe = PreemptionProbe(operation: "sleep", count: 1, work: 1)
        func samples(_ hasEnded: [Bool]) -> [PreemptionProbe.Sample] {
            hasEnded.map { .init(median: $0 ? 1e6 : 3e9, longest: $0 ? 1e6 : 3e9, piece: 1e7, hasEnded: $0) }
        }
        let original = samples([true, true, true])
        let records = try probe.records(
            suite: "x", "go1", "no checks", initial: 1, samples([true, false, false]), original: original)
        for record in records {
            #expect(record.isAtLeast == (record.metric != Metric.pieceOfWork.name), "\(record.metric)")
        }
        #expect(records.last?.parameters[.unended] == 2 && records.count == 4)
        let ended = try probe.records(suite: "x", "go1", "probes", initial: nil, original, original: original)
        #expect(!ended.contains { $0.isAtLeast || $0.parameters[.initial] != nil })
    }

    @Test(.needs(.go))
    func aToolThatIsNotThereIsMissing() {
        let laboratory = Self.laboratory()
        #expect(GoTool.all(laboratory, ["dance"]).isEmpty)
        #expect(laboratory.missingHere.first?.hasPrefix("dance of go1.") == true)
    }
}
