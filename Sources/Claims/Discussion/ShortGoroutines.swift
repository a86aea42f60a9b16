// "37 % of goroutines are short and need only 128 bytes of stack."
//
// A server of net/http and its clients, in one program of the newest Go, whose runtime paints the stack of each
// goroutine before it begins and looks how deep it was when it has ended: goroutines that have a stack one after the
// other count each by itself.

import Experiments
import Measurement
import Peers
import Report

extension Figure {
    static func shareOfGoroutines(within bytes: Int) -> Figure {
        Figure("share of goroutines that used at most \(bytes) bytes of their stacks", .ratio)
    }
}

public struct ShortGoroutines: Claim {
    public init() {}

    public let identifier = "short-goroutines"
    public let saidBy = "an article on runtime.stackalloc and Go 1.22"
    public let statement = "37 % of goroutines are short and need only 128 bytes of stack."
    public let claimed = [
        // With another server a quarter more or less is the same.
        ClaimedFigure(.shareOfGoroutines(within: 128), 0.37, tolerance: 0.25)
    ]
    public let experiments = [
        "100 connections at once, in the full run 400, of which each makes one request to a server of net/http "
            + "that parses "
            + "and handles it, in a Go that paints the stack of each goroutine before it begins and looks at it when "
            + "it has ended: how deep each was, in a process for each round"
    ]

    public let plotted = PlottedNames(
        [.ratio], [.bytes, .peer], figures: Self.bounds.map { .shareOfGoroutines(within: $0) })

    static let name = "net/http"
    /// What shares are of.
    static let all = "all goroutines that ended"
    /// In the order in which `marks.go` counts them.
    static let bounds = [128, 512, 2048]

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        guard let toolchain = laboratory.go.last, let program = try laboratory.program(.servers, toolchain) else {
            return []
        }
        let connections = laboratory.isQuick ? 100 : 400
        let subject = ProcessSubject(
            Self.name, program, "marks \(connections) \(connections)", numbers: 6, [.count: .int(connections)])
        let rounds = try ProcessRounds([subject], rounds: laboratory.processes, claim: identifier, laboratory)
        return try Self.bounds.indices.compactMap { place in
            let shares = rounds.samples(0) { answer in answer[2...(2 + place)].reduce(0, +) / max(1, answer[1]) }
            guard !shares.isEmpty else { return nil }
            return ratio(
                Self.name, to: Self.all, try Estimate.median(of: shares),
                subject.parameters.merging([.bytes: .int(Self.bounds[place])]) { $1 })
        }
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        var measured: [MeasuredFigure] = []
        var text: [String] = []
        for bytes in Self.bounds {
            let share = try evidence.estimate(Self.name, metric: .ratio, where: [.bytes: .int(bytes)])
            measured.append(MeasuredFigure(.shareOfGoroutines(within: bytes), share))
            text.append("\(share.percent) used at most \(bytes) bytes")
        }
        let figure = claimed(.shareOfGoroutines(within: 128))
        let share = try evidence.estimate(Self.name, metric: .ratio, where: [.bytes: .int(Self.bounds[0])])
        let reason = "of the goroutines of a server and its clients \(text.joined(separator: ", "))"
        switch share.relation(to: figure) {
        case .within: return Judgement(.confirmed, measured: measured, reason: reason)
        case .below, .above: return Judgement(.refuted, measured: measured, reason: reason)
        case .undecided:
            return Judgement(.notMeasurable, measured: measured, reason: "more rounds are needed: \(reason)")
        }
    }
}
