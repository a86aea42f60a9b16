// "Storms of goroutines wait 12.5 µs for the lock of mcentral and 9.2 µs for that of mheap."
//
// Go's runtime since 1.22 tells where others waited for a lock of its own. Goroutines are started by two processors at
// once with small stacks, with stacks that grow, and with stacks above 32 KB, which are spans of the heap. Of each lock
// the worst storm counts, whose goroutines waited longest for it in all: how many waited and how long one did are both
// of that storm.

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

public struct SpawnLocks: Claim {
    public init() {}

    public let identifier = "spawn-locks"
    public let saidBy = "an article on runtime.stackalloc and Go 1.22"
    public let statement = "Storms of goroutines wait 12.5 µs for the lock of mcentral and 9.2 µs for that of mheap."
    public let claimed = [ClaimedFigure(.wait("mcentral"), 12_500), ClaimedFigure(.wait("mheap"), 9_200)]
    public let experiments = [
        "two processors start thousands of goroutines with stacks of 2 KB, 32 KB and 128 KB: how often, and for "
            + "how long, one waited for a lock, by the profile of the newest Go's own locks, in a process for each "
            + "round"
    ]

    public let plotted = PlottedNames(
        [.wait, .waits], [.lock], values: Self.locks, figures: Self.locks.dropLast().map(Figure.wait))

    /// In the order in which `storm.go` returns them.
    static let locks = ["mcentral", "mheap", "stackpool"]
    private static let processors = 2
    /// Goroutines of each processor, and frames of 256 bytes.
    private static let storms: [(name: String, count: Int, frames: Int)] = [
        ("2 KB", 20_000, 2), ("32 KB", 10_000, 80), ("128 KB", 2_000, 350),
    ]

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        guard let toolchain = laboratory.go.last, toolchain.tellsItsLocks else {
            laboratory.missing("waits for Go's own locks are not measured: they need Go 1.22")
            return []
        }
        guard let program = try laboratory.program(.articles, toolchain) else { return [] }
        let telling = program.changing(["GODEBUG": "runtimecontentionstacks=1"])
        let share = laboratory.isQuick ? 4 : 1
        let subjects = Self.storms.map {
            ProcessSubject(
                $0.name, telling, "storm \($0.count / share) \(Self.processors) \($0.frames)", numbers: 7,
                [.count: .int(Self.processors * $0.count / share)])
        }
        let rounds = try ProcessRounds(subjects, rounds: laboratory.processes, claim: identifier, laboratory)
        var records: [Record] = []
        for (index, subject) in subjects.enumerated() {
            for (place, lock) in Self.locks.enumerated() {
                // Over all processes, because most have but a few.
                let counts = rounds.samples(index) { $0[1 + 2 * place] }
                let times = rounds.samples(index) { $0[2 + 2 * place] }
                guard !counts.isEmpty, let started = subject.parameters[.count]?.whole else { continue }
                let shared = subject.parameters.merging([.lock: .string(lock)]) { own, _ in own }
                let all = counts.reduce(0, +)
                records.append(
                    record(subject.name, .waits, exactly: 1000 * all / Double(started * counts.count), shared))
                guard all > 0 else { continue }
                let means = zip(times, counts).filter { $1 > 0 }.map { $0 / $1 }
                records.append(
                    record(
                        subject.name, .wait,
                        try Estimate.median(of: means),
                        shared))
            }
        }
        return records
    }

    /// Half to twice as long is the same on another machine.
    private static let about = 2.0

    /// What happened at a lock in one storm.
    private struct Storm {
        let name: String
        /// Waits of 1,000 goroutines.
        let waits: Estimate
        /// Nanoseconds of one of them.
        let wait: Estimate
    }

    /// The storm whose goroutines waited longest for a lock, all waits together; nil where none waited.
    private static func worst(_ lock: String, _ evidence: Evidence) -> Storm? {
        let own: [ParameterName: ParameterValue] = [.lock: .string(lock)]
        return evidence.all(metric: .wait, where: own).compactMap { record in
            evidence.find(record.name, metric: .waits, where: own).map {
                Storm(name: record.name, waits: $0, wait: record.estimate)
            }
        }.filter { $0.waits.median > 0 }
            .max { $0.waits.median * $0.wait.median < $1.waits.median * $1.wait.median }
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        guard !evidence.all(metric: .waits).isEmpty else {
            throw MissingEvidence("no record of waits for Go's own locks")
        }
        var measured: [MeasuredFigure] = []
        var statements: [Statement] = []
        var counted: [String] = []
        for lock in Self.locks {
            let worst = Self.worst(lock, evidence)
            if let worst { measured.append(MeasuredFigure(.wait(lock), worst.wait)) }
            measured.append(MeasuredFigure(.waits(lock), worst?.waits ?? Estimate(exactly: 0)))
            counted.append("\(lock) \((worst?.waits.median ?? 0).text())\(worst.map { " (\($0.name))" } ?? "")")
            guard lock != Self.locks[2] else { continue }
            let due = claimed(.wait(lock)).low!
            guard let worst else {
                statements.append(Statement("nothing waited for \(lock)", holds: false))
                continue
            }
            statements.append(
                Statement(
                    "a wait for \(lock) takes \(QuantityFormatter.string(worst.wait, .nanoseconds)) "
                        + "(\(worst.name)), "
                        + "claimed \(QuantityFormatter.string(due, .nanoseconds))", worst.wait,
                    is: ClaimedFigure(.wait(lock), low: due / Self.about, high: due * Self.about)))
        }
        return Judgement(
            Statement.conjunction(statements), measured: measured,
            reason: "\(Statement.text(statements)); waits of 1,000 goroutines in the worst storm of each lock: "
                + "\(counted.joined(separator: ", "))")
    }
}
