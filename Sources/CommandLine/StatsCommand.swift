import ArgumentParser
import Report

extension OutputFormat: ExpressibleByArgument {}

/// `faultline stats`: run a workload and print the fault statistics.
struct StatsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "Run a workload and print the fault statistics.",
        usage: "faultline stats <workload> [--input <file> ...] [<options>]",
        discussion: """
            The options are those of run; 'faultline run --help' says what each means for
            each strategy. Counters are given for the whole process since the workload
            started, and for the workload's stack. Tables leave out what is zero.

            Examples:
              faultline stats json --input nested:100000
              faultline stats trees --strategy fault-move --format prometheus
            """)

    @OptionGroup var workload: WorkloadOptions
    @OptionGroup var stack: StackOptions

    @Option(help: ArgumentHelp("How to print.", valueName: "format"))
    var format = OutputFormat.table

    func run() throws {
        let run = try WorkloadRun(workload, on: stack)
        let text =
            switch format {
            case .table: run.statistics.table
            case .json: try Document(machine: .current(), records: run.statistics.records).json()
            case .prometheus: try run.statistics.prometheus()
            }
        StandardOutput.write(text)
    }
}
