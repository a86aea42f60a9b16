import ArgumentParser
import Claims
import Experiments

/// `faultline experiment NAME ARGUMENT…`: hidden; runs one experiment of a claim in this process.
struct ExperimentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: Experiments.command, abstract: "Run one experiment of a claim in this process.",
        shouldDisplay: false)

    @Argument(help: "What to run.") var name: String
    @Argument(parsing: .allUnrecognized, help: "What it is told.") var arguments: [String] = []

    func run() throws {
        do {
            try Experiments.run(name, arguments, samplers: Claims.samplers)
        } catch let failure as MeasurementFailure {
            throw RuntimeFailure(failure.description)
        }
    }
}
