// "Large virtual stacks depend on overcommit, which is risky."

import Experiments
import Faultline
import Measurement
import Report
import Workloads

extension Metric {
    static let reserved = Metric("reserved", .bytes)
    static let charged = Metric("charged", .bytes)
    /// 1 where the process ended, 0 where an error said so.
    static let deathsAtExhaustion = Metric("deaths at exhaustion", .count)
}

extension ParameterName {
    /// The value of vm.overcommit_memory.
    static let mode = ParameterName("mode")
    /// Whether the mode could not be set, and its charge was worked out.
    static let simulated = ParameterName("simulated")
    static let error = ParameterName("error")
    /// How many there were at the limit.
    static let stacks = ParameterName("stacks")
}

extension Figure {
    /// "most charged" is a published name.
    static func maximumCharge(inMode mode: Int) -> Figure { Figure("most charged for a stack in mode \(mode)", .bytes) }
}

public struct Overcommit: Claim {
    public init() {}

    public let identifier = "overcommit"
    public let saidBy = "CloudFlare, \"How stacks are handled in Go\", 2014"
    public let statement = "Large virtual stacks depend on overcommit, which is risky."
    public let claimed: [ClaimedFigure] = []
    public let experiments = [
        "one stack of each strategy and kind of guard under vm.overcommit_memory 0, 1 and 2, set for a moment and set "
            + "back; where that is not permitted, from what the kernel would charge: address space and commit charge",
        "stacks until the memory is exhausted, under a limit of address space and in a control group: an error, or the "
            + "end of the process",
    ]

    public let plotted = PlottedNames(
        [.charged, .stacks], [.guard, .mode],
        values: StackGuard.allCases.map(\.rawValue) + [OvercommitSubject.automatic])

    /// What memory is limited by: parameter `limit`.
    private enum Limit: String, CaseIterable {
        case addressSpace = "RLIMIT_AS"
        case group = "control group"
    }

    /// What each stack uses until memory is exhausted, the limit of address space beyond the program's own, and the
    /// limit of memory of a control group, in bytes.
    private static let (use, addressSpace, groupMemory) = (64 << 10, 4 << 30, 64 << 20)
    private static let maximumOfFixed = 512 << 10

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        var records: [Record] = []
        for mode in 0...2 {
            let findings = try laboratory.experiment("overcommit", ["mode=\(mode)"], seconds: 40)
            let refusal = findings[.refused]
            if let refusal {
                laboratory.note("\(refusal): mode \(mode) is worked out from what the kernel would charge")
            }
            if let limit = findings[.limit] {
                laboratory.note(
                    "more is committed already than half of what mode \(mode) allows: meanwhile it allowed \(limit) KiB"
                )
            }
            let isSimulated = refusal != nil
            for subject in OvercommitSubject.all {
                // What the library would choose in mode 2 it does not choose in another one.
                if isSimulated && mode == 2 && subject.guardKind == nil { continue }
                records += try self.records(subject, findings, mode: mode, simulated: isSimulated)
            }
        }
        return try records + exhaustion(laboratory)
    }

    private func records(
        _ subject: OvercommitSubject, _ findings: Findings, mode: Int, simulated: Bool
    ) throws -> [Record] {
        guard findings.succeeded else { throw findings.failure("not every stack was tried") }
        var shared: [ParameterName: ParameterValue] = [
            .guard: .string(subject.guardName), .mode: .int(mode), .simulated: .bool(simulated),
        ]
        shared[.error] = findings[.error.of(subject.key)].map { .string($0) }
        func record(_ metric: Metric, _ value: Double) -> Record {
            self.record(subject.strategy.rawValue, metric, exactly: value, shared)
        }
        let made = try findings.number(.made.of(subject.key))
        guard made > 0 else { return [record(.stacks, 0)] }
        let charge: Finding = simulated && mode == 2 ? .chargedInMode2 : .charged
        return [
            record(.stacks, made),
            record(.reserved, try findings.number(.reserved.of(subject.key))),
            record(.charged, max(0, try findings.number(charge.of(subject.key)))),
        ]
    }

    private func exhaustion(_ laboratory: Laboratory) throws -> [Record] {
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
        let strict = evidence.all(metric: .stacks, where: [.mode: 2])
        guard !strict.isEmpty else { throw MissingEvidence("no record of vm.overcommit_memory 2") }
        var dependent: [String] = []
        var free: [String] = []
        for record in strict {
            let charged = evidence.find(record.name, metric: .charged, where: record.parameters)?.median
            let reserved = evidence.find(record.name, metric: .reserved, where: record.parameters)?.median
            let title = "\(record.name) with \(record.parameters[.guard]!)"
            // Refused, or charged for half or more of what it only reserves.
            if let charged, let reserved, charged < reserved / 2 { free.append(title) } else { dependent.append(title) }
        }
        var measured: [MeasuredFigure] = []
        for mode in 0...2 {
            let charges = evidence.all(metric: .charged, where: [.mode: .int(mode)])
            guard let largest = charges.max(by: { $0.median < $1.median }) else { continue }
            measured.append(MeasuredFigure(.maximumCharge(inMode: mode), largest.estimate))
        }
        var ends: [String] = []
        for limit in Limit.allCases.map(\.rawValue) {
            let own = evidence.all(metric: .deathsAtExhaustion, where: [.limit: .string(limit)])
            guard !own.isEmpty else { continue }
            let deaths = own.filter { $0.median > 0 }
            measured.append(
                MeasuredFigure(Figure("deaths at \(limit)", .count), Estimate(exactly: Double(deaths.count))))
            ends.append("at the limit of \(limit) \(deaths.count) of \(own.count) strategies end the process")
        }
        let simulated = strict.contains { $0.parameters[.simulated] == true }
        let reason =
            ([
                "in mode 2\(simulated ? ", worked out," : "") \(dependent.count) of \(strict.count) are refused or "
                    + "charged in full" + (dependent.isEmpty ? "" : " (\(dependent.joined(separator: ", ")))")
            ] + ends).joined(separator: "; ")
        if free.isEmpty { return Judgement(.confirmed, measured: measured, reason: reason) }
        if dependent.isEmpty { return Judgement(.refuted, measured: measured, reason: reason) }
        return Judgement(.depends, measured: measured, reason: "it depends on the guard: \(reason)")
    }
}
