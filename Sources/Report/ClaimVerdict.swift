// What became of a claim. The rules that decide are in the module `Claims`; here is only what is written down.

import Measurement

/// How a claim fared. The list is closed: the JSON Schema names the same ones.
public enum Verdict: String, Sendable, Codable, CaseIterable {
    /// The measured interval agrees with the claim.
    case confirmed
    /// The measured interval contradicts the claim.
    case refuted
    /// The claim holds in one regime and not in another; the regime is named.
    case depends
    /// What was measured as a difference lies within what its null control shows, which says neither that there is one
    /// nor that there is none; how large it can be is said.
    case notDistinguishable = "not distinguishable from zero"
    /// Something is missing, which is named: a package, a permission, a kernel feature, or rounds against the noise.
    case notMeasurable = "not measurable here"
}

/// A number of a claim as its source gives it, or as we read a source that gives none.
public struct ClaimedFigure: Sendable, Hashable, Codable {
    /// What the number is of, unique within its claim, for instance "gain on real programs".
    public var name: String
    /// The smallest value that the source gives; `nil` where it gives only an upper bound.
    public var low: Double?
    /// The largest value that the source gives; `nil` where it gives only a lower bound.
    public var high: Double?
    /// The unit of ``low`` and ``high``.
    public var unit: MetricUnit
    /// Whether the source says it without a number, and this is what we take it to mean; nil where it gives one.
    public var isOurReading: Bool?
    /// The share of itself by which each end is moved outward before it is compared, because the source rounds what it
    /// says or speaks of another machine; nil where nothing is.
    public var tolerance: Double?

    /// A range or, with one end, a bound.
    ///
    /// - Parameters:
    ///   - isOurReading: Whether the number is ours, because the source has none.
    ///   - tolerance: The share of itself by which each end is moved outward.
    public init(
        _ figure: Figure, low: Double?, high: Double?, isOurReading: Bool = false, tolerance: Double? = nil
    ) {
        precondition(low != nil || high != nil, "a figure without a number claims nothing")
        name = figure.name
        unit = figure.unit
        self.low = low
        self.high = high
        self.isOurReading = isOurReading ? true : nil
        self.tolerance = tolerance
    }

    /// One number.
    public init(_ figure: Figure, _ value: Double, tolerance: Double? = nil) {
        self.init(figure, low: value, high: value, tolerance: tolerance)
    }
}

extension ClaimedFigure: CustomStringConvertible {
    /// The number with its unit: "3", "3 to 5", "at least 4", "at most 100 ns".
    public var description: String {
        switch (low, high) {
        case (let low?, let high?): low == high ? text(low) : "\(text(low)) to \(text(high))"
        case (let low?, nil): "at least \(text(low))"
        case (nil, let high?): "at most \(text(high))"
        case (nil, nil): ""
        }
    }

    /// What follows the number in a table: where the source has none, and how exactly it is taken.
    var mark: String {
        let notes = [
            isOurReading == true ? "our reading" : nil,
            tolerance.map { "give or take \(Int(($0 * 100).rounded()))\u{A0}%" },
        ].compactMap { $0 }
        return notes.isEmpty ? "" : " (\(notes.joined(separator: ", ")))"
    }

    /// The number without zeros at its end: a source that says 89 does not say 89.0.
    private func text(_ value: Double) -> String {
        let parts = QuantityFormatter.string(value, unit).split(separator: " ", maxSplits: 1)
        var number = parts[0]
        if number.contains(".") {
            while number.last == "0" { number.removeLast() }
            if number.last == "." { number.removeLast() }
        }
        return parts.count > 1 ? "\(number) \(parts[1])" : String(number)
    }
}

/// A number that was measured, beside the claimed one of the same name where there is one.
public struct MeasuredFigure: Sendable, Hashable, Codable {
    /// What the number is of; that of the claimed figure which it is compared with, else a name of its own.
    public var name: String
    /// The median.
    public var median: Double
    /// The lower end of the 95 % interval.
    public var low: Double
    /// The upper end of the 95 % interval.
    public var high: Double
    /// The unit of the three.
    public var unit: MetricUnit
    /// How many samples there were; 0 for what was counted.
    public var samples: Int?
    /// Whether the three are lower bounds, because something was stopped before it ended.
    public var isAtLeast: Bool?
    /// Of several runs, the median of each that has it, in their order.
    public var byRun: [Double]?

    /// A measured number.
    ///
    /// - Parameter isAtLeast: Whether it is a lower bound.
    public init(_ figure: Figure, _ estimate: Estimate, isAtLeast: Bool = false) {
        name = figure.name
        unit = figure.unit
        median = estimate.median
        low = estimate.low
        high = estimate.high
        samples = estimate.samples
        self.isAtLeast = isAtLeast ? true : nil
    }
}

extension MeasuredFigure: CustomStringConvertible {
    /// The number with its unit, its interval and the number of samples: "2.71 ns [2.69, 2.75; n = 7]"; without an
    /// interval that shows the same number.
    public var description: String {
        // An interval narrower than the digits that are shown says no more than they do.
        let text = QuantityFormatter.string(median, unit)
        let bound = isAtLeast == true ? "at least " : ""
        guard [low, high].contains(where: { QuantityFormatter.string($0, unit) != text }) else {
            return bound + text + (samples == 1 ? " [n = 1]" : "")
        }
        let estimate = Estimate(median: median, low: low, high: high, samples: max(samples ?? 2, 2))
        let interval = QuantityFormatter.interval(of: estimate, unit, withSamples: samples != nil)
        return "\(bound)\(text) \(interval)"
    }
}

/// What one claim says, whatever became of it.
public struct ClaimDescription: Sendable, Hashable, Codable {
    /// The claim's identifier.
    public var claim: String
    /// Its author, and where it was made.
    public var saidBy: String
    /// The claim in a sentence.
    public var statement: String
    /// Its numbers.
    public var claimed: [ClaimedFigure]
    /// What is run to test it, a line each.
    public var experiments: [String]

    /// What a claim says.
    public init(
        claim: String, saidBy: String, statement: String, claimed: [ClaimedFigure], experiments: [String]
    ) {
        self.claim = claim
        self.saidBy = saidBy
        self.statement = statement
        self.claimed = claimed
        self.experiments = experiments
    }
}

/// What became of one claim.
public struct ClaimVerdict: Sendable, Hashable, Codable {
    /// The claim's identifier.
    public var claim: String
    /// Its author, and where it was made.
    public var saidBy: String
    /// The claim in a sentence.
    public var statement: String
    /// How it fared.
    public var verdict: Verdict
    /// Its numbers.
    public var claimed: [ClaimedFigure]
    /// What was measured.
    public var measured: [MeasuredFigure]
    /// Which comparison decided, with its numbers; for ``Verdict/depends`` the regime where it flips, for
    /// ``Verdict/notMeasurable`` what is missing.
    public var reason: String
    /// What measures and judges it again in the same way.
    public var command: String?
    /// How long that took, in seconds.
    public var seconds: Double?
    /// What others did with the processors meanwhile, where it was more than a little.
    public var disturbed: String?
    /// Of several runs, the verdict of each, in their order.
    public var byRun: [Verdict]?

    /// What became of a claim.
    public init(
        claim: String, saidBy: String, statement: String, verdict: Verdict, claimed: [ClaimedFigure],
        measured: [MeasuredFigure], reason: String, command: String? = nil,
        seconds: Double? = nil
    ) {
        self.claim = claim
        self.saidBy = saidBy
        self.statement = statement
        self.verdict = verdict
        self.claimed = claimed
        self.measured = measured
        self.reason = reason
        self.command = command
        self.seconds = seconds
    }
}
