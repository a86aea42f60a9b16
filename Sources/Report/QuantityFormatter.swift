// Numbers for people: three significant digits, units scaled so that the number before the point has one to three
// digits, digits grouped by three.

import Glibc
import Measurement

/// Formats quantities for tables. Programs read JSON instead, where nothing is rounded.
public enum QuantityFormatter {
    /// A number with its unit: "1.23 µs", "16 KiB", "12,345", "0.43".
    ///
    /// - Parameter value: Any number; one that is not finite is written as `inf`, `-inf` or `nan`.
    public static func string(_ value: Double, _ unit: MetricUnit) -> String {
        let scale = Scale(for: value, unit)
        return scale.number(value) + scale.suffix
    }

    /// An estimate with its interval, in the scale of the median: "2.71 ns [2.69, 2.75]".
    public static func string(_ estimate: Estimate, _ unit: MetricUnit) -> String {
        let text = string(estimate.median, unit)
        let interval = interval(of: estimate, unit)
        return interval.isEmpty ? text : "\(text) \(interval)"
    }

    /// The interval alone, in the scale of the median: "[2.69, 2.75]". Empty for a single exact number.
    ///
    /// - Parameter withSamples: Whether the number of samples is in it: "[2.69, 2.75; n = 7]".
    public static func interval(of estimate: Estimate, _ unit: MetricUnit, withSamples: Bool = false) -> String {
        if estimate.samples <= 1 && estimate.low == estimate.high { return "" }
        let scale = Scale(for: estimate.median, unit)
        let samples = withSamples ? "; n = \(estimate.samples)" : ""
        return "[\(scale.number(estimate.low)), \(scale.number(estimate.high))\(samples)]"
    }

    /// A number with a fixed count of decimals and its whole digits grouped by commas: "12,345.60".
    ///
    /// - Parameter decimals: 0 to 9.
    public static func grouped(_ value: Double, decimals: Int) -> String {
        precondition((0...9).contains(decimals), "between 0 and 9 decimals")
        let scaled = (value.magnitude * pow(10, Double(decimals))).rounded()
        // Beyond 2^53 digits are no longer exact, and beyond 2^63 they fit no integer.
        guard scaled.isFinite, scaled < 0x1p53 else { return String(value) }
        var digits = String(Int(scaled))
        if digits.count <= decimals {
            digits = String(repeating: "0", count: decimals + 1 - digits.count) + digits
        }
        let whole = digits.dropLast(decimals)
        var text = value < 0 && scaled > 0 ? "-" : ""
        for (index, digit) in whole.enumerated() {
            if index > 0 && (whole.count - index) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return decimals == 0 ? text : "\(text).\(digits.suffix(decimals))"
    }
}

/// A power of a unit and a number of decimals, chosen for one number and then used for its whole interval.
private struct Scale {
    var divisor = 1.0
    var suffix = ""
    var decimals = 0

    private static let times = [(1.0, " ns"), (1e3, " µs"), (1e6, " ms"), (1e9, " s")]
    private static let sizes = [
        (1.0, " B"), (0x1p10, " KiB"), (0x1p20, " MiB"), (0x1p30, " GiB"), (0x1p40, " TiB"),
    ]

    init(for value: Double, _ unit: MetricUnit) {
        switch unit {
        case .nanoseconds:
            choose(from: Self.times, for: value, next: 1e3)
        case .bytes:
            choose(from: Self.sizes, for: value, next: 0x1p10)
            // A whole number of units needs no decimals: "16 KiB", not "16.0 KiB".
            if (value / divisor).rounded() == value / divisor { decimals = 0 }
        case .count, .instructions:
            decimals = value.rounded() == value ? 0 : Self.decimals(for: value, minimum: 0)
        case .ratio:
            // Two decimals are what a reader compares ratios by; a tiny one still shows three digits.
            decimals = Self.decimals(for: value, minimum: value.magnitude < 1000 ? 2 : 0)
            if value.magnitude >= 0.1 { decimals = min(decimals, 2) }
        }
    }

    /// Takes the largest unit that leaves at least 1 before the point, after rounding to three digits.
    private mutating func choose(from units: [(Double, String)], for value: Double, next: Double) {
        (divisor, suffix) = units[0]
        for (candidate, name) in units.dropFirst() where value.magnitude >= candidate * (1 - 0.5 / next) {
            (divisor, suffix) = (candidate, name)
        }
        decimals = Self.decimals(for: value / divisor, minimum: 0)
    }

    /// Decimals that give three significant digits.
    private static func decimals(for value: Double, minimum: Int) -> Int {
        guard value.isFinite, value != 0 else { return minimum }
        // Of the rounded number: 9.996 is 10.0, not 10.00.
        let exponent = Int(floor(log10(value.magnitude * (1 + 0.5e-3))))
        return min(9, max(minimum, 2 - exponent))
    }

    func number(_ value: Double) -> String {
        QuantityFormatter.grouped(value / divisor, decimals: decimals)
    }
}
