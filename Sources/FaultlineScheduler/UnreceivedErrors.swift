// Errors of jobs that no code has received.
internal import CScheduler

/// What a job has thrown and no code has received: no job joined it, no Task awaited its value, and no scope has thrown
/// it. Reported when the last ``Job`` of it is gone, or else at the end of its run.
public struct UnreceivedError: Error, CustomStringConvertible {
    /// Unique in its run, as in ``JobInfo``.
    public let id: UInt64
    /// What the job was named when it was spawned.
    public let name: String?
    /// What it has thrown.
    public let error: any Error

    public var description: String {
        let name = name.map { " '\($0)'" } ?? ""
        return "job \(id)\(name) ended with an error that no code received: \(error)"
    }

    /// The handler of a run that was given none: one line on standard error.
    @Sendable public static func report(_ error: UnreceivedError) { writeLine("FaultlineScheduler: \(error)") }
}

/// Writes a line to standard error, by one call where it is short enough for a pipe to keep it together.
func writeLine(_ text: String) {
    let line = text.split(whereSeparator: \.isNewline).joined(separator: " ") + "\n"
    line.utf8.withContiguousStorageIfAvailable { fls_write_error($0.baseAddress!, $0.count) }
}

/// The failures of a run that were not received so far, by the identity of the job. Code that takes one reports it or
/// passes it on.
final class UnreceivedErrors: Sendable {
    private let errors = Lock<[UInt64: UnreceivedError]>([:])

    func add(_ error: UnreceivedError) { errors.withLock { $0[error.id] = error } }
    func take(_ id: UInt64) -> UnreceivedError? { errors.withLock { $0.removeValue(forKey: id) } }
    func takeAll() -> [UnreceivedError] {
        errors.withLock { errors in
            let all = errors.values.sorted { $0.id < $1.id }
            errors = [:]
            return all
        }
    }
}
