// "Stacks of 8 KB instead of 2 KB at first lower growths from 1.8 to 0.3 a request, all copying from 127 to 33 ms, and
// collections from 42 to 11."
//
// How many requests that was is not said, so that of the totals their ratio is what can be compared. What all copying
// takes is the sum, over the sizes from which stacks grew, of how often and of what one growth from there takes.

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
    static let copyingFrom2KB = Figure("all copying from 2 KB", .nanoseconds)
    static let copyingFrom8KB = Figure("all copying from 8 KB", .nanoseconds)
    static let collectionsFrom2KB = Figure("collections from 2 KB", .count)
    static let collectionsFrom8KB = Figure("collections from 8 KB", .count)
}

public struct InitialSize: Claim {
    public init() {}

    public let identifier = "initial-size"
    public let saidBy = "an article on runtime.stackalloc and Go 1.22"
    public let statement =
        "Stacks of 8 KB instead of 2 KB at first grow 0.3 instead of 1.8 times a request, all copying takes 33 "
        + "instead of "
        + "127 ms, and there are 11 instead of 42 collections."
    public let claimed = [
        ClaimedFigure(.growthsFrom2KB, 1.8, tolerance: Self.tolerance),
        ClaimedFigure(.growthsFrom8KB, 0.3, tolerance: Self.tolerance),
        ClaimedFigure(.copyingFrom2KB, 127e6), ClaimedFigure(.copyingFrom8KB, 33e6, tolerance: Self.tolerance),
        ClaimedFigure(.collectionsFrom2KB, 42), ClaimedFigure(.collectionsFrom8KB, 11, tolerance: Self.tolerance),
    ]
    public let experiments = [
        "1,000 requests, in the full run 10,000: parse a document and handle it on a fresh stack, by the stack's "
            + "initial size: growths, time, tail of the latencies",
        "Go's goroutines at each size; this library's stacks for plain code (the size is all there is) and for checked "
            + "code (as much again is headroom for what it calls unchecked)",
        "one growth of a goroutine, by the size that is copied; with how often stacks grew from each size, what all "
            + "copying takes; collections, as Go makes them beside the requests",
    ]

    public let plotted = PlottedNames(
        [.growths, .timeInGrowth, .p99], [.initial, .strategy, .peer],
        values: [ParameterValue.thisLibrary.description], figures: [.growthsFrom2KB, .growthsFrom8KB])

    /// The case of requests, and the value of the parameter `strategy` of goroutines.
    private static let requests = "requests"
    private static let goroutine = "goroutine"
    private static func copy(of size: Int) -> String { "copy of \(size) bytes" }
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
        let count = laboratory.isQuick ? 1_000 : 10_000
        let programs = try laboratory.goStackPrograms()
        var subjects = own(count)
        for program in programs {
            for size in Self.sizes {
                subjects.append(
                    Subject(peer: program.version, strategy: Self.goroutine, size: size, headroom: 0) { laboratory in
                        try laboratory.step("\(count) requests on goroutines of \(size) bytes, \(program.version)")
                        let answer = try program.converse().numbers("requests \(count) \(size) 1", atLeast: 14)
                        return Self.sample(answer.map { Double($0) }, count)
                    })
            }
        }
        var copies: [Record] = []
        for program in programs { copies += try self.copies(program, laboratory) }
        return try requests(
            subjects, rounds: laboratory.isQuick ? 3 : 9, count, costs: Evidence(copies), laboratory) + copies
    }

    private func own(_ count: Int) -> [Subject] {
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
                            try ([.time, .growths] + Self.quantiles.map(\.finding)).map(findings.number), count)
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

    private func requests(
        _ subjects: [Subject], rounds: Int, _ count: Int, costs: Evidence, _ laboratory: Laboratory
    ) throws -> [Record] {
        var samples = Array(repeating: [Sample](), count: subjects.count)
        var random = SeededGenerator(seed: laboratory.seed)
        var left = Set(subjects.indices)
        for _ in 0..<rounds {
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
        var records: [Record] = []
        for index in left.sorted() {
            let subject = subjects[index]
            let own = samples[index]
            func add(_ metric: Metric, _ value: (Sample) -> Double?) throws {
                let values = own.compactMap(value)
                guard values.count == own.count else { return }
                records.append(
                    record(
                        Self.requests, metric, try Estimate.median(of: values),
                        subject.parameters.merging([.requests: .int(count)]) { own, _ in own }))
            }
            try add(.growths, \.growths)
            try add(.time, \.time)
            try add(.collections, \.collections)
            let copying = { (sample: Sample) in Self.copying(sample.growthsFrom, costs, .string(subject.peer)) }
            try add(.timeOfCopying, copying)
            if subject.size == Self.claimedSizes.large,
                let small = subjects.firstIndex(where: {
                    $0.peer == subject.peer && $0.strategy == subject.strategy && $0.size == Self.claimedSizes.small
                }), left.contains(small)
            {
                let totals: [(Metric, (Sample) -> Double?)] = [
                    (.timeOfCopying, copying), (.collections, { $0.collections }),
                ]
                for (of, value) in totals {
                    let (first, second) = (samples[small].compactMap(value), own.compactMap(value))
                    guard first.count == own.count, second.count == own.count, first.allSatisfy({ $0 > 0 }) else {
                        continue
                    }
                    records.append(
                        ratio(
                            Self.change(of), to: "from \(Self.claimedSizes.small) bytes",
                            try Estimate.ratio(of: second, to: first), subject.parameters))
                }
            }
            for (place, quantile) in Self.quantiles.enumerated() {
                try add(quantile.metric) { $0.quantiles[place] }
            }
            // What growing costs: against the largest size, which hardly grows, round by round. Noise can make it less
            // than nothing.
            let largest = subjects.lastIndex { $0.peer == subject.peer && $0.strategy == subject.strategy }!
            guard largest != index, left.contains(largest) else { continue }
            let differences = zip(own, samples[largest]).map { $0.time - $1.time }
            records.append(
                record(Self.requests, .timeInGrowth, try Estimate.median(of: differences), subject.parameters))
        }
        return records
    }

    /// What those growths take in all; nil where what one takes is not known. From sizes beyond those that were copied
    /// a growth counts as one from the largest.
    private static func copying(_ growthsFrom: [Double], _ costs: Evidence, _ peer: ParameterValue) -> Double? {
        guard !growthsFrom.isEmpty else { return nil }
        var total = 0.0
        for (place, growths) in growthsFrom.enumerated() where growths > 0 {
            let size = min(2048 << place, sizes[sizes.count - 1])
            // Of 32 KiB it is taken as half of that of 64 KiB.
            let isMeasured = sizes.contains(size)
            guard let cost = costs.find(copy(of: isMeasured ? size : 2 * size), metric: .time, where: [.peer: peer])
            else { return nil }
            total += growths * cost.median / (isMeasured ? 1 : 2)
        }
        return total
    }

    private func copies(_ program: PeerProgram, _ laboratory: Laboratory) throws -> [Record] {
        let conversation = try program.converse()
        let cases = Self.sizes.map { size in
            MeasurementCase(selfTimed: Self.copy(of: size)) { count in
                let answer = try conversation.numbers("copy \(count) \(size)", atLeast: 2)
                guard answer[1] == UInt64(count) else {
                    throw MeasurementFailure("\(program.version): \(answer[1]) growths instead of \(count)")
                }
                return answer[0]
            }
        }
        let result = try laboratory.measure(
            "\(identifier): copies", cases + [cases[0].nullControl()], laboratory.repetitions(20))
        return try Record.records(
            of: result, suite: identifier,
            comparisons: cases.dropFirst().map { ($0.name, cases[0].name) },
            parameters: [.peer: .string(program.version)])
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        // What was claimed is about Go; the newest decides.
        guard
            let peer = evidence.all(Self.requests, metric: .growths, where: [.strategy: .string(Self.goroutine)])
                .ofNewestGo.last?.parameters[.peer]
        else { throw MissingEvidence("no record of the growths of goroutines") }
        func estimate(_ metric: Metric, _ size: Int) throws(MissingEvidence) -> Estimate {
            try evidence.estimate(Self.requests, metric: metric, where: [.peer: peer, .initial: .int(size)])
        }
        let figures: [(small: Figure, large: Figure, metric: Metric, name: String)] = [
            (.growthsFrom2KB, .growthsFrom8KB, .growths, "growths a request"),
            (.copyingFrom2KB, .copyingFrom8KB, .timeOfCopying, "copying"),
            (.collectionsFrom2KB, .collectionsFrom8KB, .collections, "collections"),
        ]
        var measured: [MeasuredFigure] = []
        var statements: [Statement] = []
        for (first, second, metric, name) in figures {
            let (small, large) = (
                try estimate(metric, Self.claimedSizes.small), try estimate(metric, Self.claimedSizes.large)
            )
            measured += [MeasuredFigure(first, small), MeasuredFigure(second, large)]
            if metric == .growths {
                statements += [(first, small), (second, large)].map { figure, estimate in
                    Statement(
                        "\(estimate.text()) \(figure.name), claimed \(claimed(figure).description)", estimate,
                        is: claimed(figure))
                }
            } else {
                guard let ratio = evidence.find(Self.change(metric), metric: .ratio, where: [.peer: peer]) else {
                    statements.append(
                        Statement(
                            name
                                + (small.median == 0
                                    ? " is never there from 2 KB" : " was not compared round by round"),
                            holds: nil))
                    continue
                }
                let figure = Figure("\(name), 8 KB to 2 KB", .ratio)
                let due = claimed(second).high! / claimed(first).low!
                measured.append(MeasuredFigure(figure, ratio))
                statements.append(
                    Statement(
                        "\(name) times \(ratio.text()), claimed \(due.text())", ratio,
                        is: ClaimedFigure(figure, due, tolerance: Self.tolerance)))
            }
        }
        measured += evidence.all(Self.requests, metric: .growths).filter { $0.parameters[.peer] == .thisLibrary }.map {
            MeasuredFigure(
                Figure(
                    "growths of a request, \($0.parameters[.strategy]!) "
                        + "from \($0.parameters[.initial]!) bytes", .count),
                $0.estimate)
        }
        return Judgement(
            Statement.conjunction(statements), measured: measured,
            reason: "\(peer): \(Statement.text(statements))")
    }

    /// What others' requests are is not known: a quarter more or less is the same number.
    private static let tolerance = 0.25
}
