// Running this program again to raise a fault, and reading what became of it.

import Glibc
import Measurement
import Processes

/// What a child process did.
public struct FaultChild {
    /// The hidden subcommand that raises a fault.
    public static let command = "raise-fault"
    /// Where the parent reads the verdicts.
    public static let reportDescriptor: Int32 = 3

    /// Verdicts that the child counted.
    public let verdicts: [String: Int]
    /// The first line it wrote to standard error.
    public let message: String
    /// How it ended.
    public let ending: FaultKind.Ending

    /// Raises `kind` in a child process and waits for its end.
    /// - Throws: ``MeasurementFailure`` when it has no pipe to the child; `ProcessError` when no child can be made.
    public init(raising kind: FaultKind) throws {
        let report = try Pipe()
        let errors = try Pipe()
        let child = try Self.spawn(kind, report: report, errors: errors)
        // A line and a few words each, less than a pipe holds, so that the order of reading does not matter.
        errors.closeWriting()
        report.closeWriting()
        let text = errors.readAll()
        verdicts = Self.counts(report.readAll())
        message = String(text.prefix { !$0.isNewline })
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 && errno == EINTR {}
        ending = FaultKind.Ending(status: status)
    }

    private static func spawn(_ kind: FaultKind, report: Pipe, errors: Pipe) throws -> pid_t {
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        guard nothing >= 0 else {
            throw ProcessError(
                "cannot open /dev/null: \(ErrorNumber.text(errno))",
                remedy: "close files or raise ulimit -n")
        }
        defer { close(nothing) }
        // Swift's backtracer would put pages of text before the message.
        return try Spawn.start(
            "/proc/self/exe", [command, kind.name],
            environment: Spawn.environment(changing: ["SWIFT_BACKTRACE": "enable=no"]),
            streams: Spawn.Streams(
                input: nothing, output: nothing, errors: errors.writing, report: report.writing))
    }

    /// How a fault with these counts was classified. Growth on the way to the fault does not count, unless there was
    /// nothing else.
    package static func verdict(of verdicts: [String: Int]) -> String {
        let growth = "growth"
        let others = verdicts.keys.filter { $0 != growth }.sorted()
        if !others.isEmpty { return others.joined(separator: "+") }
        return verdicts[growth] == nil ? FaultKind.noVerdict : growth
    }

    /// How the fault was classified.
    public var verdict: String { Self.verdict(of: verdicts) }

    private static func counts(_ text: String) -> [String: Int] {
        var counts: [String: Int] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ")
            if parts.count == 2, let count = Int(parts[1]) { counts[String(parts[0])] = count }
        }
        return counts
    }
}

/// A pipe; both ends are closed when it goes.
private final class Pipe {
    let reading: Int32
    private(set) var writing: Int32

    init() throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else {
            throw MeasurementFailure("cannot make a pipe: \(ErrorNumber.text(errno)); close files or raise ulimit -n")
        }
        (reading, writing) = (Self.outOfTheWay(ends[0]), Self.outOfTheWay(ends[1]))
    }

    deinit {
        close(reading)
        closeWriting()
    }

    func closeWriting() {
        if writing >= 0 { close(writing) }
        writing = -1
    }

    /// Everything that is written until the other end is closed.
    func readAll() -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(reading, &buffer, buffer.count)
            if count > 0 {
                bytes += buffer[..<count]
            } else if count == 0 || errno != EINTR {
                return String(decoding: bytes, as: UTF8.self)
            }
        }
    }

    /// The descriptor under a number that the child has no use for, closed on exec.
    private static func outOfTheWay(_ descriptor: Int32) -> Int32 {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, FaultChild.reportDescriptor + 1)
        guard copy >= 0 else { return descriptor }
        close(descriptor)
        return copy
    }
}
