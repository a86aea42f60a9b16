import Glibc
import Report
import Testing

/// Both ends of a connection that neither waits nor is inherited by the children of other tests.
private struct Connection: ~Copyable {
    let reader: Int32
    let writer: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        let type = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        precondition(socketpair(AF_UNIX, Int32(type), 0, &ends) == 0)
        (reader, writer) = (ends[0], ends[1])
    }

    deinit {
        close(reader)
        close(writer)
    }
}

/// A thread of its own that writes a text: a task may have to wait for a thread until other tests have ended.
private final class Writer {
    private let text: String
    private let descriptor: Int32
    private var outcome: StandardOutput.Outcome?
    private var thread = pthread_t()

    init(_ text: String, to descriptor: Int32) {
        self.text = text
        self.descriptor = descriptor
        let error = pthread_create(
            &thread, nil,
            { argument in
                let writer = Unmanaged<Writer>.fromOpaque(argument!).takeUnretainedValue()
                writer.outcome = StandardOutput.write(writer.text, to: writer.descriptor)
                return nil
            }, Unmanaged.passUnretained(self).toOpaque())
        precondition(error == 0, "a thread can be created")
    }

    /// Waits for the end of the thread, which therefore does not outlive the object.
    func joined() -> StandardOutput.Outcome? {
        pthread_join(thread, nil)
        return outcome
    }
}

/// What can be read from a descriptor without waiting.
private func available(_ descriptor: Int32) -> String {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
        let count = read(descriptor, &buffer, buffer.count)
        guard count > 0 else { break }
        bytes += buffer[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
}

struct StandardOutputTests {
    @Test func `a text is written as a whole`() {
        let connection = Connection()
        #expect(StandardOutput.write("eins\nzwei µ\n", to: connection.writer) == .complete)
        #expect(available(connection.reader) == "eins\nzwei µ\n")
    }

    @Test func `a text larger than the buffer waits for its reader`() {
        let connection = Connection()
        let (reader, writer) = (connection.reader, connection.writer)
        // Some times what the connection holds.
        let text = String(repeating: "0123456789abcdef", count: 64 << 10)
        let thread = Writer(text, to: writer)
        var received = ""
        // At least ten seconds, so that a writer that gave up fails the test instead of hanging it.
        for _ in 0..<100_000 where received.utf8.count < text.utf8.count {
            received += available(reader)
            usleep(100)
        }
        // What still waits for a reader by now must not wait for ever.
        shutdown(reader, Int32(SHUT_RDWR))
        #expect(thread.joined() == .complete)
        #expect(received == text)
    }

    @Test func `a closed pipe is told apart and raises no signal`() {
        let connection = Connection()
        shutdown(connection.reader, Int32(SHUT_RDWR))
        // Would kill the test process if SIGPIPE came through.
        #expect(StandardOutput.write("x", to: connection.writer) == .closed)
        var pending = sigset_t()
        sigpending(&pending)
        #expect(sigismember(&pending, SIGPIPE) == 0)
    }

    @Test func `a full disk is a failure with its number`() {
        let full = open("/dev/full", O_WRONLY | O_CLOEXEC)
        #expect(StandardOutput.write("x", to: full) == .failed(errno: ENOSPC))
        close(full)
    }

    @Test func `on a full disk the process ends with status 1 and one line`() async throws {
        let result = try #require(
            await #expect(processExitsWith: .exitCode(1), observing: [\.standardErrorContent]) {
                dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO)
                StandardOutput.write("results\n")
                exit(0)
            })
        let lines = String(decoding: result.standardErrorContent, as: UTF8.self)
        #expect(
            lines == "faultline: cannot write to standard output: No space left on device; "
                + "write the results to a place that has room for them\n")
    }

    @Test func `when the reader has gone the process ends with status 0 and no word`() async {
        await #expect(processExitsWith: .exitCode(0)) {
            let results = Connection()
            shutdown(results.reader, Int32(SHUT_RDWR))
            dup2(results.writer, STDOUT_FILENO)
            let messages = Connection()
            dup2(messages.writer, STDERR_FILENO)
            // A number of its own, because a function called at exit can capture none.
            dup2(messages.reader, 100)
            atexit {
                if !available(100).isEmpty { _exit(9) }
            }
            StandardOutput.write("results\n")
            exit(7)
        }
    }
}

struct ProgressTests {
    /// A terminal of the given width whose output can be read, without waiting, at its other end.
    private func withTerminal(
        columns: UInt16, _ body: (_ terminal: Int32, _ read: () -> String) throws -> Void
    ) throws {
        var (controller, terminal): (Int32, Int32) = (-1, -1)
        var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        try #require(openpty(&controller, &terminal, nil, nil, &size) == 0)
        defer {
            close(terminal)
            close(controller)
        }
        try #require(fcntl(controller, F_SETFL, O_NONBLOCK) == 0)
        try body(terminal) { available(controller) }
    }

    private static let clear = "\r\u{1B}[K"

    @Test func `a terminal shows one line, cut to its width, and none at the end`() throws {
        try withTerminal(columns: 10) { terminal, read in
            let progress = Progress(descriptor: terminal, shortestInterval: 0)
            #expect(read() == "")
            progress.update("round 1")
            #expect(read() == Self.clear + "round 1")
            progress.update("a long line\u{7}")
            #expect(read() == Self.clear + "a long li")
            progress.finish()
            #expect(read() == Self.clear)
            progress.finish()
            #expect(read() == "")
        }
    }

    @Test func `updates in quick succession are dropped`() throws {
        try withTerminal(columns: 80) { terminal, read in
            let progress = Progress(descriptor: terminal, shortestInterval: 3_600_000_000_000)
            progress.update("first")
            progress.update("second")
            #expect(read() == Self.clear + "first")
            progress.finish()
            progress.update("third")
            #expect(read() == Self.clear + Self.clear + "third")
        }
    }

    @Test func `the line is removed when its owner is gone`() throws {
        try withTerminal(columns: 80) { terminal, read in
            do { Progress(descriptor: terminal).update("x") }
            #expect(read() == Self.clear + "x" + Self.clear)
        }
    }

    @Test func `a pipe gets nothing`() {
        let connection = Connection()
        let progress = Progress(descriptor: connection.writer, shortestInterval: 0)
        progress.update("round 1")
        progress.finish()
        #expect(available(connection.reader) == "")
    }
}
