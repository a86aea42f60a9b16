// What the checks of programs come to: how many functions have one, how long they are, how much of the code they take.

import GoBinary
import Measurement
import Report
import Workloads

/// What the functions of one program, or of several, come to.
package struct CensusTally {
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

    package func records(suite: String, case name: String, _ parameters: [String: ParameterValue]) -> [Record] {
        guard functions > 0, checks > 0, text > 0 else { return [] }
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
                    "functions": .int(functions), "checks": .int(checks), "text": .int(text),
                ]) { $1 })
        }
        return [
            share("functions", checks, of: functions, called: "all functions"),
            share("text", hot.bytes + cold.bytes, of: text, called: ".text"),
            each("hot-instructions", .instructions, hot.instructions), each("hot-bytes", .bytes, hot.bytes),
            each("cold-instructions", .instructions, cold.instructions), each("cold-bytes", .bytes, cold.bytes),
        ]
    }
}
