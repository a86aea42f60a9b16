// "Storms of goroutines wait 12.5 µs for the lock of mcentral and 9.2 µs for that of mheap."
//
// Two claims on the same storms. Go's runtime since 1.22 tells where others waited for a lock of its own. Goroutines
// are started by two processors at once with small stacks, with stacks that grow, and with stacks above 32 KB, which
// are spans of the heap. Of each lock the storm that asks most of what it guards decides: small stacks of mcentral,
// which serves small spans, and stacks of 128 KB of mheap, which serves large ones.

import Experiments
import Measurement
import Peers
import Report

extension Metric {
    /// Nanoseconds of one that happened.
    static let wait = Metric("wait-for-lock", .nanoseconds)
    /// Of 1,000 goroutines.
    static let waits = Metric("waits-for-lock", .count)
}

extension ParameterName {
    /// Whose lock it is.
    static let lock = ParameterName("lock")
}

extension Figure {
    static func wait(_ lock: String) -> Figure { Figure("wait for the lock of \(lock)", .nanoseconds) }
    static func waits(_ lock: String) -> Figure { Figure("waits of 1,000 goroutines for \(lock)", .count) }
}

public struct SpawnLock: Claim {
    /// Whose lock it is.
    public enum Owner: String, CaseIterable, Sendable {
        case mcentral
        case mheap

        fileprivate var due: Double { self == .mcentral ? 12_500 : 9_200 }
        /// The case of the storm that decides.
        var storm: String { self == .mcentral ? "2 KB" : "128 KB" }
    }

    public let owner: Owner

    /// The claim about the lock of `owner`.
    public init(_ owner: Owner) { self.owner = owner }

    public var identifier: String { "spawn-lock-\(owner.rawValue)" }
    public let saidBy = "an article on runtime.stackalloc and Go 1.22"
    public var statement: String {
        "In storms of goroutines one waits \((owner.due / 1000).text(decimals: 1)) µs for the lock of "
            + "\(owner.rawValue)."
    }
    public var claimed: [ClaimedFigure] { [ClaimedFigure(.wait(owner.rawValue), about: owner.due)] }
    public let experiments = [
        "two processors start thousands of goroutines with stacks of 2 KB, 32 KB and 128 KB: how often, and for "
            + "how long, one waited for a lock, by the profile of the newest Go's own locks, in a process for each "
            + "round"
    ]

    public var plotted: PlottedNames {
        PlottedNames(
            [.wait, .waits], [.lock], cases: [owner.storm], values: [owner.rawValue, Self.pool],
            figures: [.wait(owner.rawValue)])
    }

    /// In the order in which `storm.go` returns them: the last is the pool of stacks, of which nothing is claimed.
    static let locks = Owner.allCases.map(\.rawValue) + [pool]
    static let pool = "stackpool"
    private static let processors = 2
    /// Goroutines of each processor, and frames of 256 bytes.
    private static let storms: [(name: String, count: Int, frames: Int)] = [
        ("2 KB", 20_000, 2), ("32 KB", 10_000, 80), ("128 KB", 2_000, 350),
    ]

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        let wanted = [owner.rawValue, Self.pool]
        return own(try laboratory.remembering("storms of goroutines") { try Self.storms(laboratory) }) {
            wanted.contains($0.parameters[.lock]?.text ?? "")
        }
    }

    /// Of every lock in every storm, for whichever claim asks.
    private static func storms(_ laboratory: Laboratory) throws -> [Record] {
        let suite = "spawn-locks"
        guard let toolchain = laboratory.go.last, toolchain.tellsItsLocks else {
            laboratory.missing("waits for Go's own locks are not measured: they need Go 1.22")
            return []
        }
        guard let program = try laboratory.program(.articles, toolchain) else { return [] }
        let telling = program.changing(["GODEBUG": "runtimecontentionstacks=1"])
        let share = laboratory.isQuick ? 4 : 1
        let subjects = storms.map {
            ProcessSubject(
                $0.name, telling, "storm \($0.count / share) \(processors) \($0.frames)", numbers: 7,
                [.count: .int(processors * $0.count / share)])
        }
        let rounds = try ProcessRounds(subjects, rounds: laboratory.processes, claim: suite, laboratory)
        var records: [Record] = []
        for (index, subject) in subjects.enumerated() {
            for (place, lock) in locks.enumerated() {
                // Over all processes, because most have but a few.
                let counts = rounds.samples(index) { $0[1 + 2 * place] }
                let times = rounds.samples(index) { $0[2 + 2 * place] }
                guard !counts.isEmpty, let started = subject.parameters[.count]?.whole else { continue }
                let shared = subject.parameters.merging([.lock: .string(lock)]) { own, _ in own }
                let all = counts.reduce(0, +)
                records.append(
                    Record(
                        suite: suite, case: subject.name, metric: .waits,
                        exactly: 1000 * all / Double(started * counts.count), parameters: shared))
                guard all > 0 else { continue }
                let means = zip(times, counts).filter { $1 > 0 }.map { $0 / $1 }
                records.append(
                    Record(
                        suite: suite, case: subject.name, metric: .wait, estimate: try Estimate.median(of: means),
                        parameters: shared))
            }
        }
        return records
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        func find(_ lock: String, _ metric: Metric, in storm: String) -> Estimate? {
            evidence.find(storm, metric: metric, where: [.lock: .string(lock)])
        }
        let (lock, storm) = (owner.rawValue, owner.storm)
        guard let waits = find(lock, .waits, in: storm) else {
            throw MissingEvidence("no record of waits for \(lock) with stacks of \(storm)")
        }
        var measured = [MeasuredFigure(.waits(lock), waits)]
        let place = "with stacks of \(storm)"
        guard waits.median > 0 else {
            return Judgement(.refuted, measured: measured, reason: "\(place) nothing waited for \(lock)")
        }
        guard let wait = find(lock, .wait, in: storm) else {
            throw MissingEvidence("no record of how long a wait for \(lock) takes \(place)")
        }
        measured.insert(MeasuredFigure(.wait(lock), wait), at: 0)
        if let others = find(Self.pool, .waits, in: storm) {
            measured.append(MeasuredFigure(.waits(Self.pool), others))
        }
        return Judgement(
            wait.verdict(on: claimed(.wait(lock))), measured: measured,
            reason: "\(place) a wait for \(lock) takes \(QuantityFormatter.string(wait, .nanoseconds)), "
                + "claimed \(QuantityFormatter.string(owner.due, .nanoseconds)), which on another machine is half to "
                + "twice that; of 1,000 goroutines \(waits.median.text()) waited")
    }
}
