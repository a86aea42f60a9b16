// A program that stays alive and answers one line to each line: how a peer of another language takes its turn between
// others. Invariants: one request at a time; the program ends with this object, and every answer has a time limit.

import Glibc
import Processes
import Workloads

/// A peer's program ended, was late or answered wrongly; one line.
public struct PeerFailure: Error, CustomStringConvertible, Sendable {
    /// The line.
    public let description: String
    /// Whether its time was up; nothing else is known to be wrong then.
    public let isLate: Bool

    init(_ description: String, isLate: Bool = false) {
        self.description = description
        self.isLate = isLate
    }
}

/// A running program that answers lines.
public final class Conversation {
    /// What messages call the program.
    public let name: String
    private let child: pid_t
    private let socket: Int32
    private var unread: [UInt8] = []
    private var hasEnded = false

    /// Starts `executable`.
    init(
        _ executable: String, _ arguments: [String] = [], name: String, environment: [String]? = nil
    ) throws(PeerFailure) {
        self.name = name
        // One socket instead of two pipes: `send` can be told not to raise SIGPIPE.
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
            throw PeerFailure("\(name): cannot make a socket (errno \(errno)); close files or raise ulimit -n")
        }
        defer { close(ends[1]) }
        let nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC)
        defer { if nowhere >= 0 { close(nowhere) } }
        do throws(ProcessError) {
            child = try Spawn.start(
                executable, arguments, environment: environment,
                streams: Spawn.Streams(input: ends[1], output: ends[1], errors: nowhere >= 0 ? nowhere : 2))
        } catch {
            close(ends[0])
            throw PeerFailure("\(name): \(error)")
        }
        socket = ends[0]
    }

    deinit { end() }

    /// Closes the connection, at which the program ends by itself, and kills it if it does not.
    public func end() {
        guard !hasEnded else { return }
        hasEnded = true
        close(socket)
        _ = try? Spawn.wait(for: child, seconds: 1)
    }

    /// Sends a line and reads one.
    ///
    /// - Parameter seconds: How long the answer may take; after that the program is killed.
    /// - Throws: ``PeerFailure`` when the program ended, was late, or answered `error: …`.
    public func ask(_ request: String, seconds: Double = 30) throws(PeerFailure) -> String {
        guard !hasEnded else { throw PeerFailure("\(name) has ended") }
        try send(request)
        let answer = try readLine(seconds: seconds, request)
        guard !answer.hasPrefix("error: ") else { throw PeerFailure("\(name): \(answer.dropFirst(7))") }
        return answer
    }

    /// Sends a line and reads one of whole numbers, of which there must be at least `count`.
    ///
    /// - Parameter attempts: How often it is asked while the first number is below zero, as a difference of two times
    ///   is where others had the processor in the shorter one.
    public func numbers(
        _ request: String, atLeast count: Int = 1, seconds: Double = 30, attempts: Int = 1
    ) throws(PeerFailure) -> [UInt64] {
        var answer = try ask(request, seconds: seconds)
        for _ in 1..<attempts where answer.hasPrefix("-") { answer = try ask(request, seconds: seconds) }
        let numbers = answer.split(separator: " ").map { UInt64($0) }
        let known = numbers.compactMap { $0 }
        guard known.count == numbers.count, known.count >= count else {
            throw PeerFailure("\(name) answered '\(answer)' to '\(request)'")
        }
        return known
    }

    private func send(_ request: String) throws(PeerFailure) {
        let bytes = Array("\(request)\n".utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                sent += count
            } else if errno != EINTR {
                throw ended(by: request)
            }
        }
    }

    private func readLine(seconds: Double, _ request: String) throws(PeerFailure) -> String {
        var left = Int32(clamping: Int(seconds * 1000))
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            if let newline = unread.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: unread[..<newline], as: UTF8.self)
                unread.removeSubrange(...newline)
                return line
            }
            var ready = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            let slice = min(left, 1000)
            let found = poll(&ready, 1, slice)
            if found == 0 || (found < 0 && errno == EINTR) {
                left -= slice
                guard left > 0 else {
                    kill(-child, SIGKILL)
                    end()
                    throw PeerFailure("\(name) did not answer '\(request)' within \(seconds) s", isLate: true)
                }
                continue
            }
            let count = read(socket, &buffer, buffer.count)
            if count > 0 {
                unread += buffer[..<count]
            } else if count == 0 || errno != EINTR {
                throw ended(by: request)
            }
        }
    }

    /// What to say of a program that ended in the middle.
    private func ended(by request: String) -> PeerFailure {
        hasEnded = true
        close(socket)
        let ending = (try? Spawn.wait(for: child, seconds: 1)).map { "\($0)" } ?? "is gone"
        return PeerFailure("\(name) \(ending) at '\(request)'")
    }
}
