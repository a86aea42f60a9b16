// One result. Invariants, checked before anything is written: numbers are finite, low <= median <= high, a ratio names
// its baseline.

import Measurement

/// One result: what was measured, in which unit, its median with a 95 % interval. Lower is better.
public struct Record: Sendable, Hashable, Codable {
    /// The group of results, for instance "switch", "faults" or "statistics".
    public var suite: String
    /// What was measured; called `case` in JSON.
    public var name: String
    /// Which of its properties, for instance "time" or "ratio".
    public var metric: String
    /// The unit of ``median``, ``low`` and ``high``.
    public var unit: MetricUnit
    /// The median; for a ratio, of the ratios within each round.
    public var median: Double
    /// The lower end of the 95 % interval.
    public var low: Double
    /// The upper end of the 95 % interval.
    public var high: Double
    /// How many samples there were; 0 for what was counted.
    public var samples: Int
    /// Everything else that a reader needs to repeat the measurement.
    public var parameters: [ParameterName: ParameterValue]

    enum CodingKeys: String, CodingKey {
        case suite
        case name = "case"
        case metric, unit, median, low, high, samples, parameters
    }

    /// A record of an estimate.
    public init(
        suite: String, case name: String, metric: Metric, estimate: Estimate,
        parameters: [ParameterName: ParameterValue] = [:]
    ) {
        self.suite = suite
        self.name = name
        self.metric = metric.name
        self.unit = metric.unit
        self.median = estimate.median
        self.low = estimate.low
        self.high = estimate.high
        self.samples = estimate.samples
        self.parameters = parameters
    }

    /// Whether its values are lower bounds.
    public var isAtLeast: Bool { parameters[.atLeast] == true }

    /// The median, its interval and the number of samples.
    public var estimate: Estimate { Estimate(median: median, low: low, high: high, samples: samples) }

    /// A record of a number that was counted once, without an interval.
    public init(
        suite: String, case name: String, metric: Metric, exactly value: Double,
        parameters: [ParameterName: ParameterValue] = [:]
    ) {
        self.init(
            suite: suite, case: name, metric: metric, estimate: Estimate(exactly: value), parameters: parameters)
    }

    /// A ratio of paired rounds against the case called `baseline`.
    public static func ratio(
        suite: String, case name: String, baseline: String, estimate: Estimate,
        parameters: [ParameterName: ParameterValue] = [:]
    ) -> Record {
        var parameters = parameters
        parameters[.baseline] = .string(baseline)
        return Record(suite: suite, case: name, metric: .ratio, estimate: estimate, parameters: parameters)
    }

    /// Throws when the record breaks an invariant.
    ///
    /// - Throws: ``ReportError/invalidRecord(record:reason:)``.
    public func check() throws {
        let problem: String? =
            if suite.isEmpty || name.isEmpty || metric.isEmpty {
                "suite, case and metric must not be empty"
            } else if ![median, low, high].allSatisfy(\.isFinite) {
                "median, low and high must be finite"
            } else if !(low <= median && median <= high) {
                "the median \(median) lies outside \(low) ... \(high)"
            } else if samples < 0 {
                "the number of samples is negative"
            } else if (unit == .ratio) != (metric == Metric.ratio.name) {
                "the metric 'ratio' and the unit 'ratio' go together"
            } else if metric == Metric.ratio.name, !hasBaseline {
                "a ratio needs the name of its baseline in its parameters"
            } else if let parameter = firstUnwritableParameter {
                "the parameter '\(parameter)' must be finite"
            } else {
                nil
            }
        if let problem {
            throw ReportError.invalidRecord(record: "\(suite)/\(name)/\(metric)", reason: problem)
        }
    }

    private var hasBaseline: Bool {
        parameters[.baseline]?.text?.isEmpty == false
    }

    private var firstUnwritableParameter: ParameterName? {
        for (key, value) in parameters.sorted(by: { $0.key < $1.key }) {
            if case .double(let number) = value, !number.isFinite { return key }
        }
        return nil
    }
}

/// Why results cannot be written; one line each.
public enum ReportError: Error, Hashable, CustomStringConvertible {
    /// A record breaks an invariant of ``Record``.
    case invalidRecord(record: String, reason: String)
    /// A metric family breaks a rule of the exposition format.
    case invalidFamily(name: String, reason: String)

    public var description: String {
        switch self {
        case .invalidRecord(let record, let reason): "record \(record): \(reason)"
        case .invalidFamily(let name, let reason): "metric '\(name)': \(reason)"
        }
    }
}
