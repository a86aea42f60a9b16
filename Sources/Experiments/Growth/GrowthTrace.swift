// One growth under a tracer: how often control passes between user and kernel, and at which occasions.
//
// One passage in one direction is one crossing. A fault that the kernel answers with a signal is an entry, and the
// delivery a return into the handler; a system call, rt_sigreturn among them, is an entry and a return; so is a fault
// that the kernel resolves unseen by supplying a page. The tracer sees signals and system calls; unseen faults are
// those that the kernel counts for the process (minor faults) and so include pages that the handler touches for the
// first time.

import CProbes
import Glibc
import Measurement
import Processes
import Report
import Workloads

/// What was seen between the two marks.
public struct GrowthTrace: Sendable, Hashable {
    /// Passages between user and kernel, in one direction each, by occasion.
    public var fault = 0
    /// Into handlers.
    public var delivery = 0
    /// Of system calls other than rt_sigreturn.
    public var systemCalls = 0
    /// Of rt_sigreturn.
    public var signalReturn = 0
    /// Of faults that the kernel resolves by itself.
    public var demandFaults = 0
    /// The system calls in their order, by number.
    public var calls: [UInt64] = []

    /// All crossings of the growth itself: what supplies the page, which every way of getting fresh memory pays, is
    /// apart.
    public var crossings: Int { fault + delivery + systemCalls + signalReturn }

    /// Sums up events, which end with the end mark.
    public init(_ events: [fl_trace_event]) throws {
        for event in events {
            switch event.kind {
            case .FL_TRACE_SIGNAL:
                guard event.number == UInt64(SIGSEGV), event.code > 0 else {
                    throw MeasurementFailure("signal \(event.number) (code \(event.code)) disturbed the traced growth")
                }
                fault += 1
                delivery += 1
            case .FL_TRACE_CALL:
                systemCalls += 2
                calls.append(event.number)
            case .FL_TRACE_LEAVE:
                signalReturn += 2
            case .FL_TRACE_RETURN:
                break
            case .FL_TRACE_END:
                demandFaults = 2 * Int(event.minor_faults)
            }
        }
        guard events.last?.kind == .FL_TRACE_END else { throw MeasurementFailure("the traced growth did not end") }
    }
}

/// What a process does that is to be traced: waits for a byte from its tracer, then grows one stack to know that
/// everything is loaded, and a second one between the marks.
struct GrowthExperiment: Experiment {
    let name = "growth"

    /// Options: `kind`, the name of one of ``GrowthKind/all``.
    func run(_ options: ExperimentOptions, _ found: Found) throws {
        guard let kind = options.text("kind").flatMap(GrowthKind.named) else {
            let names = GrowthKind.all.map(\.name).joined(separator: ", ")
            throw MeasurementFailure("the experiment needs kind=NAME, one of \(names)")
        }
        var byte: UInt8 = 0
        guard read(STDIN_FILENO, &byte, 1) == 1 else { throw MeasurementFailure("this process is not traced") }
        _ = try kind.perform(.timed)
        _ = try kind.perform(.marked)
    }
}

extension GrowthKind {
    /// More events than any growth has.
    private static let maximumEvents = 256
    private static let seconds = 20.0

    /// Traces one growth in a process of its own.
    ///
    /// - Throws: `TracingRefused` where ptrace is not permitted.
    package func trace() throws -> GrowthTrace {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
            throw MeasurementFailure("no socket: \(ErrorNumber.text(errno))")
        }
        defer { for end in ends { close(end) } }
        let nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC)
        guard nowhere >= 0 else { throw MeasurementFailure("no /dev/null: \(ErrorNumber.text(errno))") }
        defer { close(nowhere) }
        let child = try Spawn.start(
            "/proc/self/exe", [Experiments.command, GrowthExperiment().name, "kind=\(name)"],
            environment: Spawn.environment(changing: ["SWIFT_BACKTRACE": "enable=no"]),
            streams: Spawn.Streams(input: ends[0], output: nowhere, errors: nowhere))
        var events = [fl_trace_event](repeating: fl_trace_event(), count: Self.maximumEvents)
        var count = 0
        var error = fl_trace_attach(child)
        let isRefused = error != 0
        if error == 0 {
            // The socket holds it until the process reads.
            var byte: UInt8 = 1
            error = send(ends[1], &byte, 1, Int32(MSG_NOSIGNAL)) == 1 ? 0 : errno
        }
        if error == 0 { error = fl_trace_follow(child, Self.seconds, &events, events.count, &count) }
        // It ends by itself, unless the tracer failed; a process that it waited for has no ending left to read.
        if error != 0 { kill(child, SIGKILL) }
        let ending = try? Spawn.wait(for: child, seconds: Self.seconds)
        if isRefused { throw TracingRefused(reason: ErrorNumber.text(error)) }
        guard error == 0, ending == .exited(0) else {
            let end = ending.map { "\($0)" } ?? "is gone"
            throw MeasurementFailure("\(name): the traced process \(end) (\(ErrorNumber.text(error)))")
        }
        return try GrowthTrace(Array(events[..<count]))
    }
}

/// The kernel or a sandbox does not permit to trace a child process.
package struct TracingRefused: Error {
    package let reason: String
}
