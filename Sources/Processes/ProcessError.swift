/// Why a program cannot be started or failed, or why a file cannot be read or written: one line that names it and,
/// where there is one, the remedy.
public struct ProcessError: Error, CustomStringConvertible, Sendable {
    /// The line.
    public let description: String

    /// An error with this line.
    package init(_ description: String) {
        self.description = description
    }
}
