// "A hit of the guard can run the existing growth."
//
// Real Go programs whose checks are probes (GoBinary) do what the originals do, or do not, and say how many probes
// faulted. A probe is an instruction that stays where the check was; that a function without one can grow its stack is
// not shown. What that costs stands beside it: starting a goroutine, the first descent of one, which grows its stack,
// and the memory of goroutines that wait, shallow or after a deep call. One that starts after the end of another takes
// that one's stack; of many that live at once each needs its own.

import Experiments
import GoBinary
import Measurement
import Peers
import Processes
import Report

extension Figure {
    static let programsWithProbes = Figure("programs that were run with probes", .count)
    static let programsAlike = Figure("programs that answered as before", .count)
    static let faultsOfPrograms = Figure("faults of probes in these programs", .count)
    static let probeFaults = Figure("faults of probes that grew stacks as failed checks do", .count)
    static let startWithProbes = Figure("starting a goroutine after another, with probes against checks", .ratio)
    static let crowdWithProbes = Figure("starting goroutines that live at once, with probes against checks", .ratio)
    static let secondCrowdWithProbes = Figure("the same after others that have ended", .ratio)
    static let collectedCrowdWithProbes = Figure("the same after these were collected", .ratio)
    static let growthWithProbes = Figure("a first descent of 32 KiB, with probes against checks", .ratio)
    static let memoryWithProbes = Figure("memory of a waiting goroutine, with probes against checks", .ratio)
    static let memoryOnceDeepWithProbes = Figure("the same after a deep call", .ratio)
}

public struct FaultGrowth: Claim {
    public init() {}

    public let identifier = "fault-growth"
    public let saidBy = "golang-nuts, November 2025"
    public let statement = "A hit of the guard page can run Go's existing growth of the stack."
    // Of the faults that must come, a program that answers as before had at least one.
    public let claimed = [ClaimedFigure(.probeFaults, low: 1, high: nil, isOurReading: true)]
    public let experiments = [
        "for each version of Go, in a quick run the newest: a program as it is and a copy whose checks are probes, "
            + "each in a process for each round: 100,000 goroutines one after another; 100,000 that live at once, as "
            + "the first, after 100,000 that ended, and after these were collected; 100 that descend 32 KiB, 20,000 "
            + "that wait, and 20,000 that descended before; how many probes faulted",
        "real programs of the newest Go, in the full run of every version, and copies with probes: the compiler, "
            + "gofmt, the benchmarks of go1 and kernels; whether output and files are the same, without collections "
            + "on one processor and as Go runs them by itself",
        "the copy with equal checks on the same stacks beside them: what is the probes' and what the stacks'",
    ]

    public let plotted = PlottedNames(
        [.ratio], [.peer], cases: Self.questions.map(\.title) + [Self.probes, Self.equal].map { ", \($0)" })

    private static let probes = "probes"
    private static let equal = "equal checks"
    private static let (frames, descents, starts, waiting, collections) = (119, 100, 100_000, 20_000, 6)

    /// What is asked, its metric, and the number that counts in an answer.
    private static let questions:
        [(title: String, request: String, figure: Figure, value: @Sendable ([Double]) -> Double)] = [
            ("start", "spawn \(starts)", .startWithProbes, { $0[0] / Double(starts) }),
            ("start of a crowd", "crowd \(starts) 0 0", .crowdWithProbes, { $0[0] / Double(starts) }),
            ("start of a crowd again", "crowd \(starts) 1 0", .secondCrowdWithProbes, { $0[0] / Double(starts) }),
            (
                "start of a crowd, collected", "crowd \(starts) 1 2", .collectedCrowdWithProbes,
                { $0[0] / Double(starts) }
            ),
            ("first descent", "again \(descents) \(frames) 0", .growthWithProbes, { $0[1] / Double(descents) }),
            (
                "waiting", "park \(waiting) 0 0 0 \(collections)", .memoryWithProbes,
                { ($0[1] + $0[2]) / Double(waiting) }
            ),
            (
                "waiting, once deep", "park \(waiting) \(frames) 0 0 \(collections)", .memoryOnceDeepWithProbes,
                { ($0[1] + $0[2]) / Double(waiting) }
            ),
        ]

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        var records = try GoAnswers.records(suite: identifier, laboratory)
        let programs = try laboratory.goStackPrograms()
        // The newest decides.
        for program in laboratory.isQuick ? programs.suffix(1) : programs[...] {
            let version: [ParameterName: ParameterValue] = [.peer: .string(program.version)]
            let copies: [(String, PeerProgram)]
            do throws(ProcessError) {
                let patched = try PatchedPrograms()
                copies = [
                    ("original", program),
                    (
                        Self.equal,
                        program.copy(
                            at: try patched.copy(of: program.path, StripOptions(growth: .fault, checks: .equal)))
                    ),
                    (Self.probes, program.copy(at: try patched.copy(of: program.path, StripOptions(growth: .fault)))),
                ]
            } catch {
                laboratory.missing("\(program.version) with probes is not measured: \(error)")
                continue
            }
            records.append(record(Self.probes, .probeFaults, exactly: try faults(copies[2].1, laboratory), version))
            for (title, request, _, value) in Self.questions {
                let subjects = copies.map { ProcessSubject("\(title), \($0.0)", $0.1, request, version) }
                let rounds = try ProcessRounds(subjects, rounds: laboratory.processes, claim: identifier, laboratory)
                let metric = title.hasPrefix("waiting") ? Metric.memory : .time
                records += try rounds.records(suite: identifier, metric, value)
                records += try rounds.ratios(suite: identifier, to: { _ in 0 }, of: value)
            }
        }
        return records
    }

    /// How many probes faulted while goroutines descended.
    private func faults(_ program: PeerProgram, _ laboratory: Laboratory) throws -> Double {
        let request = Self.questions.first { $0.figure == .growthWithProbes }!.request
        let finished = try Subprocess.finish(
            "/bin/sh", ["-c", "echo '\(request)' | exec \"$0\"", program.path],
            environment: Spawn.environment(changing: [GrowthStatistics.variable.name: GrowthStatistics.variable.value]),
            seconds: 60,
            isUnwanted: { laboratory.isAskedToStop })
        if laboratory.isAskedToStop { throw Interrupted() }
        guard finished.ending == .exited(0), let counts = GrowthStatistics(finished.errors)
        else { throw MeasurementFailure("\(program.version) with probes \(finished.ending) and counts no faults") }
        return Double(counts.probeFaults)
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        guard let newest = evidence.all(Self.probes, metric: .probeFaults).ofNewestGo.first,
            let version = newest.goVersion
        else { throw MissingEvidence("no record of a Go program with probes") }
        // What older versions did stands in records: the claim is about the Go of today.
        let same: [ParameterName: ParameterValue] = [.peer: .string(version)]
        let programs = evidence.all(metric: .alike, where: same)
        guard !programs.isEmpty else {
            throw MissingEvidence("no record of a real program of \(version) with probes")
        }
        let others = programs.filter { $0.median < 1 }
        // Their own faults, not those of the program that only descends.
        let faults = evidence.all(metric: .probeFaults, where: same).filter { record in
            programs.contains { $0.name == record.name }
        }.reduce(0) { $0 + $1.median }
        var measured = [
            MeasuredFigure(.probeFaults, newest.estimate),
            MeasuredFigure(.programsWithProbes, Estimate(exactly: Double(programs.count))),
            MeasuredFigure(.programsAlike, Estimate(exactly: Double(programs.count - others.count))),
            MeasuredFigure(.faultsOfPrograms, Estimate(exactly: faults)),
        ]
        var costs: [String] = []
        for (title, _, figure, _) in Self.questions {
            guard let ratio = evidence.find("\(title), \(Self.probes)", metric: .ratio, where: same) else {
                throw MissingEvidence("no record of '\(title)' with probes")
            }
            measured.append(MeasuredFigure(figure, ratio))
            costs.append("\(title) \(ratio.text())")
        }
        let reason =
            "\(version): \(QuantityFormatter.string(newest.median, .count)) faults of probes grew stacks; "
            + "\(programs.count - others.count) of \(programs.count) programs with probes answered as before, with "
            + "\(QuantityFormatter.string(faults, .count)) faults"
            + (others.isEmpty ? "" : ", not \(others.map(\.name).joined(separator: ", "))")
            + "; shown of probes, each an instruction that stays in its prologue, not of functions without any; "
            + "against the original: \(costs.joined(separator: ", "))"
        let verdict = newest.estimate.relation(to: claimed(.probeFaults))
        let holds = verdict == .within && others.isEmpty && faults > 0
        return Judgement(holds ? .confirmed : .refuted, measured: measured, reason: reason)
    }
}
