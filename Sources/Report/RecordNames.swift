// The names that records and verdicts are found by. Each is declared once, as a constant of one of these types, beside
// what writes it; rules, summaries and tests take the constant, so that a name that was changed or removed does not
// compile.

import Measurement

/// What a record measures of its case, and in which unit.
public struct Metric: Sendable, Hashable {
    /// What the record calls it.
    public let name: String
    /// The unit of the record.
    public let unit: MetricUnit

    /// A metric.
    public init(_ name: String, _ unit: MetricUnit) {
        self.name = name
        self.unit = unit
    }
}

/// What a parameter of a record says.
public struct ParameterName: RawRepresentable, Sendable, Hashable, Codable, CodingKeyRepresentable {
    /// What the record calls it.
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    /// A parameter.
    public init(_ name: String) { rawValue = name }
}

extension ParameterName: Comparable, CustomStringConvertible {
    public static func < (first: ParameterName, second: ParameterName) -> Bool { first.rawValue < second.rawValue }

    public var description: String { rawValue }
}

/// A number that a claim names or its rule gives, and its unit.
public struct Figure: Sendable, Hashable {
    /// What the number is of, unique within its claim.
    public let name: String
    /// The unit of the number.
    public let unit: MetricUnit

    /// A figure.
    public init(_ name: String, _ unit: MetricUnit) {
        self.name = name
        self.unit = unit
    }
}

// What the records of any measurement have.

extension ParameterValue {
    /// A value of ``ParameterName/clock``.
    public static func clock(_ clock: MeasurementClock) -> ParameterValue { .string(clock.rawValue) }

    /// A value of ``ParameterName/othersProcessors``; nil where the load disturbed nothing.
    public static func disturbance(_ load: MachineLoad) -> ParameterValue? {
        load.isDisturbing ? .double(((load.others + load.stolen) * 10).rounded() / 10) : nil
    }
}

extension Metric {
    /// Of one operation.
    public static let time = Metric("time", .nanoseconds)
    /// To a baseline.
    public static let ratio = Metric("ratio", .ratio)
}

extension ParameterName {
    /// What a ratio is taken against.
    public static let baseline = ParameterName("baseline")
    /// Tells a null control's ratio from a finding.
    public static let nullControl = ParameterName("null-control")
    public static let clock = ParameterName("clock")
    /// As text, because not every reader of JSON keeps 64 bits of a number.
    public static let seed = ParameterName("seed")
    /// Operations of a sample.
    public static let iterations = ParameterName("iterations")
    /// Rounds within each sample, or samples where each round is one.
    public static let rounds = ParameterName("rounds")
    /// Where each of them is a sample.
    public static let processes = ParameterName("processes")
    /// Processors that others used meanwhile; there only where that was enough to disturb.
    public static let othersProcessors = ParameterName("others-processors")
    /// The values are lower bounds, because something was stopped before it ended: "at least"; there only where true.
    public static let atLeast = ParameterName("at-least")
    /// Of how many samples that is so.
    public static let unended = ParameterName("unended")
    /// Samples far from the median.
    public static let outliers = ParameterName("outliers")
}
