// What a rule sees: the records of its claim, and how an interval lies to a claimed number.

import Experiments
import Measurement
import Report
import Workloads

/// A record that a rule needs is not there.
public struct MissingEvidence: Error, Hashable, CustomStringConvertible {
    /// One line that names the record.
    public let description: String

    /// A missing record.
    public init(_ description: String) { self.description = description }
}

/// The records of one claim.
public struct Evidence: Sendable {
    /// All of them.
    public let records: [Record]

    /// The evidence in `records`.
    public init(_ records: [Record]) { self.records = records }

    /// The records of a case and a metric, or of all cases, with these parameters, in the order in which they were
    /// made.
    public func all(
        _ name: String? = nil, metric: Metric, where parameters: [ParameterName: ParameterValue] = [:]
    ) -> [Record] {
        records.filter { record in
            (name == nil || record.name == name) && record.metric == metric.name
                && parameters.allSatisfy { record.parameters[$0.key] == $0.value }
        }
    }

    /// The estimate of the first such record, or `nil`.
    public func find(
        _ name: String, metric: Metric, where parameters: [ParameterName: ParameterValue] = [:]
    ) -> Estimate? {
        all(name, metric: metric, where: parameters).first?.estimate
    }

    /// The estimate of the first such record.
    ///
    /// - Throws: ``MissingEvidence``.
    public func estimate(
        _ name: String, metric: Metric, where parameters: [ParameterName: ParameterValue] = [:]
    ) throws(MissingEvidence) -> Estimate {
        guard let estimate = find(name, metric: metric, where: parameters) else {
            throw MissingEvidence("no record of '\(name)' with the metric '\(metric.name)'")
        }
        return estimate
    }

    /// The ratio of a case to its baseline.
    ///
    /// - Throws: ``MissingEvidence``.
    public func ratio(_ name: String, to baseline: String) throws(MissingEvidence) -> Estimate {
        try estimate(name, metric: .ratio, where: [.baseline: .string(baseline)])
    }

    /// The ratio of a case to a variant of its code.
    ///
    /// - Throws: ``MissingEvidence``.
    func ratio(_ name: String, to baseline: CodeVariant) throws(MissingEvidence) -> Estimate {
        try ratio(name, to: baseline.rawValue)
    }
}

extension ClaimedFigure {
    /// A number that its source gives as about that much, or that is of another machine: what is within this factor of
    /// it is the same.
    init(_ figure: Figure, about value: Double) {
        self.init(figure, low: value / Self.factor, high: value * Self.factor)
    }
    static let factor = 2.0

    /// How many times as long is "slow", and "far slower", where a source gives no number: one factor for both, since
    /// the second says no less than the first.
    static let slow = 2.0
}

/// How a measured interval lies to a claimed range.
public enum Relation: String, Sendable, Hashable {
    /// All of the interval is below the range.
    case below
    /// All of the interval is within the range.
    case within
    /// All of the interval is above the range.
    case above
    /// The interval contains an end of the range, or it was measured once: more rounds are needed to tell.
    case undecided
}

extension Estimate {
    /// How the interval lies to `figure`, give or take its tolerance.
    public func relation(to figure: ClaimedFigure) -> Relation {
        let tolerance = figure.tolerance ?? 0
        let minimum = figure.low.map { $0 - abs($0) * tolerance } ?? -.infinity
        let maximum = figure.high.map { $0 + abs($0) * tolerance } ?? .infinity
        if isMeasuredOnce { return .undecided }
        if high < minimum { return .below }
        if low > maximum { return .above }
        return low >= minimum && high <= maximum ? .within : .undecided
    }
}

extension Estimate {
    /// What it says of the bound or range that is claimed of it; nothing where its interval holds an end of that.
    func verdict(on figure: ClaimedFigure) -> Verdict {
        switch relation(to: figure) {
        case .within: .confirmed
        case .below, .above: .refuted
        case .undecided: .notMeasurable
        }
    }

    /// What a ratio says of the bound or range that is claimed of it. One that its null control shows as well, or whose
    /// interval holds 1, neither confirms nor refutes.
    ///
    /// - Parameter null: The same of something that is compared with itself.
    func verdict(on figure: ClaimedFigure, null: Estimate?) -> Verdict {
        if isMeasuredOnce { return .notMeasurable }
        guard isDistinguishable(from: 1, null: null) else { return .notDistinguishable }
        return verdict(on: figure)
    }
}
