// `faultline go`: Go executables, with their stack checks and without, and the stack that they need.

import ArgumentParser
import Foundation
import GoBinary
import Measurement
import Report

/// The commands that read or change Go programs.
struct GoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "go", abstract: "Count the stack checks of Go executables, take them out, and compare.",
        discussion: """
            Works on Linux executables for x86-64 built by Go 1.19 and 1.21 to 1.27, static or with cgo, stripped or not.
            docs/GO.md says how, and what it cannot cover.

            Examples:
              faultline go census /usr/lib/go-1.19/bin/gofmt
              faultline go stack server main.handle
              faultline go strip server -o server-stripped
              faultline go compare gofmt -- -l src
            """,
        subcommands: [
            GoCensusCommand.self, GoStackCommand.self, GoStripCommand.self, GoCompareCommand.self,
            GoToolchainCommand.self,
            GoLifeCommand.self,
        ])
}

/// A Go program as it is named on the command line.
enum GoProgramFile {
    /// Reads and examines a program.
    ///
    /// - Throws: ``RuntimeFailure`` that names the file.
    static func read(_ path: String) throws -> GoExecutable {
        do {
            return try GoExecutable(content(path))
        } catch let error as GoBinaryError {
            throw RuntimeFailure("'\(path)': \(error)")
        }
    }

    /// The bytes of a program.
    ///
    /// - Throws: ``RuntimeFailure`` that names the file.
    static func content(_ path: String) throws -> [UInt8] {
        guard let content = FileManager.default.contents(atPath: path) else {
            throw RuntimeFailure("cannot read '\(path)'; name a Go executable")
        }
        return [UInt8](content)
    }

    /// Refuses a size that no stack may have.
    static func check(initial: ByteSize) throws {
        let size = initial.bytes
        guard StripOptions.initials.contains(size), size & (size - 1) == 0 else {
            throw ValidationError("--initial \(initial) is out of range: powers of two from 64KiB to 1GiB")
        }
    }

    /// Writes an executable as a whole or not at all.
    ///
    /// - Throws: ``RuntimeFailure`` that names the file.
    static func write(_ content: [UInt8], to path: String) throws {
        do {
            try AtomicFile.write(content, to: path, mode: 0o755)
        } catch {
            throw RuntimeFailure("cannot write '\(path)': \(ErrorNumber.text(error.number)); name another file")
        }
    }
}
