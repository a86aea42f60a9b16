// "Stackless coroutines need 80 % less memory, and nothing grows."

import Experiments
import Faultline
import Measurement
import Peers
import Report
import Workloads

public struct Stackless: Claim {
    public init() {}

    public let identifier = "stackless"
    public let saidBy = "an article on runtime.stackalloc and Go 1.22"
    public let statement = "Stackless coroutines need 80 % less memory, and nothing grows."
    public let claimed = [
        ClaimedFigure("memory of a stackless coroutine against one with a stack", 0.2, unit: .ratio)
    ]
    public let experiments = [
        "many requests that wait in the middle of their handler, as Swift tasks and as coroutines: memory of one",
        "making one, one turn, and a recursion of 10,000 frames, as a task, as a coroutine and as a goroutine",
    ]

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
                WaitingSubject.own("task", kind: .task, count: count, options, parameters: ["depth": .int(depth)])
            ]
            // The small slot holds requests, but no deep recursion.
            for slot in depth == Self.deep ? [8 << 20] : [8 << 20, 64 << 10] {
                subjects.append(
                    .own(
                        "coroutine", kind: .coroutine, count: count, options + ["reservation=\(slot)"],
                        parameters: ["depth": .int(depth), "slot": .int(slot)]))
            }
            let samples = try laboratory.samples(subjects, rounds: laboratory.isQuick ? 3 : 11)
            for (index, subject) in subjects.enumerated() {
                records += try subject.records(suite: identifier, samples[index], seed: laboratory.seed)
                guard index > 0 else { continue }
                records.append(
                    .ratio(
                        suite: identifier, case: "task", baseline: "coroutine",
                        estimate: try Bootstrap(seed: laboratory.seed).ratio(
                            of: samples[0].map(\.memory), to: samples[index].map(\.memory)),
                        parameters: subject.parameters.merging(["of": "memory", "count": .int(count)]) { own, _ in own }
                    ))
            }
        }
        return records
    }

    private func times(_ laboratory: Laboratory) throws -> [Record] {
        let programs = try laboratory.goStackPrograms()
        let conversations = try programs.map { ($0.version, try $0.converse()) }
        func measure(
            _ what: String, _ coroutine: MeasurementCase, _ task: MeasurementCase, go request: String?,
            _ settings: InterleavedMeasurement.Settings
        ) throws -> [Record] {
            var cases = [coroutine, coroutine.nullControl(), task]
            if let request { cases += try conversations.map { try .asking($0.0, $0.1, request) } }
            let result = try laboratory.measure("\(identifier): \(what)", cases, settings)
            return try Record.records(
                of: result, suite: identifier,
                comparisons: [("task", "coroutine")]
                    + (request == nil ? [] : conversations.map { ($0.0, "coroutine") }),
                parameters: ["of": .string(what)])
        }
        let stack = StackConfiguration()
        let depth = Self.deep
        return try measure(
            "spawn", MeasurementCase("coroutine") { try spawn($0, stack) },
            MeasurementCase("task", body: TaskPeer.spawn),
            go: "spawn", laboratory.batches)
            + measure(
                "switch", MeasurementCase("coroutine") { try turns($0, stack) },
                MeasurementCase("task", body: TaskPeer.yields), go: "switch", laboratory.batches)
            + measure(
                "deep recursion",
                MeasurementCase("coroutine") { count in
                    var sum = 0
                    for _ in 0..<count {
                        // A recursion is handed a stack without pages, as the task is.
                        StackPool.drain()
                        sum &+= try withStack(stack) { RequestHandler.handle(depth) {} }
                    }
                    keep(sum)
                }, MeasurementCase("task") { keep(TaskPeer.descend($0, depth: depth)) }, go: nil,
                laboratory.repetitions(laboratory.isQuick ? 1 : 4))
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let figure = claimed[0]
        let shallow = evidence.all(
            "task", metric: Record.ratioMetric, where: ["of": "memory", "depth": .int(Self.shallow)])
        guard let least = shallow.max(by: { $0.median < $1.median }) else {
            throw MissingEvidence("no record of the memory of tasks against coroutines")
        }
        var measured = [MeasuredFigure(figure.name, least.estimate, unit: .ratio)]
        measured += shallow.filter { $0 != least }.map {
            MeasuredFigure("\(figure.name), \(Self.slot($0))", $0.estimate, unit: .ratio)
        }
        let deep = evidence.all("task", metric: Record.ratioMetric, where: ["of": "memory", "depth": .int(Self.deep)])
        measured += deep.map {
            MeasuredFigure("memory of a task against a coroutine, \(Self.deep) frames", $0.estimate, unit: .ratio)
        }
        var text = shallow.map { "\(Self.percent(1 - $0.median)) % less than a coroutine in \(Self.slot($0))" }
        for what in ["spawn", "switch", "deep recursion"] {
            let which: [String: ParameterValue] = ["of": .string(what), Record.baselineParameter: "coroutine"]
            guard let ratio = evidence.find("task", metric: Record.ratioMetric, where: which) else { continue }
            measured.append(MeasuredFigure("\(what), task against coroutine", ratio, unit: .ratio))
            text.append("\(what) takes a task \((ratio.median * 10).rounded() / 10) times as long")
        }
        if let few = evidence.find("task", metric: "memory", where: ["depth": .int(Self.shallow)]),
            let many = evidence.find("task", metric: "memory", where: ["depth": .int(Self.deep)])
        {
            let frame = (many.median - few.median) / Double(Self.deep - Self.shallow)
            text.append("a task does grow, by \(Int(frame.rounded())) bytes a frame")
        }
        let reason = text.joined(separator: "; ")
        let relations = shallow.map { $0.estimate.relation(to: figure, tolerance: 0.1) }
        if relations.allSatisfy({ $0 == .within || $0 == .below }) {
            return Judgement(.confirmed, measured: measured, reason: reason)
        }
        if relations.allSatisfy({ $0 == .above }) { return Judgement(.refuted, measured: measured, reason: reason) }
        return Judgement(.depends, measured: measured, reason: "it depends on the slot: \(reason)")
    }

    private static func percent(_ share: Double) -> String { "\(Int((share * 100).rounded()))" }

    private static func slot(_ record: Record) -> String {
        guard case .int(let slot)? = record.parameters["slot"] else { return "an unknown slot" }
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
