// The two example programs, and the script that runs both, as users run them.

import Foundation
import TestNeeds
import Testing

/// A running program whose output goes to files, which hold any amount.
final class Running {
    let process = Process()
    private let scratch: TemporaryFolder
    private var folder: URL { URL(filePath: scratch.path) }

    /// Starts `program`, which was built with the tests or is named by its path, with at most `descriptors` descriptors
    /// and `addressSpace` KiB of address space.
    init(_ program: String, _ arguments: [String], descriptors: Int? = nil, addressSpace: Int? = nil) throws {
        scratch = try TemporaryFolder()
        let path = program.hasPrefix("/") ? program : try BuiltPrograms.path(of: program)
        let limits = [("n", descriptors), ("v", addressSpace)].map { option, limit in
            limit.map { "ulimit -\(option) \($0) && " } ?? ""
        }.joined()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", "\(limits)exec \"$0\" \"$@\"", path] + arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try Self.emptyFile(folder.appending(path: "output"))
        process.standardError = try Self.emptyFile(folder.appending(path: "errors"))
        try process.run()
    }

    deinit {
        if process.isRunning {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
    }

    /// What it wrote so far.
    var output: String {
        let texts = ["output", "errors"].map { try? String(contentsOf: folder.appending(path: $0), encoding: .utf8) }
        return texts.compactMap(\.self).joined()
    }

    /// Waits for its end; what takes longer than a minute and a half is killed, and that is its status then.
    func end() -> Int32 {
        let deadline = Date(timeIntervalSinceNow: 90)
        while process.isRunning {
            if Date() > deadline { kill(process.processIdentifier, SIGKILL) }
            usleep(2_000)
        }
        return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }

    func interrupt() { kill(process.processIdentifier, SIGINT) }

    private static func emptyFile(_ file: URL) throws -> FileHandle {
        try Data().write(to: file)
        return try FileHandle(forWritingTo: file)
    }
}

/// A server that listens.
struct Server {
    let running: Running
    let port: UInt16

    init(_ arguments: [String] = [], descriptors: Int? = nil) throws {
        running = try Running("echo-server", arguments, descriptors: descriptors)
        let prefix = "listening at 127.0.0.1:"
        let deadline = Date(timeIntervalSinceNow: 60)
        while !running.output.hasPrefix(prefix) || !running.output.contains("\n"), running.process.isRunning,
            Date() < deadline
        {
            usleep(2_000)
        }
        let digits = running.output.dropFirst(prefix.count).prefix { $0.isNumber }
        port = try #require(UInt16(digits), "the server did not start: \(running.output)")
    }

    /// Interrupts it and returns its last line.
    func end() throws -> Substring {
        running.interrupt()
        #expect(running.end() == 0)
        return try #require(running.output.split(separator: "\n").last)
    }
}
