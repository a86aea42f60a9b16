import Processes

/// A folder that is removed with the value.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws { path = try Files.makeTemporaryFolder(in: "/tmp") }

    deinit { Files.removeFolder(path) }
}
