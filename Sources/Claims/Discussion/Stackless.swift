// "Stackless coroutines need 80 % less memory, and nothing grows."

import Experiments
import Faultline
import Measurement
import Peers
import Report
import Workloads

extension ParameterName {
    /// Frames.
    static let depth = ParameterName("depth")
    static let of = ParameterName("of")
}

extension Figure {
    static let memoryOfStacklessCoroutine = Figure("memory of a stackless coroutine against one with a stack", .ratio)

    static func taskAgainstCoroutine(_ work: Stackless.Work) -> Figure {
        Figure("\(work.rawValue), task against coroutine", .ratio)
    }
}

public struct Stackless: Claim {
    public init() {}

    public let identifier = "stackless"
    public let saidBy = "an article on runtime.stackalloc and Go 1.22"
    public let statement = "Stackless coroutines need 80 % less memory, and nothing grows."
    public let claimed = [
        ClaimedFigure(.memoryOfStacklessCoroutine, 0.2)
    ]
    public let experiments = [
        "many requests that wait in the middle of their handler, as Swift tasks and as coroutines: memory of one",
        "making one, one turn, and a recursion of 10,000 frames, as a task, as a coroutine and as a goroutine",
    ]

    public let plotted = PlottedNames(
        [.time, .memory], [.depth, .of, .slot], cases: [Self.coroutine, Self.task])

    private static let (coroutine, task) = (WaitingSubject.coroutine, WaitingSubject.task)

    /// What is timed: parameter `of`.
    enum Work: String, CaseIterable {
        case spawn
        case `switch`
        case deepRecursion = "deep recursion"
    }

    /// The value of that parameter where it is no time.
    private static let memory: ParameterValue = "memory"

    /// Frames of the handler below a waiting request, and of the deep recursion.
    static let (shallow, deep) = (8, 10_000)

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        try memory(laboratory) + times(laboratory)
    }

    private func memory(_ laboratory: Laboratory) throws -> [Record] {
        var records: [Record] = []
        for (depth, count) in [(Self.shallow, laboratory.isQuick ? 10_000 : 50_000), (Self.deep, 20)] {
            let options = ["depth=\(depth)", "parse=1"]
            var subjects = [
                WaitingSubject.own(
                    WaitingSubject.task, kind: .task, count: count, options, parameters: [.depth: .int(depth)])
            ]
            // The small slot holds requests, but no deep recursion.
            for slot in depth == Self.deep ? [8 << 20] : [8 << 20, 64 << 10] {
                subjects.append(
                    .own(
                        WaitingSubject.coroutine, kind: .coroutine, count: count, options + ["reservation=\(slot)"],
                        parameters: [.depth: .int(depth), .slot: .int(slot)]))
            }
            let samples = try laboratory.samples(subjects, rounds: laboratory.isQuick ? 3 : 11)
            for (index, subject) in subjects.enumerated() {
                records += try subject.records(suite: identifier, samples[index], seed: laboratory.seed)
                guard index > 0 else { continue }
                records.append(
                    ratio(
                        Self.task, to: Self.coroutine,
                        try Bootstrap(seed: laboratory.seed).ratio(
                            of: samples[0].map(\.memory), to: samples[index].map(\.memory)),
                        subject.parameters.merging([.of: Self.memory, .count: .int(count)]) { own, _ in own }))
            }
        }
        return records
    }

    private func times(_ laboratory: Laboratory) throws -> [Record] {
        let programs = try laboratory.goStackPrograms()
        let conversations = try programs.map { ($0.version, try $0.converse()) }
        func measure(
            _ what: Work, _ coroutine: MeasurementCase, _ task: MeasurementCase, go request: String?,
            _ settings: InterleavedMeasurement.Settings
        ) throws -> [Record] {
            var cases = [coroutine, coroutine.nullControl(), task]
            if let request { cases += try conversations.map { try .asking($0.0, $0.1, request) } }
            let result = try laboratory.measure("\(identifier): \(what.rawValue)", cases, settings)
            return try Record.records(
                of: result, suite: identifier,
                comparisons: [(Self.task, Self.coroutine)]
                    + (request == nil ? [] : conversations.map { ($0.0, Self.coroutine) }),
                parameters: [.of: .string(what.rawValue)])
        }
        let stack = StackConfiguration()
        let depth = Self.deep
        return try measure(
            .spawn, MeasurementCase(Self.coroutine) { try spawn($0, stack) },
            MeasurementCase(Self.task, body: TaskPeer.spawn),
            go: "spawn", laboratory.batches)
            + measure(
                .switch, MeasurementCase(Self.coroutine) { try turns($0, stack) },
                MeasurementCase(Self.task, body: TaskPeer.yields), go: "switch", laboratory.batches)
            + measure(
                .deepRecursion,
                MeasurementCase(Self.coroutine) { count in
                    var sum = 0
                    for _ in 0..<count {
                        // A recursion is handed a stack without pages, as the task is.
                        StackPool.drain()
                        sum &+= try withStack(stack) { RequestHandler.handle(depth) {} }
                    }
                    keep(sum)
                }, MeasurementCase(Self.task) { keep(TaskPeer.descend($0, depth: depth)) }, go: nil,
                laboratory.repetitions(laboratory.isQuick ? 1 : 4))
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let shallow = evidence.all(
            Self.task, metric: .ratio, where: [.of: Self.memory, .depth: .int(Self.shallow)])
        guard let largest = shallow.max(by: { $0.median < $1.median }) else {
            throw MissingEvidence("no record of the memory of tasks against coroutines")
        }
        var measured = [MeasuredFigure(.memoryOfStacklessCoroutine, largest.estimate)]
        measured += shallow.filter { $0 != largest }.map {
            MeasuredFigure(
                Figure("\(Figure.memoryOfStacklessCoroutine.name), \(Self.slot($0))", .ratio), $0.estimate)
        }
        let deep = evidence.all(Self.task, metric: .ratio, where: [.of: Self.memory, .depth: .int(Self.deep)])
        measured += deep.map {
            MeasuredFigure(
                Figure("memory of a task against a coroutine, \(Self.deep) frames", .ratio), $0.estimate)
        }
        var text = shallow.map { "\(Self.percent(1 - $0.median)) % less than a coroutine in \(Self.slot($0))" }
        for what in Work.allCases {
            let which: [ParameterName: ParameterValue] = [
                .of: .string(what.rawValue), .baseline: .string(Self.coroutine),
            ]
            guard let ratio = evidence.find(Self.task, metric: .ratio, where: which) else { continue }
            measured.append(MeasuredFigure(.taskAgainstCoroutine(what), ratio))
            text.append("\(what.rawValue) takes a task \(ratio.median.text(decimals: 1)) times as long")
        }
        if let few = evidence.find(Self.task, metric: .memory, where: [.depth: .int(Self.shallow)]),
            let many = evidence.find(Self.task, metric: .memory, where: [.depth: .int(Self.deep)])
        {
            let frame = (many.median - few.median) / Double(Self.deep - Self.shallow)
            text.append("a task does grow, by \(Int(frame.rounded())) bytes a frame")
        }
        let reason = text.joined(separator: "; ")
        let relations = shallow.map { $0.estimate.relation(to: claimed(.memoryOfStacklessCoroutine), tolerance: 0.1) }
        if relations.allSatisfy({ $0 == .within || $0 == .below }) {
            return Judgement(.confirmed, measured: measured, reason: reason)
        }
        if relations.allSatisfy({ $0 == .above }) { return Judgement(.refuted, measured: measured, reason: reason) }
        return Judgement(.depends, measured: measured, reason: "it depends on the slot: \(reason)")
    }

    private static func percent(_ share: Double) -> String { "\(Int((share * 100).rounded()))" }

    private static func slot(_ record: Record) -> String {
        guard let slot = record.parameters[.slot]?.whole else { return "an unknown slot" }
        return "a slot of \(ByteSize(bytes: slot))"
    }
}

@inline(never)
private func spawn(_ count: Int, _ configuration: StackConfiguration) throws {
    for _ in 0..<count {
        let coroutine = try Coroutine<Void, Void, Void>(configuration: configuration) { _, _ in }
        _ = try coroutine.resume()
    }
}

@inline(never)
private func turns(_ count: Int, _ configuration: StackConfiguration) throws {
    let coroutine = try Coroutine<Void, Void, Void>(configuration: configuration) { co, _ in
        while true { try co.suspend(()) }
    }
    for _ in 0..<count { _ = try coroutine.resume() }
}
