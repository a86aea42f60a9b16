// `faultline bench`: each suite measured, all results written at the end, or one line that says why not.

import ArgumentParser
import Benchmarks
import Experiments
import Measurement
import Report

/// Measures what growable stacks cost beside the alternatives.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure what growable stacks cost beside the alternatives.",
        discussion: """
            Every case is interleaved with its baselines in one process: each round runs all of them in an order drawn \
            anew. Times are medians with 95 % intervals; ratios are taken within each round. Lower is better.

            Suites:
            \(HelpText.list(BenchSuites.all.map { ($0.name, $0.summary) }))
            Examples:
              faultline bench                            every suite, a quarter of an hour
              faultline bench --quick                    every suite, wider intervals
              faultline bench switch spawn               two suites
              faultline bench growth --format json       for programs
            """)

    @Argument(
        help: ArgumentHelp("Suites to run: \(BenchSuites.names). Left out: all.", valueName: "suite"),
        completion: .list(BenchSuites.all.map(\.name)))
    var suites: [String] = []

    @Flag(help: "Fewer and shorter rounds: wider intervals.")
    var quick = false

    @Option(help: ArgumentHelp("How results are written.", valueName: "format"))
    var format = ResultFormat.table

    @Option(help: ArgumentHelp("Determines the order of the cases and the resampling.", valueName: "n"))
    var seed: UInt64 = 1

    func validate() throws {
        for name in suites where !BenchSuites.all.contains(where: { $0.name == name }) {
            throw ValidationError("unknown suite '\(name)'; choose from: \(BenchSuites.names)")
        }
    }

    func run() throws {
        // The load average must be that of before.
        var machine = MachineFacts.current()
        let progress = Progress()
        defer { progress.finish() }
        let laboratory = Laboratory(isQuick: quick, seed: seed, progress: progress.update)
        // In the order of the list, each once, whatever order they were named in.
        var records: [Record] = []
        for suite in BenchSuites.all where suites.isEmpty || suites.contains(suite.name) {
            progress.update("\(suite.name): preparing")
            records += try suite.records(laboratory)
        }
        guard !records.isEmpty else {
            throw RuntimeFailure("nothing was measured: \(laboratory.notes.joined(separator: "; "))")
        }
        progress.update("reading the machine's facts")
        machine.compilers = MachineFacts.current(compilers: true).compilers
        let document = Document(machine: machine, records: records, notes: laboratory.notes)
        progress.finish()
        StandardOutput.write(format == .json ? try document.json() : try document.table())
    }
}
