/// The unit of a ``Record``. The list is closed: the JSON Schema names the same ones. Lower is better in each, which is
/// why there are no rates: a rate is reported as its time per operation.
public enum MetricUnit: String, Sendable, Codable, CaseIterable {
    /// Nanoseconds.
    case nanoseconds = "ns"
    /// Bytes.
    case bytes
    /// A number of things.
    case count
    /// Executed machine instructions.
    case instructions
    /// A quotient of two quantities of one unit; the parameter `baseline` names the divisor.
    case ratio
}
