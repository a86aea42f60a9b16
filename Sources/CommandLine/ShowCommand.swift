import ArgumentParser
import Foundation
import Report

/// `faultline show`: render records that another command wrote as JSON.
struct ShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Print a file of records as a table.",
        discussion: """
            Reads what run, stats, faults or bench wrote with --format json.

            Example:
              faultline bench switch --format json > bench.json
              faultline show bench.json
            """)

    @Argument(help: ArgumentHelp("A file of records.", valueName: "file"))
    var file: String

    func run() throws {
        guard let bytes = FileManager.default.contents(atPath: file) else {
            throw RuntimeFailure("cannot read '\(file)'; name a file that a command wrote with --format json")
        }
        let document: Document
        do {
            document = try Document(json: String(decoding: bytes, as: UTF8.self))
        } catch {
            throw RuntimeFailure("'\(file)' does not hold records; name a file that a command wrote with --format json")
        }
        StandardOutput.write(try document.table())
    }
}
