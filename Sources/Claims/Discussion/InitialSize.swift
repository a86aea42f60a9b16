// "Stacks of 8 KB instead of 2 KB at first lower growths from 1.8 to 0.3 a request, all copying from 127 to 33 ms, and
// collections from 42 to 11."
//
// Four claims on the same requests: growths from either size, all copying, and collections. How many requests that was
// is not said, so that of the totals their ratio is what can be compared. What all copying takes is the sum, over the
// sizes from which stacks grew, of how often and of what one growth from there takes, both of the same round; what one
// takes is asked of a process of its own in each.
//
// What the article's requests were is not known, and these are ours: how deep each is nested was chosen
// (`RequestDocuments.swift`). How often a stack grows from a size is then a count of those that are deeper, and what is
// copied follows from that count, so that other depths give other numbers, up to any. How often Go collects follows
// from what requests allocate, and how much that is beside their stacks: this was chosen with them. So none of the four
// confirms or refutes; of copying and of collections it is said where no difference is told from none.

import Experiments
import Measurement
import Peers
import Processes
import Report

extension Metric {
    static let growths = Metric("growths", .count)
    /// Of collections, in all requests together.
    static let collections = Metric("collections", .count)
    /// What copying takes in all requests together.
    static let timeOfCopying = Metric("time of copying", .nanoseconds)
    /// What growing costs of a request's time.
    static let timeInGrowth = Metric("time in growth", .nanoseconds)
    static let p50 = Metric("p50", .nanoseconds)
    static let p99 = Metric("p99", .nanoseconds)
    static let p999 = Metric("p99.9", .nanoseconds)
}

extension ParameterName {
    /// Bytes beside the initial ones that only unchecked code may use.
    static let headroom = ParameterName("headroom")
    static let requests = ParameterName("requests")
}

extension Figure {
    static let growthsFrom2KB = Figure("growths of a request from 2 KB", .count)
    static let growthsFrom8KB = Figure("growths of a request from 8 KB", .count)
    static let copyingChange = Figure("all copying from 8 KB, against from 2 KB", .ratio)
    static let collectionsChange = Figure("collections from 8 KB, against from 2 KB", .ratio)
    /// The same stacks of 2 KB against themselves.
    static let sameStacks = Figure("the same from 2 KB again, against the first time", .ratio)
}

public struct InitialSize: Claim {
    /// What is claimed.
    public enum Number: CaseIterable, Sendable {
        case growthsFrom2KB
        case growthsFrom8KB
        case copying
        case collections

        fileprivate var size: Int {
            self == .growthsFrom2KB ? InitialSize.claimedSizes.small : InitialSize.claimedSizes.large
        }
        /// Of all requests together; growths are of one.
        fileprivate var total: Metric? {
            switch self {
            case .growthsFrom2KB, .growthsFrom8KB: nil
            case .copying: .timeOfCopying
            case .collections: .collections
            }
        }
        fileprivate var figure: Figure {
            switch self {
            case .growthsFrom2KB: .growthsFrom2KB
            case .growthsFrom8KB: .growthsFrom8KB
            case .copying: .copyingChange
            case .collections: .collectionsChange
            }
        }
    }

    public let number: Number

    /// The claim about a number.
    public init(_ number: Number) { self.number = number }

    public var identifier: String {
        switch number {
        case .growthsFrom2KB: "initial-2kb"
        case .growthsFrom8KB: "initial-8kb"
        case .copying: "initial-copying"
        case .collections: "initial-collections"
        }
    }
    public let saidBy = "an article on runtime.stackalloc and Go 1.22"
    public var statement: String {
        switch number {
        case .growthsFrom2KB: "A stack that has 2 KB at first grows 1.8 times a request."
        case .growthsFrom8KB: "A stack that has 8 KB at first grows 0.3 times a request."
        case .copying: "With stacks of 8 KB instead of 2 KB at first all copying takes 33 instead of 127 ms."
        case .collections: "With stacks of 8 KB instead of 2 KB at first there are 11 instead of 42 collections."
        }
    }
    public var claimed: [ClaimedFigure] {
        let value =
            switch number {
            case .growthsFrom2KB: 1.8
            case .growthsFrom8KB: 0.3
            case .copying: 33.0 / 127
            case .collections: 11.0 / 42
            }
        return [ClaimedFigure(number.figure, value)]
    }
    public var experiments: [String] {
        [
            "1,000 requests, in the full run 10,000: parse a document and handle it on a fresh stack, by the stack's "
                + "initial size: growths, time, tail of the latencies; collections, as Go makes them "
                + "beside the requests",
            "Go's goroutines at each size; this library's stacks for plain code (the size is all there is) and for "
                + "checked code (as much again is headroom for what it calls unchecked)",
        ]
            + (number == .copying
                ? [
                    "one growth of a goroutine, by the size that is copied, in a process for each "
                        + "round; with how often "
                        + "stacks grew from each size in that round, what all copying takes"
                ] : [])
    }

    public var plotted: PlottedNames {
        switch number {
        case .growthsFrom2KB:
            PlottedNames(
                [.growths, .timeInGrowth, .p99], [.initial, .strategy, .peer],
                values: [ParameterValue.thisLibrary.description], figures: [number.figure])
        case .growthsFrom8KB: PlottedNames([.growths], [.initial, .peer], figures: [number.figure])
        case .copying, .collections: PlottedNames([number.total ?? .growths], [.initial, .peer])
        }
    }

    /// The case of requests, and the value of the parameter `strategy` of goroutines.
    private static let requests = "requests"
    private static let goroutine = "goroutine"
    private static func copy(of size: Int) -> String { "copy of \(size) bytes" }
    /// Growths that a process makes from each size.
    private static let copies = 500
    private static let quantiles: [(metric: Metric, finding: Finding)] = [
        (.p50, .p50), (.p99, .p99), (.p999, .p999),
    ]

    /// The case of what all requests together take from the larger of the claimed sizes, to that from the smaller one,
    /// round by round.
    static func change(_ metric: Metric) -> String { "\(metric.name), change" }
    static let claimedSizes = (small: 2 << 10, large: 8 << 10)

    /// Bytes that code can use at first.
    static let sizes = [2 << 10, 4 << 10, 8 << 10, 16 << 10, 64 << 10]

    /// Requests on one kind of stack.
    private struct Subject {
        let peer: String
        let strategy: String
        let size: Int
        /// Bytes beside them that only unchecked code may use.
        let headroom: Int
        /// Whether it is another one once more, as its null control.
        var isAgain = false
        let sample: (Laboratory) throws -> Sample

        var parameters: [ParameterName: ParameterValue] {
            [
                .peer: .string(peer), .strategy: .string(strategy), .initial: .int(size), .headroom: .int(headroom),
            ]
        }
    }

    /// Of one series of requests, in nanoseconds of one request.
    private struct Sample {
        /// Processor time, which does not count what others took meanwhile.
        let time: Double
        let growths: Double
        /// Of the elapsed time.
        let quantiles: [Double]
        /// Collections, and growths from 2 KiB, 4 KiB and so on, of all requests; nothing where there are no
        /// collections.
        let collections: Double?
        let growthsFrom: [Double]
    }

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        let all = try laboratory.remembering("requests by initial size") { try Self.measureAll(laboratory) }
        return own(all) { isAbout($0) }
    }

    /// Which of all records this claim shows.
    private func isAbout(_ record: Record) -> Bool {
        let isCopy = record.name != Self.requests && record.metric == Metric.time.name
        let totals = [Metric.timeOfCopying, .collections]
        let isOfTotal = { (total: Metric) in record.metric == total.name || record.name == Self.change(total) }
        return switch number {
        case .growthsFrom2KB: !isCopy && !totals.contains(where: isOfTotal)
        case .growthsFrom8KB: record.metric == Metric.growths.name && record.goVersion != nil
        case .copying: isCopy || isOfTotal(.timeOfCopying)
        case .collections: isOfTotal(.collections)
        }
    }

    /// For whichever claim asks first.
    private static func measureAll(_ laboratory: Laboratory) throws -> [Record] {
        let count = laboratory.isQuick ? 1_000 : 10_000
        let programs = try laboratory.goStackPrograms()
        var subjects = own(count)
        func add(_ program: PeerProgram, _ size: Int, isAgain: Bool = false) {
            subjects.append(
                Subject(peer: program.version, strategy: goroutine, size: size, headroom: 0, isAgain: isAgain) {
                    laboratory in
                    try laboratory.step("\(count) requests on goroutines of \(size) bytes, \(program.version)")
                    let answer = try program.converse().numbers("requests \(count) \(size) 1", atLeast: 14)
                    return sample(answer.map { Double($0) }, count)
                })
        }
        for program in programs {
            for size in sizes { add(program, size) }
        }
        if let newest = programs.last { add(newest, claimedSizes.small, isAgain: true) }
        return try requests(subjects, rounds: laboratory.isQuick ? 3 : 9, count, programs, laboratory)
    }

    private static func own(_ count: Int) -> [Subject] {
        var subjects: [Subject] = []
        for strategy in ["fault", "fault-move", "check-move"] {
            let isChecked = strategy == "check-move"
            // A page is the minimum, and half of a checked stack is the headroom (`fl_headroom`).
            for size in Self.sizes where isChecked || size >= 4 << 10 {
                let options = ["count=\(count)", "strategy=\(strategy)", "initial=\(isChecked ? 2 * size : size)"]
                subjects.append(
                    Subject(
                        peer: ParameterValue.thisLibrary.description, strategy: strategy, size: size,
                        headroom: isChecked ? size : 0
                    ) {
                        laboratory in
                        let findings = try laboratory.experiment("requests", options)
                        guard findings.succeeded else {
                            let failure = findings.failure("the requests were not served")
                            // Its code is sound, as it has shown on a large stack: this one was too small for it.
                            if isChecked, findings[.begun] != nil, case .signalled = findings.ending {
                                throw TooLittleHeadroom(size: size, failure: failure)
                            }
                            throw failure
                        }
                        return Self.sample(
                            try ([.time, .growths] + quantiles.map(\.finding)).map(findings.number), count)
                    })
            }
        }
        return subjects
    }

    /// Unchecked code did not get by with what checked code left it.
    private struct TooLittleHeadroom: Error {
        let size: Int
        let failure: MeasurementFailure
    }

    private static func sample(_ numbers: [Double], _ count: Int) -> Sample {
        Sample(
            time: numbers[0] / Double(count), growths: numbers[1] / Double(count), quantiles: Array(numbers[2..<5]),
            collections: numbers.count > 5 ? numbers[5] : nil, growthsFrom: Array(numbers.dropFirst(6)))
    }

    private static func requests(
        _ subjects: [Subject], rounds: Int, _ count: Int, _ programs: [PeerProgram], _ laboratory: Laboratory
    ) throws -> [Record] {
        let suite = "initial-size"
        var samples = Array(repeating: [Sample](), count: subjects.count)
        // By version, round by round.
        var costs: [String: [[Int: Double]]] = [:]
        var random = SeededGenerator(seed: laboratory.seed)
        var left = Set(subjects.indices)
        for _ in 0..<rounds {
            for program in programs { costs[program.version, default: []].append(try Self.costs(program, laboratory)) }
            for index in random.permutation(of: subjects.count) where left.contains(index) {
                do {
                    samples[index].append(try subjects[index].sample(laboratory))
                } catch let error as TooLittleHeadroom {
                    left.remove(index)
                    laboratory.missing(
                        "checked code with \(error.size) bytes at first is not measured: the unchecked code that it "
                            + "calls needs more headroom than as much again (\(error.failure))")
                }
            }
        }
        /// What each round's growths take; nil where there are none to count.
        func copying(_ index: Int) -> [Double]? {
            guard let costs = costs[subjects[index].peer], costs.count == samples[index].count else { return nil }
            return zip(samples[index], costs).map { Self.copying($0.growthsFrom, $1) }
        }
        func collections(_ index: Int) -> [Double]? {
            let values = samples[index].compactMap(\.collections)
            return values.count == samples[index].count ? values : nil
        }
        let totals: [(metric: Metric, values: (Int) -> [Double]?)] = [
            (.timeOfCopying, copying), (.collections, collections),
        ]
        var records: [Record] = []
        for program in programs {
            for size in sizes {
                let times = (costs[program.version] ?? []).compactMap { $0[size] }
                records.append(
                    Record(
                        suite: suite, case: copy(of: size), metric: .time, estimate: try .median(of: times),
                        parameters: [.peer: .string(program.version)]))
            }
        }
        for index in left.sorted() {
            let subject = subjects[index]
            let own = samples[index]
            func same(_ size: Int) -> Int? {
                subjects.firstIndex {
                    $0.peer == subject.peer && $0.strategy == subject.strategy && $0.size == size && !$0.isAgain
                }.flatMap { left.contains($0) ? $0 : nil }
            }
            if let small = same(claimedSizes.small), subject.isAgain || subject.size == claimedSizes.large {
                for (metric, values) in totals {
                    guard let first = values(small), let second = values(index), first.allSatisfy({ $0 > 0 }) else {
                        continue
                    }
                    var parameters = subject.parameters
                    if subject.isAgain { parameters[.nullControl] = true }
                    records.append(
                        .ratio(
                            suite: suite, case: change(metric), baseline: "from \(claimedSizes.small) bytes",
                            estimate: try .ratio(of: second, to: first), parameters: parameters))
                }
            }
            guard !subject.isAgain else { continue }
            func add(_ metric: Metric, _ values: [Double]?) throws {
                guard let values else { return }
                records.append(
                    Record(
                        suite: suite, case: requests, metric: metric, estimate: try .median(of: values),
                        parameters: subject.parameters.merging([.requests: .int(count)]) { own, _ in own }))
            }
            try add(.growths, own.map(\.growths))
            try add(.time, own.map(\.time))
            for (metric, values) in totals { try add(metric, values(index)) }
            for (place, quantile) in quantiles.enumerated() {
                try add(quantile.metric, own.map { $0.quantiles[place] })
            }
            // What growing costs: against the largest size, which hardly grows, round by round. Noise can make it less
            // than nothing.
            guard let largest = same(sizes[sizes.count - 1]), largest != index else { continue }
            try add(.timeInGrowth, zip(own, samples[largest]).map { $0.time - $1.time })
        }
        return records
    }

    /// What those growths take in all. From sizes beyond those that were copied a growth counts as one from the
    /// largest.
    private static func copying(_ growthsFrom: [Double], _ costs: [Int: Double]) -> Double {
        growthsFrom.enumerated().reduce(0) { total, from in
            let size = min(2048 << from.offset, sizes[sizes.count - 1])
            // Of 32 KiB it is taken as half of that of 64 KiB.
            return total + from.element * (costs[size] ?? (costs[2 * size] ?? 0) / 2)
        }
    }

    /// Nanoseconds of a growth from each size, by a new process.
    private static func costs(_ program: PeerProgram, _ laboratory: Laboratory) throws -> [Int: Double] {
        try laboratory.step("growths of goroutines, \(program.version)")
        let conversation = try program.converse()
        defer { conversation.end() }
        var costs: [Int: Double] = [:]
        for size in sizes {
            let answer = try conversation.numbers("copy \(copies) \(size)", atLeast: 2)
            guard answer[1] == UInt64(copies) else {
                throw MeasurementFailure("\(program.version): \(answer[1]) growths instead of \(copies)")
            }
            costs[size] = Double(answer[0]) / Double(copies)
        }
        return costs
    }

    // MARK: judging

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        guard let total = number.total else { return try judgeGrowths(evidence) }
        return try judge(total: total, evidence)
    }

    /// What was claimed is about Go; the newest decides.
    private func newest(_ metric: Metric, _ evidence: Evidence) throws(MissingEvidence) -> ParameterValue {
        guard
            let peer = evidence.all(Self.requests, metric: metric, where: [.strategy: .string(Self.goroutine)])
                .ofNewestGo.last?.parameters[.peer]
        else { throw MissingEvidence("no record of the \(metric.name) of goroutines") }
        return peer
    }

    private func judgeGrowths(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let peer = try newest(.growths, evidence)
        let growths = try evidence.estimate(
            Self.requests, metric: .growths, where: [.peer: peer, .initial: .int(number.size)])
        let others = evidence.all(Self.requests, metric: .growths).filter { $0.parameters[.peer] == .thisLibrary }
        return Judgement(
            .notMeasurable,
            measured: [MeasuredFigure(number.figure, growths)]
                + others.map {
                    let size = QuantityFormatter.string(Double($0.parameters[.initial]?.whole ?? 0), .bytes)
                    return MeasuredFigure(
                        Figure(
                            "growths of a request on a stack of this library, \($0.parameters[.strategy]!), from "
                                + size, .count), $0.estimate)
                },
            reason: "\(Self.requestsAreOurs); \(peer): \(growths.text()) \(number.figure.name), claimed "
                + "\(claimed(number.figure).description)")
    }

    private static let requestsAreOurs =
        "the number follows from what requests do, which was chosen here, and what the article's did is not known"

    private func judge(total metric: Metric, _ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let peer = try newest(metric, evidence)
        let ratios = evidence.all(Self.change(metric), metric: .ratio, where: [.peer: peer])
        guard let change = ratios.first(where: { $0.parameters[.nullControl] == nil })?.estimate else {
            throw MissingEvidence("\(metric.name) was not compared round by round")
        }
        let null = ratios.first { $0.parameters[.nullControl] != nil }?.estimate
        let claimed = claimed(number.figure)
        var measured = [MeasuredFigure(number.figure, change)]
        if let null { measured.append(MeasuredFigure(.sameStacks, null)) }
        for (size, name) in [(Self.claimedSizes.small, "2 KB"), (Self.claimedSizes.large, "8 KB")] {
            let own = evidence.all(Self.requests, metric: metric, where: [.peer: peer, .initial: .int(size)])
            measured += own.map { MeasuredFigure(Figure("\(metric.name) from \(name)", metric.unit), $0.estimate) }
        }
        let isTold = change.isMeasuredOnce || change.isDistinguishable(from: 1, null: null)
        return Judgement(
            isTold ? .notMeasurable : .notDistinguishable, measured: measured,
            reason: (isTold ? "\(Self.requestsAreOurs); " : "")
                + "\(peer): \(metric.name) from 8 KB is \(change.text()) of that from 2 KB, claimed "
                + "\(claimed.description)" + (null.map { "; that from 2 KB again \($0.text())" } ?? ""))
    }
}
