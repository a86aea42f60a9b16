// Gains and shares in per cent, as the discussion speaks of them.

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
