// Go's benchmark suite go1 (test/bench/go1 of its sources up to Go 1.20), which Debian has in the package
// golang-1.19-src. It is built as `go test -c` does, by each version.

import Processes
import Workloads

/// Those of its benchmarks that are real programs and begin soon: the others of the suite prepare 25 MB of text for a
/// second.
public enum GoSuite {
    /// What to say where it is not there.
    public static let remedy = "Go's benchmark suite go1 is not measured: install golang-1.19-src"
    /// Without `Benchmark` in front.
    public static let benchmarks = [
        "GobDecode", "GobEncode", "Gzip", "JSONDecode", "JSONEncode", "GoParse", "Template",
    ]
    static let files = [
        "gob_test.go", "gzip_test.go", "json_test.go", "jsondata_test.go", "parser_test.go", "parserdata_test.go",
        "template_test.go",
    ]

    /// The folder that has it; nil where it is not installed.
    package static func folder(_ toolchains: [GoToolchain]) -> String? {
        toolchains.map { "\($0.root)/test/bench/go1" }.first { folder in
            files.allSatisfy { (try? Files.read("\(folder)/\($0)")) != nil }
        }
    }
}

extension GoToolchain {
    /// Whether its runtime can tell where its own locks were waited for (1.22 and later).
    package var tellsItsLocks: Bool { !order.lexicographicallyPrecedes([1, 22]) }

    /// Whether its linker puts functions into a random order when it is asked to (1.22 and later).
    public var hasRandomLayouts: Bool { !order.lexicographicallyPrecedes([1, 22]) }

    /// The suite in `folder`, built by this version, with its functions in the order of `layout`.
    ///
    /// - Throws: ``PeerUnavailable`` when it does not compile.
    package func suite(in folder: String, layout: Int? = nil) throws(PeerUnavailable) -> PeerProgram {
        do throws(ProcessError) {
            let files = try GoSuite.files.map { name throws(ProcessError) in
                (name: name, text: try Files.read("\(folder)/\(name)"))
            }
            return program(
                try build("go1", files, ["test", "-c"], linkerFlags: layout.map { ["-randlayout=\($0)"] } ?? []))
        } catch {
            throw PeerUnavailable("\(version): go1: \(error)")
        }
    }

    /// The path of a command of Go's own, such as "cmd/gofmt", built with further flags, its functions in the order of
    /// `layout`.
    ///
    /// - Throws: ``PeerUnavailable`` where its sources are not there or do not compile.
    package func command(
        _ package: String, _ flags: [String], layout: Int? = nil
    ) throws(PeerUnavailable) -> String {
        do throws(ProcessError) {
            let name = package.split(separator: "/").joined(separator: "-")
            return try build(
                name, [], ["build"] + flags, linkerFlags: layout.map { ["-randlayout=\($0)"] } ?? [], package: package)
        } catch {
            throw PeerUnavailable("\(version): \(error)")
        }
    }

    /// What `go` answers to `arguments`.
    ///
    /// - Throws: `ProcessError` when it fails; the message ends with its first line.
    package func ask(_ arguments: [String]) throws(ProcessError) -> String {
        let finished = try Subprocess.finish(
            command, arguments, environment: environment, seconds: Subprocess.longestTool)
        guard finished.ending == .exited(0) else {
            throw ProcessError(
                "\(version): go \(arguments[0]) \(finished.ending): \(finished.errors.prefix { !$0.isNewline })")
        }
        return finished.output
    }
}
