// What Go programs are given to do, so that they do it alike each time: the same input, one processor, no collections.

import Peers
import Workloads

/// A run of a Go program.
struct GoJob {
    /// What its records call it.
    let name: String
    let arguments: [String]
    let environment: [String]

    /// One processor, and no collections, whose number depends on how far one got before the other: settings of every run.
    static let settings = ["GOMAXPROCS": "1", "GOGC": "off"]

    static func environment(_ toolchain: GoToolchain) -> [String] {
        let changed = settings.map { "\($0)=\($1)" }.sorted()
        return toolchain.environment.filter { entry in !settings.keys.contains { entry.hasPrefix("\($0)=") } } + changed
    }

    /// A short run whose instructions can be counted; nil for programs that have none.
    static func counted(_ tool: GoTool) throws(WorkloadError) -> GoJob? {
        guard tool.tool == "gofmt" else { return nil }
        return GoJob(
            name: tool.name, arguments: ["-l", "\(tool.toolchain.root)/src/go/parser/parser.go"],
            environment: environment(tool.toolchain))
    }
}
