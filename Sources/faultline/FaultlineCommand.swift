import ArgumentParser

@main
struct FaultlineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "faultline", abstract: "Growable stacks without prologue checks: run, measure, inspect.",
        version: "0.1.0")
}
