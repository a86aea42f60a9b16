// What a program is given to do when it is compared, and one run of it: by itself to its end, or as a server under
// load.

import Glibc
import GoBinary
import Measurement
import Processes
import Workloads

/// What a program is given to do.
public struct GoTask: Sendable {
    /// Arguments of the program.
    public let arguments: [String]
    /// The file that its standard input is; nothing if nil.
    public let input: String?
    /// For a server: the command, for `/bin/sh`, that makes requests of it. It begins once the program listens on a
    /// socket, and when it has ended the program is asked to end.
    public let load: String?
    /// Seconds after which a run counts as hanging.
    public let longest: Double

    /// Something to do.
    public init(arguments: [String], input: String? = nil, load: String? = nil, longest: Double) {
        self.arguments = arguments
        self.input = input
        self.load = load
        self.longest = longest
    }

    /// A run that has ended.
    struct Run {
        let finished: Subprocess.Finished
        /// Nanoseconds; of a server's those of the load.
        var elapsed: Double
        /// What the load wrote.
        var answer = ""
        /// Why the run says nothing.
        var problem: String?
    }

    /// Whether a run of the copy at `path` ends because its stacks are too small.
    public func outgrowsStacks(of path: String, isInterrupted: () -> Bool) throws -> Bool {
        try run(path, isInterrupted).finished.errors.contains(StripOptions.overflowStart)
    }

    /// Runs the program at `path` to its end.
    ///
    /// - Parameter variables: Added to the environment.
    func run(_ path: String, variables: [String: String] = [:], _ isInterrupted: () -> Bool) throws -> Run {
        let start = MeasurementClock.monotonic.now()
        var served: Service?
        var run = Run(
            finished: try withoutActuallyEscaping(isInterrupted) { isInterrupted in
                try Subprocess.finishMeasured(
                    path, arguments, environment: Spawn.environment(changing: variables), input: input,
                    seconds: longest, isUnwanted: isInterrupted,
                    service: load.map { load in
                        { child in
                            served = Service(child: child, load: load, longest: longest, isUnwanted: isInterrupted)
                        }
                    })
            },
            elapsed: Double(MeasurementClock.monotonic.now() - start))
        if let served {
            (run.elapsed, run.answer) = (served.elapsed, served.answer)
            run.problem = served.problem.map { problem in
                let line = run.finished.errors.split(separator: "\n").first.map { "; the program wrote: \($0)" }
                return problem + (line ?? "")
            }
        }
        if run.finished.ending == .timedOut, !isInterrupted() {
            run.problem =
                run.problem
                ?? "a run did not end within \(longest) s\(load == nil ? "" : " of SIGTERM"); give it less to do or "
                + "raise --seconds"
        }
        return run
    }
}

/// What happens while a server runs.
private struct Service {
    var elapsed = 0.0
    var answer = ""
    var problem: String?

    init(child: pid_t, load: String, longest: Double, isUnwanted: () -> Bool) {
        let start = MeasurementClock.monotonic.now()
        while !Self.listens(child) {
            if Self.hasEnded(child) {
                problem = "the program ended before it listened on a socket"
                return
            }
            if isUnwanted() { return }
            guard Double(MeasurementClock.monotonic.now() - start) < longest * 1e9 else {
                problem = "the program listened on no socket within \(longest) s; raise --seconds"
                return
            }
            usleep(2_000)
        }
        do throws(ProcessError) {
            let start = MeasurementClock.monotonic.now()
            let finished = try Subprocess.finish(
                "/bin/sh", ["-c", load], seconds: longest,
                isUnwanted: { isUnwanted() || Self.hasEnded(child) })
            elapsed = Double(MeasurementClock.monotonic.now() - start)
            answer = finished.output
            if Self.hasEnded(child) {
                problem = "the program ended during the load"
            } else if finished.ending != .exited(0) {
                let line = finished.errors.split(separator: "\n").first.map { ": \($0)" } ?? ""
                problem = "the load \(finished.ending)\(line)"
            }
        } catch {
            problem = error.description
        }
    }

    /// Whether it is over with it; it is reaped elsewhere.
    private static func hasEnded(_ child: pid_t) -> Bool {
        var facts = siginfo_t()
        return waitid(P_PID, id_t(child), &facts, WEXITED | WNOHANG | WNOWAIT) != 0 || facts.si_signo == SIGCHLD
    }

    /// Whether a socket of the process is one that takes connections.
    private static func listens(_ child: pid_t) -> Bool {
        let folder = "/proc/\(child)/fd"
        guard let names = try? Files.names(in: folder, suffix: "") else { return false }
        let owned = Set(names.compactMap { Files.target("\(folder)/\($0)") })
        // Columns of state and inode; the state of one that listens. proc_net_tcp.rst in the kernel's documentation;
        // __SO_ACCEPTCON for unix.
        for (file, state, listening, inode) in [
            ("tcp", 3, "0A", 9), ("tcp6", 3, "0A", 9), ("unix", 3, "00010000", 6),
        ] {
            guard let content = try? Files.read("/proc/\(child)/net/\(file)") else { continue }
            for line in String(decoding: content, as: UTF8.self).split(separator: "\n") {
                let fields = line.split(separator: " ")
                if fields.count > inode, fields[state] == listening, owned.contains("socket:[\(fields[inode])]") {
                    return true
                }
            }
        }
        return false
    }
}
