// Numbers as a reader wants them: as many digits as the interval bears, three at most, shares in per cent, and one unit
// for a number and its interval. Tables of records keep the digits of `QuantityFormatter`.

import Glibc
import Measurement

/// A number with its interval, for readers.
public struct ReaderNumber: Sendable, Hashable {
    /// The median.
    public let median: Double
    private let low: Double
    private let high: Double
    private let scale: Scale
    /// Whether these are lower bounds; then every text of them says "at least".
    public let isAtLeast: Bool
    private let isMeasuredOnce: Bool

    /// A measured number.
    public init(_ figure: MeasuredFigure) {
        self.init(
            median: figure.median, low: figure.low, high: figure.high, unit: figure.unit, name: figure.name,
            isAtLeast: figure.isAtLeast == true, isMeasuredOnce: figure.samples == 1)
    }

    /// A number of a unit; its name tells whether a ratio is a share.
    init(
        median: Double, low: Double, high: Double, unit: MetricUnit, name: String, isAtLeast: Bool = false,
        isMeasuredOnce: Bool = false
    ) {
        (self.median, self.low, self.high) = (median, low, high)
        (self.isAtLeast, self.isMeasuredOnce) = (isAtLeast, isMeasuredOnce)
        scale = Scale(for: median, unit, isShare: Self.isShare(name, unit))
    }

    /// A ratio whose name begins so is a part of a whole: it is shown in per cent.
    static func isShare(_ name: String, _ unit: MetricUnit) -> Bool {
        unit == .ratio && (name.hasPrefix("gain") || name.hasPrefix("share"))
    }

    /// The number with its unit: "1.3 %", "2.7 µs", "34,000", "16.8 million", "at least 34,000".
    public var text: String {
        // A digit alone is not seen.
        if scale.isCount, low == high, median == 1, !isAtLeast { return "one" }
        return bound + scale.suffixed(number(median))
    }
    private var bound: String { isAtLeast ? "at least " : "" }
    /// The number with its unit; a ratio with the sign that tells it from a count: "10.8 ×".
    public var marked: String { scale.isRatio ? "\(bound)\(number(median))\u{A0}×" : text }

    /// Both ends with the unit: "0.8 to 2.2 %"; empty where they are shown as the number itself. Of a lower bound the
    /// upper end says nothing, and what was measured once has none.
    public var interval: String {
        if isMeasuredOnce { return "measured once" }
        let ends = [number(low), number(high)]
        guard ends.contains(where: { $0 != number(median) }) else { return "" }
        if isAtLeast { return bound + scale.suffixed(ends[0]) }
        return scale.isRatio ? ends.joined(separator: " to ") : scale.suffixed(ends.joined(separator: " to "))
    }

    /// Whether the interval spans zero: the number cannot be told from it.
    public var spansZero: Bool { low <= 0 && high >= 0 }

    private func number(_ value: Double) -> String {
        ReaderNumber.number(value / scale.divisor, place: place)
    }

    /// The power of ten of the last digit that is shown: none finer than a twentieth of the interval, none beyond the
    /// third. What was counted below ten thousand is shown as it is.
    private var place: Int {
        let largest = max(low.magnitude, high.magnitude) / scale.divisor
        let shown = median == 0 ? largest : median.magnitude / scale.divisor
        guard shown > 0, shown.isFinite, largest.isFinite else { return 0 }
        if scale.isCount || scale.isSize, low == high {
            let isWhole = (median / scale.divisor).rounded() == median / scale.divisor
            if isWhole, shown < 10_000 { return 0 }
        }
        let third = Self.third(shown)
        let half = (high - low) / 2 / scale.divisor
        guard half > 0 else { return third }
        let bearable = Int(ceil(log10(half / 20)))
        guard spansZero else { return min(third + 1, max(third, bearable)) }
        // The sign of an end is what says that even the sign is open; and the farther end has two digits.
        let nearest = [low, high].map { $0.magnitude / scale.divisor }.filter { $0 > 0 }.min() ?? largest
        return max(third, min(bearable, Int(floor(log10(largest))) - 1, Int(floor(log10(nearest * 2)))))
    }

    /// The power of ten of the third digit, of the rounded number: 9.996 is 10.0, not 10.00.
    private static func third(_ value: Double) -> Int { Int(floor(log10(value.magnitude * (1 + 0.5e-3)))) - 2 }

    private static func number(_ value: Double, place: Int) -> String {
        let step = pow(10, Double(place))
        let rounded = place > 0 ? (value / step).rounded() * step : value
        let text = QuantityFormatter.grouped(rounded, decimals: min(9, max(0, -place)))
        return text.hasPrefix("-") ? "\u{2212}\(text.dropFirst())" : text
    }
}

extension ReaderNumber {
    /// A claimed number with its unit: "3 to 5 %", "at least 4", "89 ns".
    public static func claimed(_ figure: ClaimedFigure) -> String {
        let ends = [figure.low, figure.high].compactMap { $0 }
        guard let largest = ends.map(\.magnitude).max() else { return "" }
        let scale = Scale(for: largest, figure.unit, isShare: isShare(figure.name, figure.unit))
        let texts = ends.map { value in
            let digits = number(value / scale.divisor, place: value == 0 ? 0 : min(0, third(value / scale.divisor)))
            return String(digits.contains(".") ? digits.trimmed("0").trimmed(".") : digits[...])
        }
        let unit = { (text: String) in scale.isRatio ? "\(text)\u{A0}×" : scale.suffixed(text) }
        // A bare 1 is read over.
        let bound = scale.isCount && scale.suffix.isEmpty && texts[0] == "1" ? "one" : unit(texts[0])
        switch (figure.low, figure.high) {
        case (nil, _): return "at most \(bound)"
        case (_, nil): return "at least \(bound)"
        default: return unit(texts[0] == texts[1] ? texts[0] : texts.joined(separator: " to "))
        }
    }

    /// The same, marked where the source has no number or is not taken exactly: "at least 2 × (our reading)".
    public static func markedClaim(_ figure: ClaimedFigure) -> String {
        claimed(figure) + figure.mark
    }
}

extension StringProtocol {
    /// The text without this character at its end.
    fileprivate func trimmed(_ character: Character) -> SubSequence {
        self[..<(lastIndex { $0 != character }.map { index(after: $0) } ?? startIndex)]
    }
}

/// What a number is divided by and which unit follows it, chosen for one number and used for its interval.
private struct Scale: Sendable, Hashable {
    private(set) var divisor = 1.0
    private(set) var suffix = ""
    let isRatio: Bool
    let isCount: Bool
    let isSize: Bool

    private static let times = [(1.0, "ns"), (1e3, "µs"), (1e6, "ms"), (1e9, "s")]
    private static let sizes = [
        (1.0, "bytes"), (0x1p10, "KiB"), (0x1p20, "MiB"), (0x1p30, "GiB"), (0x1p40, "TiB"),
    ]
    private static let counts = [(1.0, ""), (1e6, "million"), (1e9, "billion")]

    init(for value: Double, _ unit: MetricUnit, isShare: Bool) {
        isRatio = unit == .ratio && !isShare
        isCount = unit == .count || unit == .instructions
        isSize = unit == .bytes
        switch unit {
        case .nanoseconds: choose(from: Self.times, for: value)
        case .bytes: choose(from: Self.sizes, for: value)
        case .count, .instructions: choose(from: Self.counts, for: value)
        case .ratio: if isShare { (divisor, suffix) = (0.01, "%") }
        }
    }

    /// Takes the largest unit that leaves at least 1 before the point.
    private mutating func choose(from units: [(Double, String)], for value: Double) {
        (divisor, suffix) = units.last { value.magnitude >= $0.0 * (1 - 0.5e-3) } ?? units[0]
    }

    /// The unit does not stand at the beginning of a line without its number.
    func suffixed(_ text: String) -> String { suffix.isEmpty ? text : "\(text)\u{A0}\(suffix)" }
}
