/// Why a program cannot be started or failed, or why a file cannot be read or written: one line that names it and,
/// where there is one, the remedy.
public struct ProcessError: Error, CustomStringConvertible, Sendable {
    package let problem: String
    package let remedy: String?
    /// Of the system call that failed, where it is the whole reason.
    package let errno: Int32?

    /// The line.
    public var description: String { remedy.map { "\(problem); \($0)" } ?? problem }

    package init(_ problem: String, remedy: String? = nil, errno: Int32? = nil) {
        (self.problem, self.remedy, self.errno) = (problem, remedy, errno)
    }
}
