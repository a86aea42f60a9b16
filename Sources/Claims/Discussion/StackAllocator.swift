// "Go 1.23 has a StackAllocator interface, with which fragmentation falls from 31 to 9 %."
//
// Both as written: whether a version's runtime has a name of that kind, and what part of the memory that Go holds for
// stacks is no goroutine's, after a load of mixed depths of which three of four have ended.

import Experiments
import Measurement
import Peers
import Processes
import Report

extension Metric {
    /// Of a version's runtime, that have the text.
    static let filesOfRuntime = Metric("files-of-runtime", .count)
}

extension Figure {
    static let fragmentationBefore = Figure("share of stack memory that is no goroutine's, Go 1.22", .ratio)
    static let fragmentationSince = Figure("share of stack memory that is no goroutine's, Go 1.23", .ratio)
    static let filesWithAllocator = Figure("files of Go 1.23's runtime that name a StackAllocator", .count)
}

public struct StackAllocator: Claim {
    public init() {}

    public let identifier = "stack-allocator"
    public let saidBy = "an article on runtime.stackalloc and Go 1.22"
    public let statement = "Go 1.23 has a StackAllocator interface, with which fragmentation falls from 31 to 9 %."
    public let claimed = [
        // Of shares: the load is another one.
        ClaimedFigure(.fragmentationBefore, 0.31), ClaimedFigure(.fragmentationSince, 0.09, tolerance: 0.25),
        ClaimedFigure(.filesWithAllocator, low: 1, high: nil, isOurReading: true),
    ]
    public let experiments = [
        "look for StackAllocator in the runtime's sources of Go 1.22, 1.23 and the newest",
        "20,000 goroutines of mixed depths, of which three of four end, and half as many again: stack memory "
            + "that Go holds, "
            + "against that of those that live",
    ]

    public let plotted = PlottedNames(
        [.ratio], [.baseline, .peer], cases: [Self.waste], values: [Self.held],
        figures: [.fragmentationBefore, .fragmentationSince])

    static let waste = "waste"
    /// What it is a share of.
    static let held = "memory held for stacks"
    private static let (before, since) = ("go1.22.", "go1.23.")
    static let text = "StackAllocator"

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        let all = laboratory.everyGo
        let toolchains = [Self.before, Self.since].compactMap { minor in all.last { $0.version.hasPrefix(minor) } }
        guard toolchains.count == 2 else {
            laboratory.missing("Go 1.22 and 1.23 are not compared: run scripts/reproduce, which installs them")
            return []
        }
        var records: [Record] = []
        var subjects: [ProcessSubject] = []
        for toolchain in toolchains + all.suffix(1) {
            let folder = "\(toolchain.root)/src/runtime"
            let files = (try? Files.names(in: folder, suffix: ".go")) ?? []
            guard !files.isEmpty else {
                laboratory.missing("\(toolchain.version) is not searched: it has no sources")
                continue
            }
            let found = files.count { file in
                let bytes = (try? Files.read("\(folder)/\(file)")) ?? []
                return String(decoding: bytes, as: UTF8.self).lowercased().contains(Self.text.lowercased())
            }
            records.append(
                record(Self.text, .filesOfRuntime, exactly: Double(found), [.peer: .string(toolchain.version)]))
            guard let program = try laboratory.program(.stacks, toolchain) else { continue }
            subjects.append(ProcessSubject(Self.waste, program, "waste 20000", numbers: 3))
        }
        let rounds = try ProcessRounds(subjects, rounds: laboratory.processes, claim: identifier, laboratory)
        for (index, subject) in subjects.enumerated() {
            let shares = rounds.samples(index) { 1 - $0[1] / $0[2] }
            guard !shares.isEmpty else { continue }
            records.append(ratio(Self.waste, to: Self.held, try Estimate.median(of: shares), subject.parameters))
        }
        return try records + change(subjects, rounds)
    }

    /// What the waste of the later of the two versions is in that of the earlier, round by round.
    private func change(_ subjects: [ProcessSubject], _ rounds: ProcessRounds) throws -> [Record] {
        func index(_ minor: String) -> Int? {
            subjects.firstIndex { $0.parameters[.peer]?.text?.hasPrefix(minor) == true }
        }
        guard let before = index(Self.before), let since = index(Self.since) else { return [] }
        let (first, second) = (
            rounds.samples(before) { 1 - $0[1] / $0[2] }, rounds.samples(since) { 1 - $0[1] / $0[2] }
        )
        guard !first.isEmpty, first.count == second.count, first.allSatisfy({ $0 > 0 }) else { return [] }
        var shared = subjects[since].parameters
        shared[.baselinePeer] = subjects[before].parameters[.peer]
        return [ratio(Self.waste, to: Self.waste, try Estimate.ratio(of: second, to: first), shared)]
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let wastes = evidence.all(Self.waste, metric: .ratio, where: [.baseline: .string(Self.held)])
        func share(_ minor: String) throws(MissingEvidence) -> Estimate {
            guard
                let record = wastes.first(where: {
                    $0.goVersion?.hasPrefix(minor) == true
                })
            else { throw MissingEvidence("no waste of \(minor.dropLast())") }
            return record.estimate
        }
        let (before, since) = (try share(Self.before), try share(Self.since))
        let files = evidence.all(Self.text, metric: .filesOfRuntime)
        guard let named = files.first(where: { $0.goVersion?.hasPrefix(Self.since) == true }) else {
            throw MissingEvidence("the runtime of Go 1.23 was not searched")
        }
        let measured =
            [
                MeasuredFigure(.fragmentationBefore, before), MeasuredFigure(.fragmentationSince, since),
                MeasuredFigure(.filesWithAllocator, named.estimate),
            ]
            + wastes.ofNewestGo.map {
                MeasuredFigure(
                    Figure("share of stack memory that is no goroutine's, \($0.goVersion!)", .ratio), $0.estimate)
            }
        let fall = claimed(.fragmentationSince).high! / claimed(.fragmentationBefore).low!
        let change = evidence.find(Self.waste, metric: .ratio, where: [.baseline: .string(Self.waste)])
        let fromTo = "waste goes from \(before.percent) to \(since.percent)"
        let statements = [
            Statement("\(Int(named.median)) files of Go 1.23's runtime name a StackAllocator", holds: named.median > 0),
            change.map {
                Statement(
                    "\(fromTo), times \($0.text()), claimed \(fall.text())", $0,
                    is: ClaimedFigure(
                        .fragmentationSince, low: nil, high: fall, tolerance: claimed(.fragmentationSince).tolerance))
            } ?? Statement("\(fromTo), not compared round by round", holds: nil),
        ]
        return Judgement(Statement.conjunction(statements), measured: measured, reason: Statement.text(statements))
    }
}
