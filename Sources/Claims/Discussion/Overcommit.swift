// "Large virtual stacks depend on overcommit."
//
// What is charged for one in each mode. What happens when memory is exhausted is the claim `exhaustion`.
//
// The rule is about every strategy and guard. The figures are of one strategy, so that they differ by the setting and
// the guard alone.

import Experiments
import Faultline
import Measurement
import Report
import Workloads

extension Metric {
    static let reserved = Metric("reserved", .bytes)
    static let charged = Metric("charged", .bytes)
}

extension ParameterName {
    /// The value of vm.overcommit_memory.
    static let mode = ParameterName("mode")
    /// Whether the mode could not be set, and its charge was worked out.
    static let simulated = ParameterName("simulated")
    static let error = ParameterName("error")
}

extension Figure {
    /// What a stack that grows by faults is charged under a setting of vm.overcommit_memory.
    static func charge(_ kind: StackGuard, inMode mode: Int) -> Figure {
        let unused = kind == .protNone ? "protected pages" : "guard pages"
        return Figure("charge for a stack with \(unused), vm.overcommit_memory \(mode)", .bytes)
    }
    /// What is reserved with it where the charge of that is strict.
    static let reservedWithStack = Figure(
        "reserved with a stack with guard pages, vm.overcommit_memory 2", .bytes)
}

public struct Overcommit: Claim {
    public init() {}

    public let identifier = "overcommit"
    public let saidBy = "CloudFlare, \"How stacks are handled in Go\", 2014"
    public let statement = "Large virtual stacks depend on overcommit."
    public let claimed: [ClaimedFigure] = []
    public let experiments = [
        "one stack of each strategy and kind of guard under vm.overcommit_memory 0, 1 and 2, set for a moment and set "
            + "back; where that is not permitted, from what the kernel would charge: address space and commit charge"
    ]

    public let plotted = PlottedNames(
        [.charged, .stacks], [.guard, .mode],
        values: StackGuard.allCases.map(\.rawValue) + [OvercommitSubject.automatic])

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
        return records
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

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let strict = evidence.all(metric: .stacks, where: [.mode: 2])
        guard !strict.isEmpty else { throw MissingEvidence("no record of vm.overcommit_memory 2") }
        var dependent: [Record] = []
        var free: [Record] = []
        var open: [Record] = []
        for record in strict {
            let which = record.parameters.filter { $0.key.isIdentifying }
            let charged = evidence.find(record.name, metric: .charged, where: which)
            let reserved = evidence.find(record.name, metric: .reserved, where: which)
            // Refused, or charged for half or more of what it only reserves.
            if let charged, let reserved, charged.high < reserved.low / 2 {
                free.append(record)
            } else if let charged, let reserved, charged.low >= reserved.high / 2 {
                dependent.append(record)
            } else if record.high == 0 {
                dependent.append(record)
            } else {
                open.append(record)
            }
        }
        let measured = Self.figures(evidence)
        let simulated = strict.contains { $0.parameters[.simulated] == true }
        /// The shares of what is reserved that are charged: the least and the most.
        func charge(_ records: [Record]) -> String {
            let shares = records.compactMap { record -> Double? in
                let which = record.parameters.filter { $0.key.isIdentifying }
                guard let charged = evidence.find(record.name, metric: .charged, where: which)?.median,
                    let reserved = evidence.find(record.name, metric: .reserved, where: which)?.median, reserved > 0
                else { return nil }
                return charged / reserved
            }
            guard let least = shares.min(), let most = shares.max() else { return "refused" }
            let (low, high) = (Estimate.percent(least), Estimate.percent(most))
            return low == high ? "\(low) %" : "\(low) to \(high) %"
        }
        func names(_ records: [Record]) -> String { records.map(Self.title).joined(separator: ", ") }
        let worked = simulated ? ", worked out," : ""
        let reason =
            "in mode 2\(worked) \(dependent.count) of \(strict.count) are refused or charged for half or more of what "
            + "they reserve"
            + (dependent.isEmpty ? "" : " (\(names(dependent)): \(charge(dependent)))")
            + (free.isEmpty ? "" : ", and \(free.count) for less (\(names(free)): \(charge(free)))")
        if dependent.count == strict.count { return Judgement(.confirmed, measured: measured, reason: reason) }
        if free.count == strict.count { return Judgement(.refuted, measured: measured, reason: reason) }
        guard !free.isEmpty, !dependent.isEmpty else {
            return Judgement(
                .notMeasurable, measured: measured,
                reason: "what is charged for \(open.map(Self.title).joined(separator: ", ")) is not told: \(reason)")
        }
        // The guard is what tells them apart, where none is on both sides.
        func guards(_ records: [Record]) -> Set<String> {
            Set(records.compactMap { $0.parameters[.guard]?.description })
        }
        let isByGuard = open.isEmpty && guards(dependent).isDisjoint(with: guards(free))
        return Judgement(
            .depends, measured: measured,
            reason: "it depends on the \(isByGuard ? "guard" : "strategy and the guard"), by whether 50 % of what is "
                + "reserved are charged: \(reason)")
    }

    /// Of a stack that grows by faults, which is the one that the discussion proposes.
    private static func figures(_ evidence: Evidence) -> [MeasuredFigure] {
        func figure(_ figure: Figure, _ metric: Metric, _ kind: StackGuard, _ mode: Int) -> MeasuredFigure? {
            evidence.find(
                StackStrategy.fault.rawValue, metric: metric,
                where: [.guard: .string(kind.rawValue), .mode: .int(mode)]
            ).map { MeasuredFigure(figure, $0) }
        }
        return
            ((0...2).map { figure(.charge(.guardPages, inMode: $0), .charged, .guardPages, $0) }
            + [
                figure(.reservedWithStack, .reserved, .guardPages, 2),
                figure(.charge(.protNone, inMode: 2), .charged, .protNone, 2),
            ]).compactMap { $0 }
    }

    private static func title(_ record: Record) -> String { "\(record.name) with \(record.parameters[.guard]!)" }
}
