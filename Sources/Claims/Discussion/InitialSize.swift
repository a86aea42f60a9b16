// "With 2 KB at first, stacks grow 1.8 times a request, with 8 KB 0.3 times, and a copy takes four times as long."

import Experiments
import Measurement
import Peers
import Processes
import Report

extension Metric {
    static let growths = Metric("growths", .count)
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
    static let timeOfCopy = Figure("time of a copy, 8 KB against 2 KB", .ratio)
}

public struct InitialSize: Claim {
    public init() {}

    public let identifier = "initial-size"
    public let saidBy = "an article on runtime.stackalloc and Go 1.22"
    public let statement =
        "Stacks of 2 KB at first grow 1.8 times a request, those of 8 KB 0.3 times, and copying the larger ones takes "
        + "four times as long."
    public let claimed = [
        ClaimedFigure(.growthsFrom2KB, 1.8),
        ClaimedFigure(.growthsFrom8KB, 0.3),
        ClaimedFigure(.timeOfCopy, 4),
    ]
    public let experiments = [
        "1,000 requests, in the full run 10,000: parse a document and handle it on a fresh stack, by the stack's "
            + "initial size: growths, time, tail of the latencies",
        "Go's goroutines at each size; this library's stacks for plain code (the size is all there is) and for checked "
            + "code (as much again is headroom for what it calls unchecked)",
        "one growth of a goroutine, by the size that is copied",
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
                        let answer = try program.converse().numbers("requests \(count) \(size)", atLeast: 5)
                        return Self.sample(answer.map { Double($0) }, count)
                    })
            }
        }
        var records = try requests(subjects, rounds: laboratory.isQuick ? 3 : 7, count, laboratory)
        for program in programs { records += try copies(program, laboratory) }
        return records
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
            time: numbers[0] / Double(count), growths: numbers[1] / Double(count), quantiles: Array(numbers[2..<5]))
    }

    private func requests(
        _ subjects: [Subject], rounds: Int, _ count: Int, _ laboratory: Laboratory
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
        let bootstrap = Bootstrap(seed: laboratory.seed)
        var records: [Record] = []
        for index in left.sorted() {
            let subject = subjects[index]
            let own = samples[index]
            func add(_ metric: Metric, _ value: (Sample) -> Double) throws {
                records.append(
                    record(
                        Self.requests, metric, try bootstrap.median(of: own.map(value)),
                        subject.parameters.merging([.requests: .int(count)]) { own, _ in own }))
            }
            try add(.growths, \.growths)
            try add(.time, \.time)
            for (place, quantile) in Self.quantiles.enumerated() {
                try add(quantile.metric) { $0.quantiles[place] }
            }
            // What growing costs: against the largest size, which hardly grows, round by round. Noise can make it less
            // than nothing.
            let largest = subjects.lastIndex { $0.peer == subject.peer && $0.strategy == subject.strategy }!
            guard largest != index, left.contains(largest) else { continue }
            let differences = zip(own, samples[largest]).map { $0.time - $1.time }
            records.append(
                record(Self.requests, .timeInGrowth, try bootstrap.median(of: differences), subject.parameters))
        }
        return records
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
            let peer = evidence.all(Self.requests, metric: .growths, where: [.strategy: .string(Self.goroutine)]).last?
                .parameters[.peer]
        else { throw MissingEvidence("no record of the growths of goroutines") }
        func growths(_ size: Int) throws(MissingEvidence) -> Estimate {
            try evidence.estimate(Self.requests, metric: .growths, where: [.peer: peer, .initial: .int(size)])
        }
        let measures = [
            try growths(2 << 10), try growths(8 << 10),
            try evidence.estimate(Self.copy(of: 8 << 10), metric: .ratio, where: [.peer: peer]),
        ]
        let figures: [Figure] = [.growthsFrom2KB, .growthsFrom8KB, .timeOfCopy]
        var measured = zip(figures, measures).map { MeasuredFigure($0, $1) }
        measured += evidence.all(Self.requests, metric: .growths).filter { $0.parameters[.peer] == .thisLibrary }.map {
            MeasuredFigure(
                Figure(
                    "growths of a request, \($0.parameters[.strategy]!) "
                        + "from \($0.parameters[.initial]!) bytes", .count),
                $0.estimate)
        }
        let reason =
            "\(peer): \(measures[0].median.text()) growths from 2 KB, \(measures[1].median.text()) from 8 KB, a copy "
            + "\(measures[2].median.text()) times as long"
        // More growths from the smaller size, and longer copies from the larger one.
        guard measures[0].low > measures[1].high, measures[2].low > 1 else {
            return Judgement(.refuted, measured: measured, reason: reason)
        }
        let isClose = zip(figures, measures).allSatisfy { $1.relation(to: claimed($0), tolerance: 0.25) == .within }
        return Judgement(
            isClose ? .confirmed : .depends, measured: measured,
            reason: isClose ? reason : "the direction holds, the numbers are those of the requests: \(reason)")
    }
}
