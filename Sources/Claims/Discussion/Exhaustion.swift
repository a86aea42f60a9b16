// "Relying on overcommit is risky: where memory is exhausted, the process is ended."
//
// Stacks are used until memory is refused, under three limits. That of a control group is met when memory is used that
// was promised before, as the end of an overcommitted machine's memory is; the machine's own is not met, which others
// need. A limit of address space and the commit limit (vm.overcommit_memory 2) are checked before anything is promised.
// A strategy bears the claim out where the process ends at the first and does not at the others. How slow a machine
// becomes before, by swapping, is not measured: no swap may be made here.

import Experiments
import Faultline
import Glibc
import Measurement
import Report
import Workloads

extension Metric {
    /// 1 where the process ended, 0 where an error said so.
    static let deathsAtExhaustion = Metric("deaths at exhaustion", .count)
}

extension ParameterName {
    /// How many there were at the limit.
    static let stacks = ParameterName("stacks")
}

extension Figure {
    static func deaths(at limit: Exhaustion.Limit) -> Figure {
        Figure("ways to make stacks with which the process ends at \(limit.title)", .count)
    }
    /// Each of which dies there or not.
    static func strategies(at limit: Exhaustion.Limit) -> Figure {
        Figure("ways to make stacks that met \(limit.title)", .count)
    }
}

public struct Exhaustion: Claim {
    public init() {}

    public let identifier = "exhaustion"
    public let saidBy = "CloudFlare, \"How stacks are handled in Go\", 2014"
    public let statement = "Relying on overcommit is risky: where memory is exhausted, the process is ended."
    public let claimed: [ClaimedFigure] = []
    public let experiments = [
        "stacks of each strategy until memory is exhausted, in a control group and, beside it, under a limit of "
            + "address space and, in the full run, at the commit limit of vm.overcommit_memory 2, set for a moment and "
            + "set back: an error, or the end of the process"
    ]

    public let plotted = PlottedNames(
        [.deathsAtExhaustion], [.limit, .stacks], values: Limit.allCases.map(\.rawValue))

    /// What memory is limited by: parameter `limit`.
    enum Limit: String, CaseIterable {
        case addressSpace = "RLIMIT_AS"
        case group = "control group"
        case commit = "commit limit"

        var title: String {
            switch self {
            case .addressSpace: "the limit of addresses (RLIMIT_AS)"
            case .group: "the limit of a control group"
            case .commit: "the commit limit (vm.overcommit_memory 2)"
            }
        }
    }

    /// What each stack uses until memory is exhausted, the limit of address space beyond the program's own, and the
    /// limit of memory of a control group, in bytes.
    private static let (use, addressSpace, groupMemory) = (64 << 10, 4 << 30, 64 << 20)
    private static let maximumOfFixed = 512 << 10
    /// What each stack uses until nothing more is committed, and the room of one that must have it from the start, in
    /// bytes: the limit is about half of the machine's memory.
    private static let (useOfCommit, roomOfCommit) = (4 << 20, 5 << 20)
    /// Of memory that must be free beyond the commit limit: it is that limit that is to be met, not the memory's end.
    private static let spare = 1 << 30

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        var limits = [(Limit.addressSpace, ["use=\(Self.use)", "address-space=\(Self.addressSpace)"])]
        var group: MemoryGroup?
        do {
            let made = try MemoryGroup(limit: Self.groupMemory)
            group = made
            limits.append((.group, ["use=\(Self.use)", "group=\(made.folder)"]))
        } catch {
            laboratory.missing("exhaustion in a control group is not measured: \(error)")
        }
        if mayMeetCommitLimit(laboratory) { limits.append((.commit, ["use=\(Self.useOfCommit)", "mode=2"])) }
        var records: [Record] = []
        for (limit, options) in limits {
            for strategy in StackStrategy.allCases {
                guard let findings = try exhaust(limit, strategy, options, laboratory) else { break }
                var shared: [ParameterName: ParameterValue] = [
                    .limit: .string(limit.rawValue), .ended: .string("\(findings.ending)"),
                ]
                shared[.error] = findings[.error].map { .string($0) }
                shared[.stacks] = findings[.made].flatMap { Int($0) }.map { .int($0) }
                // One that was refused nothing has not come to the limit.
                guard findings[.refused] != "0" else {
                    laboratory.note("\(strategy.rawValue) does not exhaust what \(limit.title) leaves")
                    continue
                }
                if let other = Self.otherEnd(findings, limit) {
                    laboratory.missing("\(strategy.rawValue) at \(limit.title) is not measured: \(other)")
                    continue
                }
                let isError = findings.succeeded && findings[.refused] == "1"
                records.append(
                    record(strategy.rawValue, .deathsAtExhaustion, exactly: isError ? 0 : 1, shared))
            }
        }
        withExtendedLifetime(group) {}
        return records
    }

    /// Uses stacks of a strategy until a limit is met; nil where the limit cannot be set, which is said.
    private func exhaust(
        _ limit: Limit, _ strategy: StackStrategy, _ options: [String], _ laboratory: Laboratory
    ) throws -> Findings? {
        var options = ["strategy=\(strategy.rawValue)"] + options
        // Otherwise it takes all of its memory at once, 7 MiB each.
        if strategy == .fixed {
            options.append("maximum=\(limit == .commit ? Self.roomOfCommit : Self.maximumOfFixed)")
        }
        // What uses the stacks has no checks: where these make room it would end the process, whatever the limit.
        if limit == .commit, strategy.needsChecks, strategy.grows { options.append("initial=\(Self.roomOfCommit)") }
        // The mode is set back after 30 s, whatever this process does: it must have ended before.
        let findings = try laboratory.experiment("exhaustion", options, seconds: limit == .commit ? 25 : 30)
        if findings[.begun] == nil, let refusal = findings[.refused] {
            laboratory.missing("exhaustion at \(limit.title) is not measured: \(refusal)")
            return nil
        }
        guard findings[.begun] != nil else { throw findings.failure("it did not begin") }
        return findings
    }

    /// What ended a process that is no answer to the limit; nil where there is none.
    private static func otherEnd(_ findings: Findings, _ limit: Limit) -> String? {
        if findings.ending == .timedOut { return "its time was up" }
        // At the commit limit the kernel refuses. What it kills has met the end of the memory before.
        return limit == .commit && findings.ending == .signalled(SIGKILL)
            ? "the process was killed, which that limit does not do: memory was exhausted before" : nil
    }

    /// Whether the commit limit is to be met: in a full run, because other programs may be refused memory for that
    /// moment, and where the limit comes before the end of the memory.
    private func mayMeetCommitLimit(_ laboratory: Laboratory) -> Bool {
        guard !laboratory.isQuick else {
            laboratory.note("exhaustion at the commit limit is left to the full run")
            return false
        }
        let memory = SystemFiles().fields("/proc/meminfo")
        guard let limit = memory["CommitLimit"], let available = memory["MemAvailable"] else {
            laboratory.missing("exhaustion at the commit limit is not measured: /proc/meminfo does not name it")
            return false
        }
        guard available >= limit + Self.spare else {
            laboratory.missing(
                "exhaustion at the commit limit is not measured: of \(ByteSize(bytes: limit + Self.spare)) of memory "
                    + "only \(ByteSize(bytes: available)) are available")
            return false
        }
        return true
    }

    // MARK: judging

    /// Whether the process ended, or an error said that memory was exhausted; nil where runs differ.
    private static func ends(_ record: Record) -> Bool? {
        if record.low > 0 { return true }
        return record.high == 0 ? false : nil
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        func records(_ limit: Limit) -> [Record] {
            evidence.all(metric: .deathsAtExhaustion, where: [.limit: .string(limit.rawValue)])
        }
        let overcommitted = records(.group)
        guard !overcommitted.isEmpty else { throw MissingEvidence("no stacks were used up in a control group") }
        var measured: [MeasuredFigure] = []
        var texts: [String] = []
        for limit in [Limit.group, .addressSpace, .commit] {
            let own = records(limit)
            guard !own.isEmpty else {
                texts.append("no strategy met \(limit.title)")
                continue
            }
            let deaths = own.filter { $0.low > 0 }.map(\.name)
            measured += [
                MeasuredFigure(.deaths(at: limit), Estimate(exactly: Double(deaths.count))),
                MeasuredFigure(.strategies(at: limit), Estimate(exactly: Double(own.count))),
            ]
            let names = deaths.isEmpty ? "" : " (\(deaths.joined(separator: ", ")))"
            texts.append("at \(limit.title) \(deaths.count) of \(own.count) strategies end the process\(names)")
        }
        // Those that end the process because of overcommit, those that never do so there, and those that also do so
        // where nothing is overcommitted: of these overcommit is not the risk.
        var (ending, saying, always, open): ([String], [String], [String], [String]) = ([], [], [], [])
        let strict = records(.addressSpace) + records(.commit)
        for record in overcommitted {
            let others = strict.filter { $0.name == record.name }.map(Self.ends)
            switch Self.ends(record) {
            case false: saying.append(record.name)
            case true where others.contains(true): always.append(record.name)
            case true where !others.isEmpty && others.allSatisfy { $0 == false }: ending.append(record.name)
            default: open.append(record.name)
            }
        }
        let all = overcommitted.count
        func names(_ names: [String]) -> String { "\(names.count) (\(names.joined(separator: ", ")))" }
        let groups = [
            ending.isEmpty
                ? nil
                : "where memory is used that was promised the process ends, and not at a promise, with "
                    + "\(names(ending))",
            saying.isEmpty ? nil : "where memory is used that was promised an error says it with \(names(saying))",
            always.isEmpty ? nil : "also at a promise the process ends with \(names(always))",
            open.isEmpty ? nil : "not compared at a promise, or ended in both ways: \(names(open))",
        ].compactMap { $0 }
        let reason =
            "of \(all) strategies: \((groups + texts).joined(separator: "; ")); how long programs wait before, while a "
            + "machine swaps, is not measured"
        if ending.count == all { return Judgement(.confirmed, measured: measured, reason: reason) }
        if saying.count + always.count == all { return Judgement(.refuted, measured: measured, reason: reason) }
        guard !ending.isEmpty, !(saying + always).isEmpty else {
            return Judgement(.notMeasurable, measured: measured, reason: reason)
        }
        return Judgement(.depends, measured: measured, reason: "it depends on the strategy: \(reason)")
    }
}
