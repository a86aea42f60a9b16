// "Growing stacks handle a deep recursion without a guess of the size."
//
// A recursion without an end on stacks as they are given to a program that asks for nothing: where it ends, and of
// what. A limit that was set beforehand is a guess, too, only a larger one. What a stack may have and what it had are
// two numbers: stacks that double end below a limit that is no power of two.

import Experiments
import Faultline
import Measurement
import Peers
import Report

extension ParameterName {
    /// Whether the stack is as it is given to a program that asks for nothing.
    static let asGiven = ParameterName("as-given")
    /// Bytes of memory that could be had.
    static let available = ParameterName("available")
}

extension Figure {
    static let limitOfGrowingStack = Figure("limit of a goroutine's stack that nobody chose", .bytes)
    static let lastStackOfGoroutine = Figure("the goroutine's stack when its recursion ended", .bytes)
    static let peakOfRecursion = Figure("memory of the process at the end", .bytes)
}

public struct NoSizeGuess: Claim {
    public init() {}

    public let identifier = "no-size-guess"
    public let saidBy = "CloudFlare, How stacks are handled in Go, 2014"
    public let statement = "Stacks that grow need no guess of their size."
    public let claimed: [ClaimedFigure] = []
    public let experiments = [
        "a recursion without an end on a goroutine's stack, a thread's and this library's, each as it is without being "
            + "asked for a size: depth, memory, what ends it, and the stack that the goroutine had then",
        "the same on the largest stacks that this library offers, and on a goroutine's with four times its limit",
    ]

    public let plotted = PlottedNames(
        [.depth, .peakMemory], [.asGiven, .ending, .limit], cases: [Recursion.Work.runaway.prefix])

    /// Go's limit on machines of 64 bits (`maxstacksize`, runtime/proc.go), and that of a thread of Linux.
    private static let (goLimit, threadLimit) = (1_000_000_000, 8 << 20)

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        let available = SystemFiles().availableMemory
        let recursion = Recursion(claim: identifier, .runaway, seconds: 60, laboratory)
        func said(_ records: [Record], asGiven: Bool) -> [Record] {
            records.map { record in
                var record = record
                record.parameters[.asGiven] = .bool(asGiven)
                record.parameters[.available] = .int(available)
                return record
            }
        }
        var records = try said(
            recursion.thread(["\(Self.threadLimit)", "runaway"], limit: Self.threadLimit), asGiven: true)
        for (limit, asGiven) in [
            (try StackConfiguration().effective().maximum ?? StackConfiguration.largestMaximum, true),
            (largest(laboratory), false),
        ] {
            // A move needs the stack twice.
            guard available > 3 * limit else {
                laboratory.missing("stacks of \(ByteSize(bytes: limit)) are not tried: they need thrice that memory")
                continue
            }
            for strategy in [StackStrategy.fault, .faultMove, .checkMove] {
                records += try said(
                    recursion.own(strategy, ["strategy=\(strategy.rawValue)"], limit: limit), asGiven: asGiven)
            }
        }
        for (limit, asGiven) in [(Self.goLimit, true), (4 * Self.goLimit, false)] where asGiven || !laboratory.isQuick {
            // Stacks double: the last one below the limit, and the one that is copied to it.
            guard let newest = laboratory.go.last, available > 3 * limit else { continue }
            records += try said(
                recursion.go(newest, ["runaway", "1"] + (asGiven ? [] : ["\(limit)"]), limit: limit), asGiven: asGiven)
        }
        return records
    }

    private func largest(_ laboratory: Laboratory) -> Int {
        laboratory.isQuick ? 64 << 20 : StackConfiguration.largestMaximum
    }

    /// A process that ended with less than this share of the memory that could be had did not end for want of memory.
    private static let share = 0.8

    /// Why the recursion of a goroutine ended, by what was recorded of it.
    private enum End {
        /// Go ended it at a limit of its own, in bytes, which it named.
        case limit(Int)
        /// Memory was exhausted.
        case memory
        /// Anything else, in words: that says nothing about limits.
        case unknown(String)

        init(_ record: Record, peak: Double?, available: Int) {
            let message = record.parameters[.message]?.text ?? ""
            let isExhausted = peak.map { $0 >= NoSizeGuess.share * Double(available) } ?? false
            if let limit = message.firstMatch(of: #/exceeds (\d+)-byte limit/#).flatMap({ Int($0.1) }) {
                self = .limit(limit)
            } else if record.parameters[.ending] == .string(Recursion.Ending.running.rawValue) {
                self = .unknown("its time was up")
            } else if isExhausted || message.contains("out of memory") || message.contains("cannot allocate memory") {
                self = .memory
            } else {
                let how = record.parameters[.process].map { "the process \($0)" } ?? "how it ended was not recorded"
                self = .unknown(message.isEmpty ? how : "\(how), saying \"\(message)\"")
            }
        }
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let given = evidence.all(metric: .depth, where: [.asGiven: true])
        guard let goroutine = given.ofNewestGo.first, let version = goroutine.goVersion,
            let available = goroutine.parameters[.available]?.whole
        else { throw MissingEvidence("no recursion on a goroutine's stack as it is given") }
        let which = goroutine.parameters.filter { $0.key.isIdentifying }
        let peak = evidence.find(goroutine.name, metric: .peakMemory, where: which)
        let stack = evidence.find(goroutine.name, metric: .lastStack, where: which)
        let end = End(goroutine, peak: peak?.median, available: available)
        var measured: [MeasuredFigure] = []
        if case .limit(let limit) = end {
            measured.append(MeasuredFigure(.limitOfGrowingStack, Estimate(exactly: Double(limit))))
        }
        if let stack { measured.append(MeasuredFigure(.lastStackOfGoroutine, stack)) }
        if let peak { measured.append(MeasuredFigure(.peakOfRecursion, peak)) }
        measured += evidence.all(metric: .peakMemory).map { record in
            let stack =
                record.goVersion.map { "a goroutine's stack in \($0)" }
                ?? record.parameters[.strategy].map { "a stack of this library, \($0)" } ?? "a thread's stack"
            let limit = record.parameters[.limit]?.whole.map { QuantityFormatter.string(Double($0), .bytes) } ?? "?"
            return MeasuredFigure(
                Figure("memory at the end of a recursion on \(stack), limit \(limit)", .bytes), record.estimate)
        }
        let fixed = given.first { $0.parameters[.grows] == false }?.parameters[.limit]?.whole ?? Self.threadLimit
        func text(_ bytes: Int) -> String { QuantityFormatter.string(Double(bytes), .bytes) }
        let others = given.filter { $0.goVersion == nil }.map { record in
            "\(record.name) \(record.parameters[.ending]?.description ?? "ended") at "
                + text(record.parameters[.limit]?.whole ?? 0)
        }
        let beside =
            (peak.map { "; the process had \(text(Int($0.median))) of \(text(available)) that could be had" } ?? "")
            + (others.isEmpty ? "" : "; \(others.joined(separator: ", "))")
        switch end {
        case .unknown(let how):
            return Judgement(
                .notMeasurable, measured: measured, reason: "what ends \(version) is not known: \(how)\(beside)")
        case .memory:
            return Judgement(
                .confirmed, measured: measured, reason: "\(version) goes on until memory is exhausted\(beside)")
        case .limit(let limit) where limit <= fixed:
            return Judgement(
                .refuted, measured: measured,
                reason: "no more than a thread: \(version) ends the process at \(text(limit))\(beside)")
        case .limit(let limit):
            return Judgement(
                .depends, measured: measured,
                reason: "holds up to "
                    + (stack.map { "a stack of \(text(Int($0.median))), by \(text(limit))" } ?? text(limit))
                    + ", the limit at which \(version) says that it ends the process" + beside)
        }
    }
}
