// Running this program again to raise a fault, and reading what became of it.

import Glibc
import Measurement

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
    /// - Throws: ``MeasurementFailure`` when no child can be made.
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
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, errors.writing, STDERR_FILENO)
        posix_spawn_file_actions_adddup2(&actions, report.writing, reportDescriptor)
        // Whatever this process ignores or blocks, the child dies as a process of its own would.
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        let arguments = ["faultline", command, kind.name]
        let words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        let settings: [UnsafeMutablePointer<CChar>?] = environment().map { strdup($0) }
        defer { for word in words + settings { free(word) } }
        var child: pid_t = 0
        let failure = posix_spawn(&child, "/proc/self/exe", &actions, &attributes, words + [nil], settings + [nil])
        guard failure == 0 else {
            throw MeasurementFailure(
                "cannot start a child process: \(ErrorNumber.text(failure)); free memory or processes")
        }
        return child
    }

    /// This process's environment, without Swift's backtracer: it would put pages of text before the message.
    private static func environment() -> [String] {
        var settings: [String] = []
        var entry = environ
        while let text = entry.pointee {
            settings.append(String(cString: text))
            entry += 1
        }
        return settings.filter { !$0.hasPrefix("SWIFT_BACKTRACE=") } + ["SWIFT_BACKTRACE=enable=no"]
    }

    /// How a fault with these counts was classified. Growth on the way to the fault does not count, unless there was
    /// nothing else.
    static func verdict(of verdicts: [String: Int]) -> String {
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
