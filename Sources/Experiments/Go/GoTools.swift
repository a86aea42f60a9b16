// The programs that come with Go, which are written in it: the real programs of this language that every installation
// has.

import GoBinary
import Measurement
import Peers
import Processes
import Report
import Synchronization
import Workloads

/// A program of one version of Go.
package struct GoTool {
    package let toolchain: GoToolchain
    /// The name of its file, for instance "compile".
    package let tool: String
    package let path: String

    /// What records call it.
    package var name: String { "\(tool) \(toolchain.version)" }

    /// What each record says of it.
    package var parameters: [ParameterName: ParameterValue] {
        [
            .kind: .string(CheckSubject.Kind.go.rawValue), .language: "go",
            .peer: .string(toolchain.version),
        ]
    }

    /// Those programs of every version that is installed; one that is not there is said to be missing.
    package static func all(_ laboratory: Laboratory, _ tools: [String]) -> [GoTool] {
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
    package var counted: GoJob? { tool == "gofmt" ? .formatting(toolchain, ["go/parser/parser.go"]) : nil }

    /// Reads it.
    ///
    /// - Throws: `ProcessError` where it is not understood.
    package func executable() throws(ProcessError) -> GoExecutable { try Self.executable(path) }

    /// Reads the program at `path`.
    ///
    /// - Throws: `ProcessError` where it is not understood.
    package static func executable(_ path: String) throws(ProcessError) -> GoExecutable {
        let content = try Files.read(path)
        do throws(GoBinaryError) {
            return try GoExecutable(content)
        } catch {
            throw ProcessError("\(path): \(error)")
        }
    }
}

/// The part of stack checks in the instructions that a Go program executes.
package struct GoCheckExecution {
    /// The baseline of the share that checks have in what is executed.
    package static let whole = "executed instructions"

    package let total: Double
    /// Those of checks that passed, and the part of failed ones before the branch.
    package let checks: Double
    /// How many checks there were.
    package let passes: Double

    /// What was counted in this process is not counted again: it depends on nothing but the program and its work.
    private static let known = Mutex<[String: GoCheckExecution]>([:])

    /// Runs the program with every instruction counted.
    ///
    /// - Throws: `ProcessError` where it is not understood, or valgrind cannot run it.
    package static func count(
        of path: String, _ job: GoJob, _ laboratory: Laboratory
    ) throws(ProcessError) -> GoCheckExecution {
        let key = ([path] + job.arguments).joined(separator: "\n")
        if let known = known.withLock({ $0[key] }) { return known }
        let execution = try GoCheckExecution(
            of: GoTool.executable(path), at: path, job, laboratory)
        known.withLock { $0[key] = execution }
        return execution
    }

    private init(
        of program: GoExecutable, at path: String, _ job: GoJob, _ laboratory: Laboratory
    ) throws(ProcessError) {
        let profile = try InstructionProfile(
            of: path, job.arguments, environment: job.calmEnvironment, seconds: 120,
            isUnwanted: { laboratory.isAskedToStop })
        total = profile.total
        let found = program.functions.compactMap(\.check)
        checks = found.reduce(0) { $0 + profile.executed(in: $1.address..<$1.address + UInt64($1.hot.bytes)) }
        passes = found.reduce(0) { $0 + profile.executed(in: $1.address..<$1.address + 1) }
    }

    /// The records of program `name`.
    package func records(suite: String, case name: String, _ parameters: [ParameterName: ParameterValue]) -> [Record] {
        let shared = parameters.merging([
            .countedBy: .string(InstructionCounting.valgrind.rawValue)
        ]) { $1 }
        return [
            Record(suite: suite, case: name, metric: .instructions, exactly: total, parameters: shared),
            .ratio(
                suite: suite, case: name + CaseSuffix.executed, baseline: Self.whole,
                estimate: Estimate(exactly: checks / total), parameters: shared),
        ]
    }
}
