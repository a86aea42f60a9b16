import Processes

/// A folder that is removed with its last reference.
public final class TemporaryFolder: Sendable {
    public let path: String

    public init() throws { path = try Files.makeTemporaryFolder(in: "/tmp") }

    deinit { Files.removeFolder(path) }
}
