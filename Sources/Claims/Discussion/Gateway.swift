// "A gateway with 2.3 million connections: 4.8 GB with goroutines against 1.1 GB without stacks, pauses of 18 against
// 2.3 ms; 100,000 idle connections take 210 against 42 MB."
//
// Six claims. As many wait as each names, as goroutines, as coroutines of C++20, and as records on Go's heap, a process
// for each sample; beside 100,000 of them Swift tasks, and hibernated coroutines of this library. A collection's pause
// is that of Go; the others have none.

import Experiments
import Faultline
import Measurement
import Peers
import Report

extension Figure {
    static let memoryOfConnections = Figure("memory of 2.3 million goroutines that wait", .bytes)
    static let memoryOfStackless = Figure("memory of 2.3 million stackless coroutines that wait", .bytes)
    static let pauseOfCollection = Figure("pause of a collection beside 2.3 million goroutines", .nanoseconds)
    static let pauseBesideRecords = Figure(
        "pause of a collection beside 2.3 million connections without goroutines", .nanoseconds)
    static let memoryOf100000 = Figure("memory of 100,000 goroutines that wait", .bytes)
    static let memoryOf100000Stackless = Figure("memory of 100,000 stackless coroutines that wait", .bytes)
    static let shareOfConnections = Figure("share of goroutines' memory that coroutines without stacks take", .ratio)
}

public struct Gateway: Claim {
    /// What is claimed.
    public enum Number: CaseIterable, Sendable {
        case memory
        case stackless
        case pause
        case pauseStackless
        case idle
        case idleStackless
    }

    public let number: Number

    /// The claim about a number.
    public init(_ number: Number) { self.number = number }

    public var identifier: String {
        switch number {
        case .memory: "gateway-memory"
        case .stackless: "gateway-stackless"
        case .pause: "gateway-pause"
        case .pauseStackless: "gateway-pause-stackless"
        case .idle: "idle-goroutines"
        case .idleStackless: "idle-stackless"
        }
    }
    public let saidBy = "an article on runtime.stackalloc and Go 1.22"
    public var statement: String {
        switch number {
        case .memory: "2.3 million goroutines that wait take 4.8 GB, which are 4.47 GiB."
        case .stackless: "2.3 million connections without stacks take 1.1 GB, which are 1.02 GiB."
        case .pause: "Beside 2.3 million goroutines a collection pauses for 18 ms."
        case .pauseStackless: "Beside 2.3 million connections without stacks a collection pauses for 2.3 ms."
        case .idle: "100,000 idle goroutines take 210 MB, which are 200 MiB."
        case .idleStackless: "100,000 idle connections without stacks take 42 MB, which are 40.1 MiB."
        }
    }
    /// Each is one number: less than that is as little what was claimed as more.
    public var claimed: [ClaimedFigure] {
        switch number {
        case .memory: [ClaimedFigure(figure, 4.8e9, tolerance: Self.otherVersion)]
        case .stackless: [ClaimedFigure(figure, 1.1e9, tolerance: Self.otherVersion)]
        case .pause: [ClaimedFigure(figure, about: 18e6)]
        case .pauseStackless: [ClaimedFigure(figure, about: 2.3e6)]
        case .idle: [ClaimedFigure(figure, 210e6, tolerance: Self.otherVersion)]
        case .idleStackless: [ClaimedFigure(figure, 42e6, tolerance: Self.otherVersion)]
        }
    }
    public var experiments: [String] {
        count == Self.many
            ? [
                "in the full run, where they fit, 2,300,000 connections that wait, in a process "
                    + "for each round: as goroutines "
                    + "of the newest Go, records of 408 bytes on Go's heap, and coroutines of C++20: memory, and the "
                    + "pause of a collection"
            ]
            : [
                "100,000 connections that wait, in a process for each round: as goroutines of the "
                    + "newest Go, records of "
                    + "408 bytes on Go's heap, coroutines of C++20, Swift tasks, and hibernated coroutines: memory"
            ]
    }

    public var plotted: PlottedNames {
        PlottedNames(
            [metric], [.count, .peer],
            cases: [
                WaitingSubject.goroutine, Self.record, WaitingSubject.coroutine20, WaitingSubject.task,
                Self.hibernated,
            ], figures: [figure])
    }

    private static let hibernated = "hibernated coroutine"
    /// What Go's heap keeps of a connection that no goroutine waits for.
    static let record = "connection without a goroutine"
    static let (many, few) = (2_300_000, 100_000)
    /// What one takes at most, in bytes.
    private static let bytesOfOne = 3_500
    /// What a goroutine or a coroutine takes differs a little between versions of what made it.
    private static let otherVersion = 0.1

    /// The figure, and what it is made of.
    private var figure: Figure {
        switch number {
        case .memory: .memoryOfConnections
        case .stackless: .memoryOfStackless
        case .pause: .pauseOfCollection
        case .pauseStackless: .pauseBesideRecords
        case .idle: .memoryOf100000
        case .idleStackless: .memoryOf100000Stackless
        }
    }
    private var metric: Metric { number == .pause || number == .pauseStackless ? .pause : .memory }
    private var count: Int { number == .idle || number == .idleStackless ? Self.few : Self.many }
    private var subject: String {
        switch number {
        case .memory, .pause, .idle: WaitingSubject.goroutine
        case .stackless, .idleStackless: WaitingSubject.coroutine20
        case .pauseStackless: Self.record
        }
    }

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        let all = try laboratory.remembering("\(count) connections") { try Self.waiting(count, laboratory) }
        return own(all) { ($0.metric == Metric.pause.name) == (metric.name == Metric.pause.name) }
    }

    /// For whichever claim asks first.
    private static func waiting(_ count: Int, _ laboratory: Laboratory) throws -> [Record] {
        let isMany = count == many
        if isMany, laboratory.isQuick {
            laboratory.missing("\(count) connections are not made in a quick run")
            return []
        }
        guard let program = try laboratory.newestGoStackProgram(),
            laboratory.hasRoom(for: count, "connection", ofBytes: bytesOfOne)
        else { return [] }
        var subjects = [
            WaitingSubject.parked(WaitingSubject.goroutine, program, count: count, collections: 3),
            .parked(record, program, count: count, collections: 3, areRecords: true),
        ]
        do throws(PeerUnavailable) {
            subjects.append(.stackless20(try PeerProgram.coroutines20(), count: count, isDeep: false))
        } catch {
            laboratory.missing("coroutines of C++20 are not measured: \(error)")
        }
        if !isMany {
            subjects.append(.own(WaitingSubject.task, kind: .task, count: count, parameters: [.peer: "swift"]))
            if try StackConfiguration(strategy: .faultMove).effective().guardKind == .guardPages {
                subjects.append(
                    .own(
                        hibernated, kind: .coroutine, count: count, ["strategy=fault-move", "hibernate=1"],
                        parameters: [.peer: .thisLibrary]))
            }
        }
        let suite = "gateway"
        let samples = try laboratory.samples(subjects, rounds: laboratory.isQuick ? 3 : 7)
        var records: [Record] = []
        for (index, subject) in subjects.enumerated() where !samples[index].isEmpty {
            records += try subject.records(suite: suite, samples[index], seed: laboratory.seed)
            guard index > 0, samples[0].count == samples[index].count else { continue }
            records.append(
                .ratio(
                    suite: suite, case: subject.name, baseline: WaitingSubject.goroutine,
                    estimate: try .ratio(of: samples[index].map(\.memory), to: samples[0].map(\.memory)),
                    parameters: subject.parameters.merging([.count: .int(count)]) { own, _ in own }))
        }
        return records
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let own = try evidence.estimate(subject, metric: metric, where: [.count: .int(count)])
        // Memory is that of one.
        let found = metric.name == Metric.pause.name ? own : own.times(count)
        let claimed = claimed(figure)
        let verdict = found.verdict(on: claimed)
        var measured = [MeasuredFigure(figure, found)]
        if metric.name == Metric.memory.name {
            measured += evidence.all(metric: .ratio, where: [.count: .int(count)]).map {
                MeasuredFigure(
                    $0.name == WaitingSubject.coroutine20
                        ? .shareOfConnections : Figure("share of a goroutine's memory that a \($0.name) takes", .ratio),
                    $0.estimate)
            }
        }
        let unit = metric.unit
        return Judgement(
            verdict, measured: measured,
            reason: "\(figure.name): \(QuantityFormatter.string(found, unit)), n = \(found.samples), claimed "
                + "\(claimed.description)")
    }
}
