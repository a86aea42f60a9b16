// Running the program that was built together with these tests, as users run it.

import Foundation
import TestNeeds
import Testing

/// The program `faultline` and what a run of it left behind.
struct Program {
    /// The exit code, or the negated signal.
    let status: Int32
    let output: String
    let errors: String

    static var path: String { get throws { try BuiltPrograms.path(of: "faultline") } }

    /// Runs `faultline` with `arguments`; output is 80 columns wide.
    ///
    /// - Parameter meanwhile: Called with the started process.
    static func run(_ arguments: [String], meanwhile: (Process) throws -> Void = { _ in }) throws -> Program {
        try run(try path, arguments, meanwhile)
    }

    /// What `faultline experiment` found with `arguments`, by key; it must succeed and say nothing else.
    static func findings(_ arguments: [String]) throws -> [String: String] {
        let ending = try run(["experiment"] + arguments)
        try #require(ending.errors == "" && ending.status == 0, "\(arguments): \(ending.errors)")
        var findings: [String: String] = [:]
        for line in ending.output.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1).map(String.init)
            findings[parts[0]] = parts.count == 2 ? parts[1] : ""
        }
        return findings
    }

    /// Runs a shell script in which `$0` is the program and `$1`, `$2`, … are `arguments`.
    static func shell(_ script: String, _ arguments: [String] = []) throws -> Program {
        try run("/bin/sh", ["-c", script, try path] + arguments)
    }

    private static func run(
        _ executable: String, _ arguments: [String], _ meanwhile: (Process) throws -> Void = { _ in }
    ) throws -> Program {
        // Files hold any amount, where pipes would have to be read meanwhile.
        let folder = try TemporaryFolder()
        let (output, errors) = (folder.file("output"), folder.file("errors"))
        for file in ["output", "errors"] { _ = try folder.file(file, holding: "") }
        let process = Process()
        process.executableURL = URL(filePath: executable)
        process.arguments = arguments
        var environment = ProcessInfo.processInfo.environment
        environment["COLUMNS"] = "80"
        // A crash is a failure, with or without pages of a backtrace.
        environment["SWIFT_BACKTRACE"] = "enable=no"
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle(forWritingAtPath: output)
        process.standardError = FileHandle(forWritingAtPath: errors)
        try process.run()
        try meanwhile(process)
        // No wait without an end: what hangs is killed, and its signal fails the test.
        let deadline = Date(timeIntervalSinceNow: 120)
        while process.isRunning {
            if Date() > deadline { kill(process.processIdentifier, SIGKILL) }
            usleep(2_000)
        }
        return Program(
            status: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
            output: try String(contentsOfFile: output, encoding: .utf8),
            errors: try String(contentsOfFile: errors, encoding: .utf8))
    }
}

extension TemporaryFolder {
    /// The path of the file called `name` in the folder.
    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// A file with `text`.
    func file(_ name: String, holding text: String) throws -> String {
        try text.write(toFile: file(name), atomically: true, encoding: .utf8)
        return file(name)
    }
}

/// Waits until `condition` holds, for a minute at most.
func waitUntil(_ what: String, _ condition: () -> Bool) throws {
    let deadline = Date(timeIntervalSinceNow: 60)
    while !condition() {
        try #require(Date() < deadline, "did not happen within a minute: \(what)")
        usleep(1000)
    }
}
