import Glibc
import Processes
public import Testing

/// The programs that were built with the tests.
public enum BuiltPrograms {
    /// Where they are: beside the program that runs the tests, or beside the bundle that it has loaded.
    public static let folder: String = {
        let lines = String(decoding: (try? Files.read("/proc/self/maps")) ?? [], as: UTF8.self).split(separator: "\n")
        let bundle = lines.first { $0.hasSuffix(".xctest") }.flatMap { line in
            line.firstIndex(of: "/").map { String(line[$0...]) }
        }
        return Files.folder(of: bundle ?? Files.resolved("/proc/self/exe") ?? "")
    }()

    /// The path of one of them.
    public static func path(of name: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
        let path = "\(folder)/\(name)"
        try #require(Files.isExecutable(path), "\(path) is not built", sourceLocation: sourceLocation)
        return path
    }
}
