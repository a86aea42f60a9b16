// Runs one scenario that ends the process, or proves that it does not. Started by the crash tests:
//
//     FaultChild NAME [ARGUMENT…]
//
// Progress goes to standard error, unbuffered: standard output may be anything.
import CShim
import Faultline
import Glibc
import TestSupport

let arguments = Array(CommandLine.arguments.dropFirst())
guard let name = arguments.first else {
    say("FaultChild NAME [ARGUMENT…]: one of \(scenarios.keys.sorted().joined(separator: ", "))")
    exit(64)
}
guard let scenario = scenarios[name] else {
    say("no scenario '\(name)'; one of \(scenarios.keys.sorted().joined(separator: ", "))")
    exit(64)
}
try scenario(Array(arguments.dropFirst()))
say("done")
