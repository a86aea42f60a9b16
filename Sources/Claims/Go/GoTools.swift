// The programs that come with Go, which are written in it: the real programs of this language that every installation has.

import GoBinary
import Measurement
import Peers
import Report
import Workloads

/// A program of one version of Go.
struct GoTool {
    let toolchain: GoToolchain
    /// The name of its file, for instance "compile".
    let tool: String
    let path: String

    /// What records call it.
    var name: String { "\(tool) \(toolchain.version)" }

    /// What each record says of it.
    var parameters: [String: ParameterValue] {
        [
            CheckSubject.kindParameter: .string(CheckSubject.Kind.go.rawValue), "language": "go",
            "peer": .string(toolchain.version),
        ]
    }

    /// Those programs of every version that is installed; one that is not there is said to be missing.
    static func all(_ laboratory: Laboratory, _ tools: [String]) -> [GoTool] {
        laboratory.go.flatMap { toolchain in
            tools.compactMap { tool in
                guard let path = toolchain.tool(tool) else {
                    laboratory.missing("\(tool) of \(toolchain.version) is not there")
                    return nil
                }
                return GoTool(toolchain: toolchain, tool: tool, path: path)
            }
        }
    }

    /// A short run whose instructions can be counted; nil for programs that have none.
    var counted: GoJob? { tool == "gofmt" ? .formatting(toolchain, ["go/parser/parser.go"]) : nil }

    /// Reads it.
    ///
    /// - Throws: `WorkloadError` where it is not understood.
    func executable() throws(WorkloadError) -> GoExecutable {
        let content = try Files.read(path)
        do throws(GoBinaryError) {
            return try GoExecutable(content)
        } catch {
            throw WorkloadError("\(path): \(error)")
        }
    }
}

/// The part of stack checks in the instructions that a Go program executes.
struct GoCheckExecution {
    let total: Double
    /// Those of checks that passed, and the part of failed ones before the branch.
    let checks: Double

    /// - Throws: `WorkloadError` where valgrind cannot run the program.
    init(
        of program: GoExecutable, at path: String, _ arguments: [String], environment: [String],
        _ laboratory: Laboratory
    ) throws(WorkloadError) {
        let profile = try InstructionProfile(
            of: path, arguments, environment: environment, seconds: 120, isUnwanted: { laboratory.isAskedToStop })
        total = profile.total
        checks = program.functions.reduce(0) { sum, function in
            guard let check = function.check else { return sum }
            return sum + profile.executed(in: check.address..<check.address + UInt64(check.hotBytes))
        }
    }

    /// The records of program `name`.
    func records(suite: String, case name: String, _ parameters: [String: ParameterValue]) -> [Record] {
        let shared = parameters.merging([
            InstructionCounts.parameter: .string(InstructionCounting.valgrind.rawValue)
        ]) { $1 }
        return [
            Record(
                suite: suite, case: name, metric: "instructions", unit: .instructions, exactly: total,
                parameters: shared),
            .ratio(
                suite: suite, case: "\(name)-executed", baseline: "executed instructions",
                estimate: Estimate(exactly: checks / total), parameters: shared),
        ]
    }
}
