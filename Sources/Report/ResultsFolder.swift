// The folder that a run leaves behind: records.json, report.md, claims/, report.html, and plots/ where they were drawn.
// A file is there as a whole or not at all, so a reader that comes at any time sees the results of finished work.

import FoundationEssentials
import Glibc

/// Why a folder cannot be used; one line that names the path and the remedy.
public struct ResultsFolderError: Error, Hashable, CustomStringConvertible {
    public let description: String
}

/// A folder of results.
public struct ResultsFolder: Sendable {
    private let path: String

    /// The folder at `path`, which need not exist.
    public init(_ path: String) {
        self.path = path
    }

    /// Makes the folder, with those above it, and checks that a file can be written in it.
    ///
    /// - Throws: ``ResultsFolderError``.
    public func prepare() throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            // The error of FileManager does not always tell; the file below does.
        }
        let probe = "\(path)/.probe-\(getpid())"
        let descriptor = open(probe, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.cannotWrite(path, errno) }
        close(descriptor)
        unlink(probe)
    }

    /// Writes the records and the reports, each as a whole.
    ///
    /// - Throws: ``ResultsFolderError``; what was there before of the file that failed then stays.
    ///   ``ReportError/invalidRecord(record:reason:)`` before anything is written.
    public func write(_ page: ResultsPage) throws {
        let records = try page.document.json()
        try write(records, "records.json")
        try writeReports(page)
    }

    /// Writes report.md, a page for each claim in the folder claims, and report.html.
    ///
    /// - Throws: As ``write(_:)``.
    public func writeReports(_ page: ResultsPage) throws {
        let files = try page.markdown() + [("report.html", try page.html())]
        if files.contains(where: { $0.path.contains("/") }) { try ResultsFolder("\(path)/claims").prepare() }
        for (name, text) in files { try write(text, name) }
    }

    /// The document in records.json.
    ///
    /// - Throws: ``ResultsFolderError``.
    public func document() throws -> Document {
        let file = "\(path)/records.json"
        guard let bytes = FileManager.default.contents(atPath: file) else {
            throw ResultsFolderError(
                description: "cannot read '\(file)'; name a folder that 'faultline reproduce --out' wrote")
        }
        do {
            return try Document(json: String(decoding: bytes, as: UTF8.self))
        } catch {
            throw ResultsFolderError(
                description: "'\(file)' does not hold records; name a folder that 'faultline reproduce --out' wrote")
        }
    }

    /// The plots in the folder `plots`, in the order of their names, each with that of the same name in
    /// `plots/narrow`; none where there is no such folder.
    public func plots() -> [Plot] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(path)/plots")) ?? []
        return names.filter { $0.hasSuffix(".svg") && !$0.hasPrefix(".") }.sorted().compactMap { name in
            text("plots/\(name)").map {
                Plot(name: String(name.dropLast(4)), svg: $0, narrow: text("plots/narrow/\(name)"))
            }
        }
    }

    private func text(_ name: String) -> String? {
        FileManager.default.contents(atPath: "\(path)/\(name)").map { String(decoding: $0, as: UTF8.self) }
    }

    private func write(_ text: String, _ name: String) throws {
        do {
            try AtomicFile.write(text, to: "\(path)/\(name)")
        } catch {
            throw Self.cannotWrite(error.path, error.number)
        }
    }

    private static func cannotWrite(_ path: String, _ number: Int32) -> ResultsFolderError {
        let reason = String(cString: strerror(number))
        return ResultsFolderError(
            description: "cannot write to '\(path)': \(reason); choose another folder or make room")
    }
}
