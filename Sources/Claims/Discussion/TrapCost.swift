// "A fault handled by a signal takes at least four crossings and is far slower than Go's allocator."

import Measurement
import Report

public struct TrapCost: Claim {
    public init() {}

    public let identifier = "trap-cost"
    public let saidBy = "Jason E. Aten, golang-nuts, November 2025"
    public let statement =
        "A fault handled by a signal takes at least four crossings between user and kernel and is far slower than Go's "
        + "allocator."
    public let claimed = [
        ClaimedFigure("crossings of one growth", low: 4, high: nil, unit: .count)
    ]
    public let experiments = [
        "one growth, taken apart: fault, delivery, handler, system call, return, retry"
    ]

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        try TrapSuite().records(laboratory).map { record in
            var record = record
            record.suite = identifier
            return record
        }
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let crossings = try evidence.estimate("growth", metric: "crossings")
        let figure = figure("crossings of one growth")
        let measured = [MeasuredFigure(figure.name, crossings, unit: .count)]
        switch crossings.relation(to: figure) {
        case .within, .above: return Judgement(.confirmed, measured: measured, reason: "\(crossings.low) crossings")
        case .below: return Judgement(.refuted, measured: measured, reason: "\(crossings.high) crossings")
        case .undecided:
            return Judgement(.notMeasurable, measured: measured, reason: "the interval contains 4")
        }
    }
}
