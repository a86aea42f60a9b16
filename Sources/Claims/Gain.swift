// Numbers in the texts of reasons, and gains and shares in per cent, as the discussion speaks of them.

import Experiments
import Measurement

extension Estimate {
    /// What is gained by going back to the baseline that this is a ratio to: 1 - baseline / this.
    var gain: Estimate {
        Estimate(median: 1 - 1 / median, low: 1 - 1 / low, high: 1 - 1 / high, samples: samples)
    }

    /// "1.2 % [0.9, 1.5]".
    var percent: String { "\(Self.percent(median)) % [\(Self.percent(low)), \(Self.percent(high))]" }

    /// A share in per cent with one decimal; two below 0.1 %.
    static func percent(_ share: Double) -> String {
        let digits = abs(share) < 0.001 && share != 0 ? 100.0 : 10.0
        let rounded = (share * 100 * digits).rounded() / digits
        return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
    }
}

extension Double {
    /// "1.25", "3.0": no more decimals than these, which is more than intervals bear.
    func text(decimals: Int = 2) -> String {
        let scale = [1.0, 10, 100, 1000][decimals]
        return "\((self * scale).rounded() / scale)"
    }
}

extension Estimate {
    /// "1.25 [1.2, 1.31]".
    func text(decimals: Int = 2) -> String {
        let (median, low, high) = (
            median.text(decimals: decimals), low.text(decimals: decimals), high.text(decimals: decimals)
        )
        return "\(median) [\(low), \(high)]"
    }
}
