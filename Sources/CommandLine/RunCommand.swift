import ArgumentParser
import Faultline
import Measurement
import Report
import Workloads

/// Formats of what is not a statistic.
enum ResultFormat: String, CaseIterable, ExpressibleByArgument {
    case table, json
}

/// `faultline run`: a workload on a stack of a strategy.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run a workload on a stack and check its result.",
        usage: "faultline run <workload> [--input <file> ...] [<options>]",
        discussion: """
            Examples:
              faultline run json --input nested:100000
              faultline run lisp --strategy fault-move --mover copy --repeat 5
              faultline run sort --strategy check-move --initial 64KiB --stats

            What --input takes:
            \(WorkloadOptions.inputTable)
            What each option means for each strategy; a dash is an error:
            \(OptionTable.text)
            An overflow ends the run with one line that names the limit. The check
            strategies need code with checks (--code checked), which is built at run time
            with the Swift toolchain's clang; on the others such checks always pass.
            """)

    @OptionGroup var workload: WorkloadOptions
    @OptionGroup var stack: StackOptions

    @Flag(help: "Also print what the fault handler and the checks did.")
    var stats = false

    @Option(help: ArgumentHelp("How to print.", valueName: "format"))
    var format = ResultFormat.table

    func run() throws {
        let run = try WorkloadRun(workload, on: stack)
        switch format {
        case .table:
            StandardOutput.write(try run.table() + (stats ? "\n" + run.statistics.table : ""))
        case .json:
            let records = try run.records() + (stats ? run.statistics.records : [])
            StandardOutput.write(try Document(machine: .current(), records: records).json())
        }
    }
}
