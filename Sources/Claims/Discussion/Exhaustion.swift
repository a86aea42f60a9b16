// "Relying on overcommit is risky: where memory is exhausted, the process is ended."
//
// Stacks are used until memory is refused: under a limit of address space, which is what the kernel checks without
// overcommit, and in a control group, which is what it checks with it. The control group decides.

import Experiments
import Faultline
import Measurement
import Report

extension Metric {
    /// 1 where the process ended, 0 where an error said so.
    static let deathsAtExhaustion = Metric("deaths at exhaustion", .count)
}

extension ParameterName {
    /// How many there were at the limit.
    static let stacks = ParameterName("stacks")
}

extension Figure {
    static func deaths(at limit: Exhaustion.Limit) -> Figure { Figure("deaths at \(limit.rawValue)", .count) }
}

public struct Exhaustion: Claim {
    public init() {}

    public let identifier = "exhaustion"
    public let saidBy = "CloudFlare, \"How stacks are handled in Go\", 2014"
    public let statement = "Relying on overcommit is risky: where memory is exhausted, the process is ended."
    public let claimed: [ClaimedFigure] = []
    public let experiments = [
        "stacks of each strategy until memory is exhausted, in a control group and, beside it, under a limit of "
            + "address "
            + "space: an error, or the end of the process"
    ]

    /// What memory is limited by: parameter `limit`.
    enum Limit: String, CaseIterable {
        case addressSpace = "RLIMIT_AS"
        case group = "control group"
    }

    /// What each stack uses until memory is exhausted, the limit of address space beyond the program's own, and the
    /// limit of memory of a control group, in bytes.
    private static let (use, addressSpace, groupMemory) = (64 << 10, 4 << 30, 64 << 20)
    private static let maximumOfFixed = 512 << 10

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        var limits = [(Limit.addressSpace, "address-space=\(Self.addressSpace)")]
        var group: MemoryGroup?
        do {
            let made = try MemoryGroup(limit: Self.groupMemory)
            group = made
            limits.append((.group, "group=\(made.folder)"))
        } catch {
            laboratory.missing("exhaustion in a control group is not measured: \(error)")
        }
        var records: [Record] = []
        for (limit, option) in limits {
            for strategy in StackStrategy.allCases {
                var options = ["strategy=\(strategy.rawValue)", "use=\(Self.use)", option]
                // Otherwise it takes all of its memory at once, 7 MiB each.
                if strategy == .fixed { options.append("maximum=\(Self.maximumOfFixed)") }
                let findings = try laboratory.experiment("exhaustion", options, seconds: 30)
                guard findings[.begun] != nil else { throw findings.failure("it did not begin") }
                var shared: [ParameterName: ParameterValue] = [
                    .limit: .string(limit.rawValue), .ended: .string("\(findings.ending)"),
                ]
                shared[.error] = findings[.error].map { .string($0) }
                shared[.stacks] = findings[.made].flatMap { Int($0) }.map { .int($0) }
                // One that was refused nothing has not come to the limit.
                guard findings[.refused] != "0" else {
                    laboratory.note("\(strategy.rawValue) does not exhaust what \(limit.rawValue) leaves")
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

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        func records(_ limit: Limit) -> [Record] {
            evidence.all(metric: .deathsAtExhaustion, where: [.limit: .string(limit.rawValue)])
        }
        let decisive = records(.group)
        guard !decisive.isEmpty else { throw MissingEvidence("no stacks were used up in a control group") }
        var measured: [MeasuredFigure] = []
        var texts: [String] = []
        for limit in [Limit.group, .addressSpace] {
            let own = records(limit)
            guard !own.isEmpty else { continue }
            let deaths = own.filter { $0.low > 0 }.map(\.name)
            measured.append(MeasuredFigure(.deaths(at: limit), Estimate(exactly: Double(deaths.count))))
            let names = deaths.isEmpty ? "" : " (\(deaths.joined(separator: ", ")))"
            texts.append(
                "at the limit of \(limit.rawValue) \(deaths.count) of \(own.count) strategies end the process\(names)")
        }
        let reason = texts.joined(separator: "; ")
        let (ending, saying) = (decisive.filter { $0.low > 0 }, decisive.filter { $0.high == 0 })
        if ending.count == decisive.count { return Judgement(.confirmed, measured: measured, reason: reason) }
        if saying.count == decisive.count { return Judgement(.refuted, measured: measured, reason: reason) }
        func names(_ records: [Record]) -> String { records.map(\.name).joined(separator: ", ") }
        guard !ending.isEmpty, !saying.isEmpty else {
            let open = decisive.filter { !(ending + saying).contains($0) }
            return Judgement(
                .notMeasurable, measured: measured, reason: "\(names(open)) ended in both ways; \(reason)")
        }
        return Judgement(
            .depends, measured: measured,
            reason: "it depends on the strategy: the process ends with \(ending.count) of \(decisive.count) "
                + "(\(names(ending))), an error says it with \(saying.count) (\(names(saying))); \(reason)")
    }
}
