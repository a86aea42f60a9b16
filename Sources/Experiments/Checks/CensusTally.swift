// What the checks of programs come to: how many functions have one, how long they are, how much of the code they take.

import GoBinary
import Measurement
import Report
import Workloads

extension Metric {
    package static let hotInstructions = Metric("hot-instructions", .instructions)
    package static let hotBytes = Metric("hot-bytes", .bytes)
    package static let coldInstructions = Metric("cold-instructions", .instructions)
    package static let coldBytes = Metric("cold-bytes", .bytes)
}

extension ParameterName {
    package static let checks = ParameterName("checks")
}

/// What the functions of one program, or of several, come to.
package struct CensusTally {
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

    private var functions = 0
    private var checks = 0
    private var hot = (instructions: 0, bytes: 0)
    private var cold = (instructions: 0, bytes: 0)
    private var text = 0

    package init() {}

    package init(_ census: PrologueCensus) {
        (functions, checks, text) = (census.functions, census.checks, census.textBytes)
        hot = (census.hotInstructions, census.hotBytes)
        cold = (census.coldInstructions, census.coldBytes)
    }

    /// Of a Go program.
    package init(_ census: CheckCensus) {
        let total = census.total
        (functions, checks, text) = (census.functions, total.functions, census.textBytes)
        hot = (total.hotInstructions, total.hotBytes)
        cold = (total.coldInstructions, total.coldBytes)
    }

    package mutating func add(_ other: CensusTally) {
        functions += other.functions
        checks += other.checks
        text += other.text
        hot = (hot.instructions + other.hot.instructions, hot.bytes + other.hot.bytes)
        cold = (cold.instructions + other.cold.instructions, cold.bytes + other.cold.bytes)
    }

    package func records(suite: String, case name: String, _ parameters: [ParameterName: ParameterValue]) -> [Record] {
        guard functions > 0, checks > 0, text > 0 else { return [] }
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
                    .functions: .int(functions), .checks: .int(checks), .text: .int(text),
                ]) { $1 })
        }
        return [
            share(.functions, checks, of: functions), share(.text, hot.bytes + cold.bytes, of: text),
            each(.hotInstructions, hot.instructions), each(.hotBytes, hot.bytes),
            each(.coldInstructions, cold.instructions), each(.coldBytes, cold.bytes),
        ]
    }
}
