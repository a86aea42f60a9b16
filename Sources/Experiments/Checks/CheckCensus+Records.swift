// What checks come to as records: how many functions have one, how long they are, how much of the code they take.

import Measurement
import ObjectCode
import Report

extension CheckCensus {
    /// Nothing of code without checks.
    package func records(suite: String, case name: String, _ parameters: [String: ParameterValue]) -> [Record] {
        guard functions > 0, checks > 0, textBytes > 0 else { return [] }
        func each(_ metric: String, _ unit: MetricUnit, _ total: Int) -> Record {
            Record(
                suite: suite, case: name, metric: metric, unit: unit, exactly: Double(total) / Double(checks),
                parameters: parameters)
        }
        func share(_ suffix: String, _ part: Int, of whole: Int, called baseline: String) -> Record {
            .ratio(
                suite: suite, case: "\(name)-\(suffix)", baseline: baseline,
                estimate: Estimate(exactly: Double(part) / Double(whole)),
                parameters: parameters.merging([
                    "functions": .int(functions), "checks": .int(checks), "text": .int(textBytes),
                ]) { $1 })
        }
        return [
            share("functions", checks, of: functions, called: "all functions"),
            share("text", hot.bytes + cold.bytes, of: textBytes, called: ".text"),
            each("hot-instructions", .instructions, hot.instructions), each("hot-bytes", .bytes, hot.bytes),
            each("cold-instructions", .instructions, cold.instructions), each("cold-bytes", .bytes, cold.bytes),
        ]
    }
}
