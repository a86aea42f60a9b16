// "With copying, giving up depth costs nothing, and the room is used again."
//
// A stack goes down to the same depth again and again, beside one that had more room from the start: what a way of
// growing gives up on the way back it must make again at each descent, so that its later descents take longer. Go gives
// nothing up on the way back but at a collection, of which the driver makes none by itself: with one before each later
// descent it is measured beside.

import Experiments
import Faultline
import Measurement
import Peers
import Report

extension Figure {
    static let descentAgain = Figure("a later descent of a goroutine against one that had room", .ratio)
    static let descentAfterCollection = Figure(
        "the same with a collection before the descent, on both", .ratio)
    static let grownAgain = Figure("share of descents that grew the stack again after a collection", .ratio)
    static let firstDescent = Figure("the first descent of a goroutine against a later one", .ratio)
}

extension Metric {
    /// How often a later descent grew the stack once more.
    static let grownAgain = Metric("grown-again", .count)
}

public struct ShrinkFree: Claim {
    public init() {}

    public let identifier = "shrink-free"
    public let saidBy = "CloudFlare, How stacks are handled in Go, 2014"
    public let statement = "With copying, giving up depth costs nothing, and going down again uses the same room."
    public let claimed = [
        // "Nothing": less than a tenth of a descent.
        ClaimedFigure(.descentAgain, low: nil, high: 1.1, isOurReading: true)
    ]
    public let experiments = [
        "one stack descends 32 KiB three times, in a process for each round: goroutines, and this library's "
            + "stacks that grow "
            + "by copying, by segments and by faults; each beside a stack that had the room from the start",
        "the same of goroutines with a collection before the second and the third descent",
    ]

    public let plotted = PlottedNames(
        [.ratio], [.strategy, .peer], cases: [Self.first, Self.later], figures: [.descentAgain])

    private static let (frames, more, count) = (119, 480, 100)
    /// The cases of descents, and what ends those of stacks that had room.
    static let (first, later, withRoom) = ("first", "later", "with room")
    /// With a collection before the descent, in fewer goroutines, because it takes longer than all of their descents.
    private static let collectedCount = 20
    static let (collected, collectedWithRoom) = ("later, after a collection", "with room, after a collection")
    /// Each with the strategy of a stack that has its room from the start.
    static let strategies: [(growing: StackStrategy, withRoom: StackStrategy)] = [
        (.fault, .demand), (.faultMove, .demand), (.checkMove, .checkFixed), (.checkSegment, .checkFixed),
    ]

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        var records: [Record] = []
        /// Times of the three descents of each process, beside those with room.
        func add(_ own: [[Double]], _ base: [[Double]], _ parameters: [ParameterName: ParameterValue]) throws {
            guard !own.isEmpty, own.count == base.count else { return }
            let (firsts, laters) = (own.map { $0[0] }, own.map { $0[2] })
            records += [
                record(Self.first, .time, try Estimate.median(of: firsts), parameters),
                record(Self.later, .time, try Estimate.median(of: laters), parameters),
                ratio(Self.first, to: Self.later, try Estimate.ratio(of: firsts, to: laters), parameters),
                ratio(
                    Self.later, to: Self.withRoom, try Estimate.ratio(of: laters, to: base.map { $0[2] }), parameters),
            ]
        }
        // Each that grows beside the one with room; in each round all in an order drawn anew.
        let all = Self.strategies.flatMap { [$0.growing, $0.withRoom] }
        var samples: [[[Double]]] = Array(repeating: [], count: all.count)
        var random = SeededGenerator(seed: laboratory.seed)
        for _ in 0..<laboratory.processes {
            for place in random.permutation(of: all.count) {
                let findings = try laboratory.experiment(
                    "descents", ["strategy=\(all[place].rawValue)", "count=\(Self.count)"])
                guard findings.succeeded else { throw findings.failure("the stack was not descended") }
                samples[place].append(try (0..<3).map { try findings.number(.descent($0)) })
            }
        }
        for place in stride(from: 0, to: all.count, by: 2) {
            let parameters: [ParameterName: ParameterValue] = [
                .strategy: .string(all[place].rawValue), .peer: .thisLibrary,
            ]
            try add(samples[place], samples[place + 1], parameters)
        }
        let subjects = try laboratory.goStackPrograms().flatMap { program in
            [(0, 0), (Self.more, 0), (0, 1), (Self.more, 1)].map { more, collects in
                let count = collects == 1 ? Self.collectedCount : Self.count
                return ProcessSubject(
                    "descents", program, "again \(count) \(Self.frames) \(more) \(collects)", numbers: 5)
            }
        }
        // A descent is so short that what else runs shows in some: three times as many as elsewhere.
        let rounds = try ProcessRounds(subjects, rounds: 3 * laboratory.processes, claim: identifier, laboratory)
        func turns(_ index: Int, _ count: Int) -> [[Double]] {
            let each = (1...3).map { turn in rounds.samples(index) { $0[turn] / Double(count) } }
            return each[0].indices.map { place in each.map { $0[place] } }
        }
        for index in stride(from: 0, to: subjects.count, by: 4) {
            let parameters = subjects[index].parameters
            try add(turns(index, Self.count), turns(index + 1, Self.count), parameters)
            let (own, base) = (turns(index + 2, Self.collectedCount), turns(index + 3, Self.collectedCount))
            guard !own.isEmpty, own.count == base.count else { continue }
            let (laters, others) = (own.map { $0[2] }, base.map { $0[2] })
            // Of two later descents of each.
            let grown = rounds.samples(index + 2) { $0[4] / Double(2 * Self.collectedCount) }
            records += [
                record(Self.collected, .time, try .median(of: laters), parameters),
                record(Self.collected, .grownAgain, try .median(of: grown), parameters),
                ratio(Self.collected, to: Self.collectedWithRoom, try .ratio(of: laters, to: others), parameters),
            ]
        }
        return records
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let again = evidence.all(Self.later, metric: .ratio)
        guard let own = again.ofNewestGo.first, let version = own.goVersion else {
            throw MissingEvidence("no record of a goroutine's later descents")
        }
        var measured = [MeasuredFigure(.descentAgain, own.estimate)]
        let first = evidence.all(Self.first, metric: .ratio).ofNewestGo.first
        let same: [ParameterName: ParameterValue] = [.peer: own.parameters[.peer]!]
        let collected = evidence.find(Self.collected, metric: .ratio, where: same)
        if let collected { measured.append(MeasuredFigure(.descentAfterCollection, collected)) }
        let grown = evidence.find(Self.collected, metric: .grownAgain, where: same)
        if let grown { measured.append(MeasuredFigure(.grownAgain, grown)) }
        if let first { measured.append(MeasuredFigure(.firstDescent, first.estimate)) }
        let others = again.filter { $0.parameters[.strategy] != nil }
        measured += others.map {
            MeasuredFigure(
                Figure("a later descent against one that had room, \($0.parameters[.strategy]!)", .ratio), $0.estimate)
        }
        let reason =
            "\(version): a later descent takes \(own.estimate.text()) of one that had room"
            + (first.map { ", the first \($0.estimate.text(decimals: 1)) times as long" } ?? "")
            + (collected.map { "; with a collection before it, \($0.text(decimals: 1))" } ?? "")
            + (grown.map { ", where \(Estimate.percent($0.median)) % of descents grew the stack again" } ?? "")
            + (others.isEmpty ? "" : "; this library's: ")
            + others.map { "\($0.parameters[.strategy]!) \($0.estimate.text())" }.joined(separator: ", ")
        switch own.estimate.relation(to: claimed(.descentAgain)) {
        case .within, .below:
            // What a collection gave up is not used again, nor was it free.
            let isFree = collected?.relation(to: claimed(.descentAgain)) != .above && (grown?.low ?? 0) == 0
            return Judgement(
                isFree ? .confirmed : .depends, measured: measured,
                reason: isFree
                    ? reason
                    : "it depends on collections: with none between two descents it is so, after one it is not: "
                        + reason)
        case .above: return Judgement(.refuted, measured: measured, reason: reason)
        case .undecided:
            return Judgement(.notMeasurable, measured: measured, reason: "more rounds are needed: \(reason)")
        }
    }
}
