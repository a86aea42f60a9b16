// A load for echo-server: many connections, each of which sends lines and checks the answers.
import ArgumentParser
import Faultline
import FaultlineScheduler
import Glibc
import Measurement
import Synchronization

@main struct EchoLoad: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "echo-load",
        abstract: "Hold many connections to an echo-server, send lines on each, and check every answer.",
        discussion: """
            First all connections are made, then all send. With a rate each line has a time at which it is due, and \
            its latency counts from then, so that a server that stalls is not spared the lines that had to wait. \
            Without one each connection sends its next line when it has the answer, and the latencies say nothing of a \
            load beyond that.

            Every source address (127.0.0.2 and following) gives some 28,000 ports. Exits with 1 unless every answer \
            was right.
            """)

    @Option(help: "Port of the server on 127.0.0.1.")
    var port: UInt16

    @Option(help: "Connections to hold at the same time.")
    var connections = 1000

    @Option(help: "Lines that each connection sends.")
    var lines = 10

    @Option(help: "Lines a second, over all connections; 0: as fast as answers come.")
    var rate = 0

    @Option(help: "Parentheses around the operands of each line.")
    var depth = 10

    @Option(help: "Source addresses to spread the connections over.")
    var sources = 4

    @Flag(help: "Send nothing before SIGUSR1, which may come once `connected` is printed.")
    var wait = false

    @Option(help: "Threads. Left out: one for each processor.")
    var threads: Int?

    func validate() throws {
        guard connections > 0, lines > 0, rate >= 0, depth >= 0, (1...250).contains(sources) else {
            throw ValidationError("counts are positive, and --sources is 1 to 250")
        }
    }

    func run() throws {
        let resource = __rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue))
        var limit = rlimit()
        if getrlimit(resource, &limit) == 0 {
            limit.rlim_cur = limit.rlim_max
            setrlimit(resource, &limit)
        }
        let tally = Tally()
        let load = Load(
            server: try .ipv4("127.0.0.1", port: port), lines: lines, depth: depth, tally: tally,
            interval: rate == 0 ? .zero : .seconds(connections) / rate)
        // Blocked before the scheduler's threads start, which inherit that.
        let signals = wait ? try Descriptor.signals([SIGUSR1]) : nil
        try Scheduler.run(threads: threads) { [connections, sources] in
            let start = Channel<SuspendingClock.Instant>()
            let jobs = try (0..<connections).map { number in
                let source = try SocketAddress.ipv4("127.0.0.\(2 + number % sources)", port: 0)
                return try Scheduler.spawn { load.connection(number, of: connections, from: source, start) }
            }
            // Those that cannot connect, or got no stack to try it on, have ended; all others wait for the start.
            while tally.connected + jobs.count(where: \.isFinished) < connections {
                try Scheduler.sleep(for: .milliseconds(5))
            }
            print("connected \(tally.connected) of \(connections)")
            // The process that started this may wait for that line, in a pipe or a file.
            fflush(nil)
            _ = try signals?.read(upTo: 128)
            tally.begin()
            start.close()
            for job in jobs {
                do { try job.join() } catch let error as StackError { tally.fail(error, connecting: true) }
            }
        }
        print(tally.report)
        let expected = connections * lines
        if tally.correct != expected {
            print("only \(tally.correct) of \(expected) answers were right")
            throw ExitCode.failure
        }
    }
}

/// What all connections found.
final class Tally: Sendable {
    private struct State {
        var connected = 0
        var failed = 0
        var correct = 0
        var wrong = 0
        var errors: [String: Int] = [:]
        var latencies = LatencyHistogram()
        var start = SuspendingClock.now
    }
    private let state = Mutex(State())

    var connected: Int { state.withLock { $0.connected } }
    var correct: Int { state.withLock { $0.correct } }

    func connect() { state.withLock { $0.connected += 1 } }
    func fail(_ error: any Error, connecting: Bool) {
        state.withLock { state in
            if connecting { state.failed += 1 }
            state.errors["\(error)", default: 0] += 1
        }
    }
    func begin() { state.withLock { $0.start = .now } }
    func answer(isCorrect: Bool, after latency: Duration) {
        state.withLock { state in
            if isCorrect { state.correct += 1 } else { state.wrong += 1 }
            state.latencies.record(UInt64(max(0, latency / .nanoseconds(1))))
        }
    }

    var report: String {
        state.withLock { state in
            let seconds = (SuspendingClock.now - state.start) / .seconds(1)
            var lines = [
                "correct \(state.correct), wrong \(state.wrong), failed \(state.failed)",
                "lines per second \(Int(Double(state.correct) / seconds))",
                "latency in µs: " + latencies(state.latencies),
            ]
            for (error, count) in state.errors.sorted(by: { $0.key < $1.key }) {
                lines.append("\(count) times: \(error)")
            }
            return lines.joined(separator: "\n")
        }
    }
}

private func latencies(_ histogram: LatencyHistogram) -> String {
    [("50 %", 0.5), ("90 %", 0.9), ("99 %", 0.99), ("99.9 %", 0.999), ("all", 1)]
        .map { name, fraction in "\(name) within \((histogram.quantile(fraction) ?? 0) / 1000)" }
        .joined(separator: ", ")
}

/// What one connection does.
struct Load: Sendable {
    let server: SocketAddress
    let lines: Int
    let depth: Int
    let tally: Tally
    /// Time between two lines of a connection; zero sends them one after the other's answer.
    let interval: Duration

    func connection(_ number: Int, of count: Int, from source: SocketAddress, _ start: Channel<SuspendingClock.Instant>)
    {
        let connection: Descriptor
        do {
            connection = try Descriptor.connected(to: server, from: source)
            try connection.setNoDelay(true)
        } catch {
            return tally.fail(error, connecting: true)
        }
        tally.connect()
        do {
            _ = try start.receive()
            try send(on: connection, number, offset: interval * number / count)
        } catch {
            tally.fail(error, connecting: false)
        }
        try? connection.close()
    }

    private func send(on connection: Descriptor, _ number: Int, offset: Duration) throws {
        let start = SuspendingClock.now + offset
        for line in 0..<lines {
            let due = interval == .zero ? SuspendingClock.now : start + interval * line
            let now = SuspendingClock.now
            if now < due { try Scheduler.sleep(for: due - now) }
            let operand = number &* 31 &+ line
            let text =
                String(repeating: "(", count: depth) + "\(operand)" + String(repeating: "+1)", count: depth) + "*2\n"
            try connection.write(Array(text.utf8))
            var answer: [UInt8] = []
            while answer.last != UInt8(ascii: "\n") {
                let part = try connection.read(upTo: 256)
                guard !part.isEmpty else { throw LoadError.endedEarly }
                answer += part
            }
            let expected = Array("\(2 * (operand + depth))\n".utf8)
            tally.answer(isCorrect: answer == expected, after: SuspendingClock.now - due)
        }
    }
}

enum LoadError: Error, CustomStringConvertible {
    case endedEarly
    var description: String { "the server ended the connection" }
}
