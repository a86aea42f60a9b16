// Numbers in the texts of reasons, and gains and shares in per cent, as the discussion speaks of them.

import Experiments
import Measurement
import Report

extension Estimate {
    /// What is gained by going back to the baseline that this is a ratio to: 1 - baseline / this.
    var gain: Estimate {
        Estimate(median: 1 - 1 / median, low: 1 - 1 / low, high: 1 - 1 / high, samples: samples)
    }

    /// What is gained by going from the baseline that this is a ratio to over to this: 1 - this.
    var saving: Estimate { Estimate(median: 1 - median, low: 1 - high, high: 1 - low, samples: samples) }

    /// So many of what this is of one.
    func times(_ count: Int) -> Estimate {
        let factor = Double(count)
        return Estimate(median: median * factor, low: low * factor, high: high * factor, samples: samples)
    }

    /// "1.2 % [0.9, 1.5; n = 24]".
    var percent: String { "\(Self.percent(median)) % [\(Self.percent(low)), \(Self.percent(high))\(sampleText)]" }

    /// How many samples there were, for behind an interval; nothing for what was counted.
    private var sampleText: String { samples > 0 ? "; n = \(samples)" : "" }

    /// Whether a difference is told from none: its interval does not contain `neutral`, and its median lies outside
    /// what its null control shows. Where it is not, nothing that hangs on it is confirmed or refuted.
    ///
    /// - Parameters:
    ///   - neutral: What no difference is: 1 for ratios, 0 for differences and gains.
    ///   - null: The same quantity of something compared with itself.
    func isDistinguishable(from neutral: Double, null: Estimate?) -> Bool {
        guard !isMeasuredOnce, neutral < low || high < neutral else { return false }
        return null.map { median < $0.low || $0.high < median } ?? true
    }

    /// A share in per cent with one decimal; two below 0.1 %.
    static func percent(_ share: Double) -> String {
        let digits = abs(share) < 0.001 && share != 0 ? 100.0 : 10.0
        let rounded = (share * 100 * digits).rounded() / digits
        return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
    }
}

extension Double {
    /// "1.25", "3.0", "286": no more decimals than these, which is more than intervals bear, and none of a thousand.
    func text(decimals: Int = 2) -> String {
        if decimals == 0 || magnitude >= 1000 { return QuantityFormatter.grouped(self, decimals: 0) }
        let scale = [1.0, 10, 100, 1000][decimals]
        return "\((self * scale).rounded() / scale)"
    }
}

extension Estimate {
    /// "1.25 [1.2, 1.31; n = 7]".
    func text(decimals: Int = 2) -> String {
        let (median, low, high) = (
            median.text(decimals: decimals), low.text(decimals: decimals), high.text(decimals: decimals)
        )
        return "\(median) [\(low), \(high)\(sampleText)]"
    }
}
