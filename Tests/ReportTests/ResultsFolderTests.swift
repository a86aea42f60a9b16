import Foundation
import Report
import Testing

/// A folder that goes with its last reference.
private final class Scratch {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("results-\(UUID().uuidString)").path

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false) }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    func names(_ folder: String = "") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(folder)").sorted()
    }
}

struct ResultsFolderTests {
    @Test func `what is written is read again, and nothing else is left`() throws {
        let scratch = try Scratch()
        let folder = ResultsFolder("\(scratch.path)/a/b")
        try folder.prepare()
        #expect(try scratch.names("a/b") == [])
        try folder.write(ResultsPage(Samples.judged))
        try folder.write(ResultsPage(Samples.judged))
        #expect(try scratch.names("a/b") == ["claims", "records.json", "report.html", "report.md"])
        #expect(try folder.document() == Samples.judged)
    }

    @Test func `plots are the SVG files in their folder`() throws {
        let scratch = try Scratch()
        let folder = ResultsFolder(scratch.path)
        #expect(folder.plots() == [])
        try FileManager.default.createDirectory(atPath: "\(scratch.path)/plots", withIntermediateDirectories: false)
        for name in ["b.svg", "a.svg", "a.png", ".c.svg"] {
            try name.write(toFile: "\(scratch.path)/plots/\(name)", atomically: false, encoding: .utf8)
        }
        #expect(folder.plots() == [Plot(name: "a", svg: "a.svg"), Plot(name: "b", svg: "b.svg")])
    }

    @Test(arguments: ["/dev/null", "/dev/null/below", "/proc/none"])
    func `a folder that cannot be written is an error of one line`(path: String) {
        let error = #expect(throws: ResultsFolderError.self) { try ResultsFolder(path).prepare() }
        #expect(error?.description.hasPrefix("cannot write to '\(path)': ") == true)
        #expect(error?.description.contains("\n") == false)
    }

    @Test func `a place that a folder takes keeps no partial file`() throws {
        let scratch = try Scratch()
        let taken = "\(scratch.path)/records.json"
        try FileManager.default.createDirectory(atPath: taken, withIntermediateDirectories: false)
        let error = #expect(throws: ResultsFolderError.self) {
            try ResultsFolder(scratch.path).write(ResultsPage(Samples.judged))
        }
        #expect(error?.description == "cannot write to '\(taken)': Is a directory; choose another folder or make room")
        #expect(try scratch.names() == ["records.json"])
    }

    @Test(arguments: [nil, "", "{}", "[1]"])
    func `records that are missing or none are an error of one line`(text: String?) throws {
        let scratch = try Scratch()
        try text?.write(toFile: "\(scratch.path)/records.json", atomically: false, encoding: .utf8)
        let error = #expect(throws: ResultsFolderError.self) { try ResultsFolder(scratch.path).document() }
        #expect(error?.description.contains("faultline reproduce --out") == true)
    }
}
