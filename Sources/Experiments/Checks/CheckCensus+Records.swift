// What checks come to as records: how many functions have one, how long they are, how much of the code they take.

import Measurement
import ObjectCode
import Report

extension Metric {
    package static let hotInstructions = Metric("hot-instructions", .instructions)
    package static let hotBytes = Metric("hot-bytes", .bytes)
    package static let coldInstructions = Metric("cold-instructions", .instructions)
    package static let coldBytes = Metric("cold-bytes", .bytes)
}

extension ParameterName {
    package static let checks = ParameterName("checks")
}

extension CheckCensus {
    /// A part that checks have in a whole: a ratio with a case of its own.
    package enum Share: String, CaseIterable {
        case functions
        case text

        /// What ends the name of the case.
        package var suffix: String { "-\(rawValue)" }

        /// The baseline of the ratio.
        package var whole: String {
            switch self {
            case .functions: "all functions"
            case .text: ".text"
            }
        }
    }

    /// Nothing of code without checks.
    package func records(suite: String, case name: String, _ parameters: [ParameterName: ParameterValue]) -> [Record] {
        guard functions > 0, checks > 0, textBytes > 0 else { return [] }
        func each(_ metric: Metric, _ total: Int) -> Record {
            Record(
                suite: suite, case: name, metric: metric, exactly: Double(total) / Double(checks),
                parameters: parameters)
        }
        func share(_ share: Share, _ part: Int, of whole: Int) -> Record {
            .ratio(
                suite: suite, case: name + share.suffix, baseline: share.whole,
                estimate: Estimate(exactly: Double(part) / Double(whole)),
                parameters: parameters.merging([
                    .functions: .int(functions), .checks: .int(checks), .text: .int(textBytes),
                ]) { $1 })
        }
        return [
            share(.functions, checks, of: functions), share(.text, hot.bytes + cold.bytes, of: textBytes),
            each(.hotInstructions, hot.instructions), each(.hotBytes, hot.bytes),
            each(.coldInstructions, cold.instructions), each(.coldBytes, cold.bytes),
        ]
    }
}
