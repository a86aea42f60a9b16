// A server that evaluates expressions, one a line, with a coroutine for each connection.
import ArgumentParser
import FaultlineScheduler
import Glibc

@main struct EchoServer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "echo-server",
        abstract: "Answer each line, an expression such as 2*(3+4), with its value.",
        discussion: """
            Each connection is a coroutine, and the expression is evaluated by recursion, however deep it is nested. \
            SIGINT and SIGTERM end the server: it accepts no more, answers what it has received, and prints what it did.

            Example:
              echo-server --port 7777 &
              printf '2*(3+4)\\n' | nc -N 127.0.0.1 7777
            """)

    @Option(help: "IPv4 address to listen at.")
    var host = "127.0.0.1"

    @Option(help: "Port to listen at; 0 lets the kernel choose. It is printed.")
    var port: UInt16 = 0

    @Flag(help: "Let other servers, started with this flag too, listen at the same port: each takes a share.")
    var shared = false

    @Option(help: "Threads. Left out: one for each processor.")
    var threads: Int?

    @Option(help: "Bytes of a line at most.")
    var longestLine = 1 << 20

    @Option(help: "MiB of stack that the recursion for a line may take, 1 to 512.")
    var stack = 64

    @Option(help: "Seconds that connections have to end at SIGINT.")
    var grace = 5

    func validate() throws {
        guard (1...512).contains(stack) else { throw ValidationError("--stack is 1 to 512 MiB") }
        guard (1...(1 << 30)).contains(longestLine) else { throw ValidationError("--longest-line is 1 to 1073741824") }
        guard (0...3600).contains(grace) else { throw ValidationError("--grace is 0 to 3600 seconds") }
    }

    func run() throws {
        let limit = raiseDescriptorLimit()
        // Blocked before the scheduler's threads start, which inherit that: the signals are read from a descriptor.
        let signals = try Descriptor.signals([SIGINT, SIGTERM])
        let connections = Connections(longestLine: longestLine, largestStack: stack << 20)
        let address = try SocketAddress.ipv4(host, port: port)
        try Scheduler.run(threads: threads) { [grace, shared] in
            let listener = try Descriptor.listening(at: address, isShared: shared)
            print("listening at \(try listener.localAddress), at most \(limit) descriptors")
            // The process that started this may wait for that line, in a pipe or a file.
            fflush(nil)
            let ending = try Scheduler.spawn {
                // Without signals the server could not be ended any more.
                defer { try? listener.close() }
                _ = try signals.read(upTo: 128)
                print("ending")
            }
            try acceptAll(from: listener, connections)
            try ending.join()
            connections.end()
            for _ in 0..<(grace * 100) where connections.openCount > 0 { try Scheduler.sleep(for: .milliseconds(10)) }
            connections.abandon()
        }
        print(connections.summary)
    }
}

/// Serves every connection until the listener is closed. What the kernel refuses is tried again: the reason may be
/// another program, or a connection that failed while it waited. The main job's work, so that any other error ends the
/// server.
func acceptAll(from listener: Descriptor, _ connections: Connections) throws {
    var told: Set<Int32> = []
    while true {
        do {
            let connection = try listener.accept()
            try Scheduler.spawn { connections.serve(connection) }
        } catch SchedulerError.descriptorClosed {
            return
        } catch let failure as SchedulerError {
            guard case .system(_, let error) = failure else { throw failure }
            // With these the connection waits in the kernel's queue until another has ended.
            let isShortage = [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error)
            if !isShortage && told.insert(error).inserted {
                print("\(failure), trying again")
                fflush(nil)
            }
            try Scheduler.sleep(for: .milliseconds(20))
        }
    }
}

/// Raises the number of descriptors to what the system allows, and returns it.
private func raiseDescriptorLimit() -> Int {
    let resource = __rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue))
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0 else { return 0 }
    var raised = rlimit(rlim_cur: limit.rlim_max, rlim_max: limit.rlim_max)
    return Int(clamping: setrlimit(resource, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur)
}
