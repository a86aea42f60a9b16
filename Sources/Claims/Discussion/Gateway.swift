// "A gateway with 2.3 million connections: 4.8 GB with goroutines against 1.1 GB without stacks, pauses of 18 against
// 2.3 ms; 100,000 idle connections take 210 against 42 MB."
//
// 100,000 wait, each as a goroutine, a coroutine of C++20, a Swift task, and a hibernated coroutine of this library:
// they decide, and what 2.3 million would take is 23 times that. As many are made once where they fit, which shows
// whether one takes as much among millions, and decides nothing. A collection's pause is that of Go; the others have
// none.

import Experiments
import Faultline
import Measurement
import Peers
import Report

extension Figure {
    static let memoryOfConnections = Figure("memory that 2.3 million goroutines would take", .bytes)
    static let shareOfConnections = Figure("share of goroutines' memory that coroutines without stacks take", .ratio)
    static let pauseOfCollection = Figure("pause of a collection beside them", .nanoseconds)
    static let pauseBesideRecords = Figure("pause of a collection beside connections without goroutines", .nanoseconds)
    static let memoryOf100000 = Figure("memory of 100,000 goroutines that wait", .bytes)
    static let memoryOf100000Stackless = Figure("memory of 100,000 stackless coroutines that wait", .bytes)
    /// Measured, of as many as there were.
    static func memory(of count: Int) -> Figure {
        Figure("memory of \(QuantityFormatter.grouped(Double(count), decimals: 0)) goroutines, together", .bytes)
    }
}

public struct Gateway: Claim {
    public init() {}

    public let identifier = "gateway"
    public let saidBy = "an article on runtime.stackalloc and Go 1.22"
    public let statement =
        "2.3 million goroutines take 4.8 GB and pause 18 ms for a collection, stackless connections 1.1 GB and 2.3 ms; "
        + "100,000 take 210 "
        + "against 42 MB."
    public let claimed = [
        ClaimedFigure(.memoryOfConnections, 4.8e9, tolerance: Self.tolerance),
        ClaimedFigure(.shareOfConnections, 1.1 / 4.8, tolerance: Self.tolerance),
        ClaimedFigure(.pauseOfCollection, 18e6, tolerance: Self.tolerance),
        ClaimedFigure(.pauseBesideRecords, 2.3e6, tolerance: Self.tolerance),
        ClaimedFigure(.memoryOf100000, 210e6, tolerance: Self.tolerance),
        ClaimedFigure(.memoryOf100000Stackless, 42e6, tolerance: Self.tolerance),
    ]
    public let experiments = [
        "20,000 connections that wait, in the full run 100,000, in a process for each round: as goroutines of the "
            + "newest Go, records of 408 bytes on Go's heap, coroutines of C++20, Swift tasks, and hibernated "
            + "coroutines: memory, and the pause of a collection",
        "in the full run, where they fit, 2,300,000 of each, once",
    ]

    public let plotted = PlottedNames(
        [.memory], [.count, .peer],
        cases: [
            WaitingSubject.goroutine, Self.record, WaitingSubject.coroutine20, WaitingSubject.task, Self.hibernated,
        ],
        figures: [.memoryOfConnections, .memoryOf100000, .shareOfConnections])

    private static let hibernated = "hibernated coroutine"
    /// What Go's heap keeps of a connection that no goroutine waits for.
    static let record = "connection without a goroutine"
    static let (many, few) = (2_300_000, 100_000)
    /// What one takes at most, in bytes.
    private static let bytesOfOne = 3_500

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        guard let program = try laboratory.newestGoStackProgram() else { return [] }
        var records: [Record] = []
        for count in laboratory.isQuick ? [20_000] : [Self.few, Self.many] {
            guard laboratory.hasRoom(for: count, "connection", ofBytes: Self.bytesOfOne) else { continue }
            var subjects = [
                WaitingSubject.parked(WaitingSubject.goroutine, program, count: count, collections: 3),
                .parked(Self.record, program, count: count, collections: 3, areRecords: true),
            ]
            do throws(PeerUnavailable) {
                subjects.append(.stackless20(try PeerProgram.coroutines20(), count: count, isDeep: false))
            } catch {
                laboratory.missing("coroutines of C++20 are not measured: \(error)")
            }
            subjects.append(.own(WaitingSubject.task, kind: .task, count: count, parameters: [.peer: "swift"]))
            if try StackConfiguration(strategy: .faultMove).effective().guardKind == .guardPages {
                subjects.append(
                    .own(
                        Self.hibernated, kind: .coroutine, count: count, ["strategy=fault-move", "hibernate=1"],
                        parameters: [.peer: .thisLibrary]))
            }
            let samples = try laboratory.samples(subjects, rounds: count == Self.many ? 1 : laboratory.isQuick ? 3 : 7)
            for (index, subject) in subjects.enumerated() where !samples[index].isEmpty {
                records += try subject.records(suite: identifier, samples[index], seed: laboratory.seed)
                guard index > 0, samples[0].count == samples[index].count else { continue }
                records.append(
                    ratio(
                        subject.name, to: WaitingSubject.goroutine,
                        try Estimate.ratio(of: samples[index].map(\.memory), to: samples[0].map(\.memory)),
                        subject.parameters.merging([.count: .int(count)]) { own, _ in own }))
            }
        }
        return records
    }

    /// A fifth more or less is the same.
    private static let tolerance = 0.2

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let goroutines = evidence.all(WaitingSubject.goroutine, metric: .memory)
        // Those of which there are rounds.
        guard let own = goroutines.last(where: { $0.parameters[.count]?.whole ?? Self.many <= Self.few }),
            let count = own.parameters[.count]?.whole
        else { throw MissingEvidence("no goroutines that wait") }
        let same: [ParameterName: ParameterValue] = [.count: .int(count)]
        let counted = { (count: Int) in QuantityFormatter.grouped(Double(count), decimals: 0) }
        // One takes what it takes, however many there are.
        let (total, of100000) = (own.estimate.times(Self.many), own.estimate.times(Self.few))
        var measured = [MeasuredFigure(.memoryOfConnections, total), MeasuredFigure(.memoryOf100000, of100000)]
        func isSaid(_ text: String, _ estimate: Estimate, _ figure: Figure) -> Statement {
            Statement(text, estimate, is: claimed(figure))
        }
        /// "take 200 MiB"; of more than were measured "would take 200 MiB, from 20,000".
        func take(_ estimate: Estimate, _ asked: Int) -> String {
            let bytes = QuantityFormatter.string(estimate.median, .bytes)
            return asked == count ? "take \(bytes)" : "would take \(bytes), from \(counted(count))"
        }
        var statements = [
            isSaid("2.3 million goroutines \(take(total, Self.many))", total, .memoryOfConnections),
            isSaid("100,000 \(take(of100000, Self.few))", of100000, .memoryOf100000),
        ]
        /// Less is what the claim is about, too.
        func isAtMost(_ text: String, _ estimate: Estimate, _ figure: Figure) -> Statement {
            let most = ClaimedFigure(figure, low: nil, high: claimed(figure).high, tolerance: Self.tolerance)
            return Statement(text, estimate, is: most)
        }
        /// How long a collection pauses beside more of them does not follow.
        func addPause(_ name: String, _ figure: Figure, _ what: String = "", judge: (String, Estimate) -> Statement) {
            guard let pause = evidence.all(name, metric: .pause).last, let beside = pause.parameters[.count]?.whole
            else { return }
            measured.append(MeasuredFigure(figure, pause.estimate))
            let text =
                "a collection pauses \(QuantityFormatter.string(pause.median, .nanoseconds)) beside \(counted(beside))"
                + what + (pause.estimate.isMeasuredOnce ? ", measured once" : "")
            statements.append(
                beside == Self.many
                    ? judge(text, pause.estimate) : Statement("\(text), not beside 2.3 million", holds: nil))
        }
        addPause(WaitingSubject.goroutine, .pauseOfCollection) { isSaid($0, $1, .pauseOfCollection) }
        addPause(Self.record, .pauseBesideRecords, " connections without goroutines") {
            isAtMost($0, $1, .pauseBesideRecords)
        }
        if let memory = evidence.find(WaitingSubject.coroutine20, metric: .memory, where: same)?.times(Self.few) {
            measured.append(MeasuredFigure(.memoryOf100000Stackless, memory))
            statements.append(
                isAtMost("100,000 coroutines of C++20 \(take(memory, Self.few))", memory, .memoryOf100000Stackless))
        }
        measured += goroutines.compactMap { record in
            guard let count = record.parameters[.count]?.whole, count > Self.few else { return nil }
            return MeasuredFigure(.memory(of: count), record.estimate.times(count))
        }
        let others = evidence.all(metric: .ratio, where: same)
        if let stackless = others.first(where: { $0.name == WaitingSubject.coroutine20 }) {
            measured.append(MeasuredFigure(.shareOfConnections, stackless.estimate))
            statements.append(
                isAtMost(
                    "a coroutine of C++20 takes \(stackless.estimate.text()) of a goroutine", stackless.estimate,
                    .shareOfConnections))
        }
        let rest = others.filter { $0.name != WaitingSubject.coroutine20 }
        measured += rest.map { MeasuredFigure(Figure("\($0.name) against a goroutine", .ratio), $0.estimate) }
        let reason =
            Statement.text(statements)
            + rest.map { "; a \($0.name) takes \($0.estimate.text()) of a goroutine" }.joined()
        return Judgement(Statement.conjunction(statements), measured: measured, reason: reason)
    }
}
