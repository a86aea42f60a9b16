import Foundation
import Testing

/// Files of the repository that are made of what claims declare. A test fails where one is not up to date.
enum GeneratedFile {
    private static let variable = "FAULTLINE_WRITE_FILES"

    /// A file of the repository, from where this one was compiled.
    static func url(_ path: String) -> URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: path)
    }

    static func text(_ path: String) throws -> String { try String(contentsOf: url(path), encoding: .utf8) }

    /// Expects what `render` makes of the file to be the file; writes it where the environment asks for that.
    static func check(_ path: String, _ render: (String) throws -> String) throws {
        let old = (try? text(path)) ?? ""
        let new = try render(old)
        if ProcessInfo.processInfo.environment[variable] != nil, new != old {
            try new.write(to: url(path), atomically: true, encoding: .utf8)
        } else if new != old {
            Issue.record("\(path) is out of date: \(variable)=1 swift test --filter ClaimsTests writes it")
        }
    }
}
