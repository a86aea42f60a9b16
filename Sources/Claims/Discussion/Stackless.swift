// "Stackless coroutines need 80 % less memory than goroutines, and do not grow."
//
// Two claims. Memory: C++20's and Swift's tasks are stackless; the goroutines beside them are the article's baseline,
// after collections that have shrunk their stacks. All wait at the same depth of the same request, which each has
// parsed before: a goroutine's stack was deep then, so that it takes more than one that only waits (`idle-goroutines`).
// Growth: what a recursion of coroutines that all wait takes for each further frame.

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
    static let memoryOfStacklessCoroutine = Figure(
        "share of a goroutine's memory that a stackless coroutine takes", .ratio)
    static let memoryOfTask = Figure("share of a goroutine's memory that a Swift task takes", .ratio)

    static let memoryOfFrame = Figure("memory of a further call of a coroutine of C++20", .bytes)
    static let memoryOfTasksFrame = Figure("memory of a further call of a Swift task", .bytes)

    static func coroutine20AgainstCoroutine(_ work: Stackless.Work) -> Figure {
        Figure("\(work.rawValue), C++20 against coroutine", .ratio)
    }
    static func taskAgainstCoroutine(_ work: Stackless.Work) -> Figure {
        Figure("\(work.rawValue), task against coroutine", .ratio)
    }
}

public struct StacklessGrowth: Claim {
    public init() {}

    public let identifier = "stackless-growth"
    public let saidBy = "an article on runtime.stackalloc and Go 1.22"
    public let statement = "Stackless coroutines do not grow."
    public let claimed = [ClaimedFigure(.memoryOfFrame, low: nil, high: 0, isOurReading: true)]
    public let experiments = [
        "coroutines of C++20, and Swift tasks, that wait at the end of 8 and of 10,000 calls of each "
            + "other: memory of one "
            + "with all that it called, and of each call by the difference"
    ]
    public let plotted = PlottedNames([.memory], [.depth], cases: [WaitingSubject.task, WaitingSubject.coroutine20])

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        let names = [WaitingSubject.task, WaitingSubject.coroutine20]
        return own(try Stackless.remembered(laboratory)) {
            names.contains($0.name) && $0.metric == Metric.memory.name
        }
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let frames = [WaitingSubject.coroutine20, WaitingSubject.task].compactMap { name in
            Stackless.frame(name, evidence).map { (name: name, bytes: $0) }
        }
        guard let first = frames.first, first.name == WaitingSubject.coroutine20 else {
            throw MissingEvidence("no record of a deep recursion of coroutines of C++20")
        }
        let figures = [Figure.memoryOfFrame, .memoryOfTasksFrame]
        let measured = frames.map { MeasuredFigure($0.name == first.name ? figures[0] : figures[1], $0.bytes) }
        let reason = frames.map { "a \($0.name) takes \($0.bytes.text(decimals: 0)) bytes for each further call" }
            .joined(separator: "; ")
        // Each grows or does not; where they differ, the language decides.
        let relations = frames.map { $0.bytes.relation(to: ClaimedFigure(figures[0], low: nil, high: 0)) }
        let verdict: Verdict =
            if relations.contains(.undecided) {
                .notMeasurable
            } else if relations.contains(.above) {
                relations.allSatisfy { $0 == .above } ? .refuted : .depends
            } else {
                .confirmed
            }
        return Judgement(
            verdict, measured: measured,
            reason: verdict == .depends ? "it depends on the language: \(reason)" : reason)
    }
}

public struct Stackless: Claim {
    public init() {}

    public let identifier = "stackless"
    public let saidBy = "an article on runtime.stackalloc and Go 1.22"
    public let statement = "Stackless coroutines need 80 % less memory than goroutines."
    public let claimed = [
        ClaimedFigure(.memoryOfStacklessCoroutine, low: nil, high: 0.2, tolerance: 0.1)
    ]
    public let experiments = [
        "many requests that wait in the middle of their handler, as goroutines of the newest Go, coroutines of "
            + "C++20, Swift "
            + "tasks, and this library's coroutines as they are and hibernated: memory of one",
        "making one, one turn, and a recursion of 10,000 frames, of each",
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
        try Self.remembered(laboratory) + times(laboratory)
    }

    /// What all of them take, for whichever claim asks first.
    static func remembered(_ laboratory: Laboratory) throws -> [Record] {
        try laboratory.remembering("memory of stackless coroutines") { try Stackless().memory(laboratory) }
    }

    /// What a further call of a recursion takes; nil where one of the depths was not measured.
    static func frame(_ name: String, _ evidence: Evidence) -> Estimate? {
        guard let few = evidence.find(name, metric: .memory, where: [.depth: .int(shallow)]),
            let many = evidence.find(name, metric: .memory, where: [.depth: .int(deep)])
        else { return nil }
        let calls = Double(deep - shallow)
        // The ends that are furthest apart: both intervals count.
        return Estimate(
            median: (many.median - few.median) / calls, low: (many.low - few.high) / calls,
            high: (many.high - few.low) / calls, samples: min(few.samples, many.samples))
    }

    private func memory(_ laboratory: Laboratory) throws -> [Record] {
        var records: [Record] = []
        for (depth, count) in [(Self.shallow, laboratory.isQuick ? 10_000 : 50_000), (Self.deep, 20)] {
            let options = ["depth=\(depth)", "parse=1"]
            let shared: [ParameterName: ParameterValue] = [.depth: .int(depth)]
            var subjects = [
                WaitingSubject.own(WaitingSubject.task, kind: .task, count: count, options, parameters: shared)
            ]
            if depth == Self.shallow, let program = try laboratory.newestGoStackProgram() {
                subjects.append(
                    .parked(
                        WaitingSubject.goroutine, program, count: count, handler: depth, collections: Self.collections,
                        parameters: shared))
            }
            if let program = try coroutines20(laboratory) {
                subjects.append(.stackless20(program, count: count, isDeep: depth == Self.deep, parameters: shared))
            }
            if depth == Self.shallow {
                subjects.append(
                    .own(
                        Self.hibernated, kind: .coroutine, count: count,
                        options + ["strategy=fault-move", "hibernate=1"], parameters: shared))
            }
            // The small slot holds requests, but no deep recursion.
            for slot in depth == Self.deep ? [8 << 20] : [8 << 20, 64 << 10] {
                subjects.append(
                    .own(
                        WaitingSubject.coroutine, kind: .coroutine, count: count, options + ["reservation=\(slot)"],
                        parameters: [.depth: .int(depth), .slot: .int(slot)]))
            }
            let samples = try laboratory.samples(subjects, rounds: laboratory.isQuick ? 3 : 9)
            let goroutine = subjects.firstIndex { $0.name == WaitingSubject.goroutine }
            for (index, subject) in subjects.enumerated() where !samples[index].isEmpty {
                records += try subject.records(suite: identifier, samples[index], seed: laboratory.seed)
                let own = samples[index].map(\.memory)
                let parameters = subject.parameters.merging([.of: Self.memory, .count: .int(count)]) { own, _ in own }
                if subject.name == Self.coroutine {
                    records.append(
                        ratio(
                            Self.task, to: Self.coroutine,
                            try Estimate.ratio(of: samples[0].map(\.memory), to: own), parameters))
                }
                guard let goroutine, goroutine != index, samples[goroutine].count == own.count else { continue }
                records.append(
                    ratio(
                        subject.name, to: WaitingSubject.goroutine,
                        try Estimate.ratio(of: own, to: samples[goroutine].map(\.memory)),
                        parameters.merging([.baselinePeer: subjects[goroutine].parameters[.peer]!]) { own, _ in own }))
            }
        }
        return records
    }

    private static let hibernated = "hibernated coroutine"
    /// Each halves a goroutine's stack of which less than a quarter is in use.
    private static let collections = 4

    /// C++20's; nil where they cannot be built, which is then named.
    private func coroutines20(_ laboratory: Laboratory) throws -> PeerProgram? {
        try laboratory.step("building coroutines of C++20")
        do throws(PeerUnavailable) {
            return try PeerProgram.coroutines20()
        } catch {
            laboratory.missing("coroutines of C++20 are not measured: \(error)")
            return nil
        }
    }

    private func times(_ laboratory: Laboratory) throws -> [Record] {
        var conversations = try laboratory.goStackPrograms().map { ($0.version, try $0.converse()) }
        if let program = try coroutines20(laboratory) {
            conversations.append((WaitingSubject.coroutine20, try program.converse()))
        }
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
        let memory: [ParameterName: ParameterValue] = [
            .of: Self.memory, .depth: .int(Self.shallow), .baseline: .string(WaitingSubject.goroutine),
        ]
        let stackless = [(WaitingSubject.coroutine20, Figure.memoryOfStacklessCoroutine), (Self.task, .memoryOfTask)]
            .compactMap { name, figure in
                evidence.find(name, metric: .ratio, where: memory).map { (name: name, figure: figure, ratio: $0) }
            }
        guard !stackless.isEmpty else {
            throw MissingEvidence("no record of the memory of stackless coroutines against goroutines")
        }
        var measured = stackless.map { MeasuredFigure($0.figure, $0.ratio) }
        var text = stackless.map { "a \($0.name) takes \(Self.percent(1 - $0.ratio.median)) % less than a goroutine" }
        for own in evidence.all(metric: .ratio, where: memory) where !stackless.contains(where: { $0.name == own.name })
        {
            let slot = own.parameters[.slot] == nil ? "" : " in \(Self.slot(own))"
            measured.append(
                MeasuredFigure(Figure("memory of a \(own.name)\(slot) against a goroutine", .ratio), own.estimate))
            text.append("a \(own.name)\(slot) \(own.median.text()) times")
        }
        for what in Work.allCases {
            let which: [ParameterName: ParameterValue] = [
                .of: .string(what.rawValue), .baseline: .string(Self.coroutine),
            ]
            for (name, title) in [(Self.task, "task"), (WaitingSubject.coroutine20, "coroutine of C++20")] {
                guard let ratio = evidence.find(name, metric: .ratio, where: which) else { continue }
                let figure =
                    name == Self.task
                    ? Figure.taskAgainstCoroutine(what) : .coroutine20AgainstCoroutine(what)
                measured.append(MeasuredFigure(figure, ratio))
                text.append("\(what.rawValue) takes a \(title) \(ratio.median.text()) times as long as a coroutine")
            }
        }
        let reason = text.joined(separator: "; ")
        let due = claimed(.memoryOfStacklessCoroutine)
        let bound = due.high! * (1 + (due.tolerance ?? 0))
        func names(_ relation: Relation) -> String? {
            let those = stackless.filter { $0.ratio.relation(to: due) == relation }
            return those.isEmpty ? nil : those.map { "a \($0.name)" }.joined(separator: " and ")
        }
        switch (names(.within), names(.above), names(.undecided)) {
        case (_, _, let open?):
            return Judgement(
                .notMeasurable, measured: measured,
                reason: "more rounds are needed to tell whether \(open) takes 80 % less: \(reason)")
        case (let less?, let more?, nil):
            return Judgement(
                .depends, measured: measured,
                reason: "it depends on the language, by whether \(Self.percent(1 - bound)) % less are taken, which is "
                    + "80 % give or take a tenth of the rest: \(less) takes so little, \(more) does not: \(reason)")
        case (_, .some, nil): return Judgement(.refuted, measured: measured, reason: reason)
        case (_, nil, nil): return Judgement(.confirmed, measured: measured, reason: reason)
        }
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
