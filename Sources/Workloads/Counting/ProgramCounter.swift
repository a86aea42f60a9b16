// How many instructions a whole program executes, its start included, by valgrind's cachegrind without its simulation
// of caches.

import Glibc
import Processes

/// Counts the instructions of programs. Needs valgrind.
public struct ProgramCounter: Sendable {
    private let valgrind: String
    /// For instance "valgrind-3.19.0".
    public let version: String

    /// Finds valgrind; nil where it is not installed.
    public init?(environment: CodeEnvironment = CodeEnvironment()) {
        let folders = environment.searchPath.split(separator: ":")
        guard let found = folders.lazy.map({ "\($0)/valgrind" }).first(where: Files.isExecutable),
            let answer = try? Subprocess.finish(found, ["--version"], seconds: 60), answer.ending == .exited(0)
        else { return nil }
        valgrind = found
        version = String(answer.output.prefix { $0 != "\n" })
    }

    /// Runs a program to its end.
    ///
    /// - Parameters:
    ///   - input: The file that its standard input is; nothing if nil.
    ///   - ending: How it ends without valgrind.
    /// - Throws: `ProcessError` when it does not end in time or ends otherwise, or valgrind says no number.
    package func instructions(
        _ path: String, _ arguments: [String], environment: [String]? = nil, input: String? = nil,
        ending: Spawn.Ending = .exited(0), seconds: Double, isUnwanted: () -> Bool = { false }
    ) throws(ProcessError) -> Double {
        try Self.number(
            "I refs:",
            in: try log(
                ["--tool=cachegrind", "--cache-sim=no"], path, arguments, environment: environment, input: input,
                ending: ending, seconds: seconds, isUnwanted: isUnwanted)
        )
    }

    /// What valgrind says about a run.
    private func log(
        _ options: [String], _ path: String, _ arguments: [String], environment: [String]?, input: String?,
        ending: Spawn.Ending, seconds: Double, isUnwanted: () -> Bool
    ) throws(ProcessError) -> String {
        let folder = try TemporaryCountFile()
        defer { folder.remove() }
        let finished = try Subprocess.finish(
            valgrind,
            options + [
                "--cachegrind-out-file=/dev/null", "--log-file=\(folder.path)", path,
            ] + arguments, environment: environment, input: input, seconds: seconds, isUnwanted: isUnwanted)
        if finished.ending == .timedOut { throw ProcessError("a run by valgrind did not end within \(seconds) s") }
        guard finished.ending == ending else {
            let line = finished.errors.split(separator: "\n").first.map { ": \($0)" } ?? ""
            throw ProcessError("a run by valgrind \(finished.ending), another \(ending)\(line)")
        }
        return String(decoding: try Files.read(folder.path), as: UTF8.self)
    }

    /// The number behind a word: "==123== I   refs:      14,339,952", "==123== I1  misses:        1,234".
    private static func number(_ name: String, in log: String) throws(ProcessError) -> Double {
        let words = name.split(separator: " ")
        for line in log.split(separator: "\n") {
            guard line.split(separator: " ").dropFirst().prefix(words.count).elementsEqual(words) else { continue }
            let digits = line.drop { $0 != ":" }.filter(\.isNumber)
            if let count = Double(digits) { return count }
        }
        throw ProcessError("valgrind counted nothing")
    }
}

extension ProgramCounter {
    /// Instructions of a run, misses of ``ExecutionCounter/cache``, and the lines of code that the run touches.
    ///
    /// - Parameters: as of ``instructions(_:_:environment:input:ending:seconds:isUnwanted:)``.
    /// - Throws: As that does.
    package func cacheCounts(
        _ path: String, _ arguments: [String], environment: [String]? = nil, input: String? = nil,
        ending: Spawn.Ending = .exited(0), seconds: Double, isUnwanted: () -> Bool = { false }
    ) throws(ProcessError) -> ExecutionCount {
        let text = try log(
            ExecutionCounter.options, path, arguments, environment: environment, input: input, ending: ending,
            seconds: seconds, isUnwanted: isUnwanted)
        // Each line is missed once in the last level, which is larger than any program.
        return ExecutionCount(
            instructions: try Self.number("I refs:", in: text),
            instructionCacheMisses: try Self.number("I1 misses:", in: text),
            instructionLines: try Self.number("LLi misses:", in: text))
    }
}

/// A file for what valgrind says, so that it does not mix with what the program says.
private struct TemporaryCountFile {
    let path: String

    init() throws(ProcessError) {
        let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(folder)/faultline-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw ProcessError("cannot create a file in \(folder): \(Files.reason())") }
        close(descriptor)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func remove() { unlink(path) }
}
