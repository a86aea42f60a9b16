// Starting a program and waiting for it, with nothing of this process's signals inherited and no wait without an end.

internal import CProcesses
import Glibc

package enum Spawn {
    /// How a program ended.
    package enum Ending: Hashable, Sendable, CustomStringConvertible {
        case exited(Int32)
        case signalled(Int32)
        /// It was killed, because its time was up.
        case timedOut

        package var description: String {
            switch self {
            case .exited(let status): "exited with \(status)"
            case .signalled(let number): "was killed by signal \(number)"
            case .timedOut: "did not end in time"
            }
        }
    }

    /// What a process and its threads took, by the kernel's account; of processes that it started nothing but what it
    /// waited for.
    package struct Usage: Sendable {
        /// Processor time, in the program and in the kernel, in nanoseconds.
        package var processorTime = 0.0
        /// The maximum of resident memory, in bytes. Linux counts what the process was before it became this
        /// program, so that it is at least what its parent had.
        package var peakResident = 0
        /// Page faults that read nothing from a disk.
        package var minorFaults = 0
        /// Page faults that did.
        package var majorFaults = 0

        package init() {}

        init(_ usage: rusage) {
            func nanoseconds(_ time: timeval) -> Double { Double(time.tv_sec) * 1e9 + Double(time.tv_usec) * 1e3 }
            processorTime = nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime)
            peakResident = usage.ru_maxrss * 1024
            minorFaults = usage.ru_minflt
            majorFaults = usage.ru_majflt
        }
    }

    /// The descriptors that a program begins with. They stay open here.
    package struct Streams {
        package var input: Int32
        package var output: Int32
        package var errors: Int32
        /// The program's descriptor 3, where it has one. No other descriptor here may have that number.
        package var report: Int32?

        package init(input: Int32, output: Int32, errors: Int32, report: Int32? = nil) {
            self.input = input
            self.output = output
            self.errors = errors
            self.report = report
        }
    }

    /// Starts `executable` in a process group of its own, so that it can be ended with whatever it starts and a Ctrl-C
    /// at the terminal reaches this process alone. It starts with every signal at its default and none blocked.
    ///
    /// - Parameter environment: `NAME=value` each; this process's if nil.
    package static func start(
        _ executable: String, _ arguments: [String], environment: [String]? = nil, streams: Streams
    ) throws(ProcessError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // A copy stays open on exec, and so does one that is in its place already (glibc 2.29 and later).
        let descriptors = [streams.input, streams.output, streams.errors] + (streams.report.map { [$0] } ?? [])
        for (place, descriptor) in descriptors.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(place))
        }
        // The caller may block signals or ignore them; what it starts must not inherit that.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))

        let words: [UnsafeMutablePointer<CChar>?] = ([executable] + arguments).map { strdup($0) }
        let settings: [UnsafeMutablePointer<CChar>?] = (environment ?? []).map { strdup($0) }
        defer { for text in words + settings { free(text) } }
        var child: pid_t = 0
        func attempt() -> Int32 {
            environment == nil
                ? posix_spawn(&child, executable, &actions, &attributes, words + [nil], environ)
                : posix_spawn(&child, executable, &actions, &attributes, words + [nil], settings + [nil])
        }
        var failure = attempt()
        // What another thread starts holds every file that is open here for writing from its fork to its exec, and no
        // program is run from such a file: https://go.dev/issue/22315. That is over soon, or it is something else.
        for _ in 0..<200 where failure == ETXTBSY {
            usleep(10_000)
            failure = attempt()
        }
        guard failure == 0 else {
            let remedy = failure == EAGAIN || failure == ENOMEM ? "free memory or processes" : nil
            throw ProcessError(
                "cannot start \(executable): \(Files.reason(failure))", remedy: remedy, errno: failure)
        }
        return child
    }

    /// Waits until `child` ends and reaps it; kills its process group when that takes longer than `seconds`, or once
    /// `isUnwanted`, which is asked every now and then.
    package static func wait(
        for child: pid_t, seconds: Double, isUnwanted: () -> Bool = { false }
    ) throws(ProcessError) -> Ending {
        var usage = Usage()
        return try wait(for: child, group: child, seconds: seconds, usage: &usage, isUnwanted: isUnwanted)
    }

    /// The same, with what the child took, and with the process group that is killed. The end of the child wakes it:
    /// how long this takes is how long the child took.
    package static func wait(
        for child: pid_t, group: pid_t, seconds: Double, usage: inout Usage, isUnwanted: () -> Bool = { false }
    ) throws(ProcessError) -> Ending {
        let watch = watch(child)
        defer { if watch >= 0 { close(watch) } }
        return try wait(
            for: child, group: group, seconds: seconds, usage: &usage, watch: watch, interval: 20,
            isUnwanted: isUnwanted)
    }

    /// A descriptor that can be read from once `child` has ended; -1 where the system has none.
    static func watch(_ child: pid_t) -> Int32 { fl_watch_process(child) }

    /// - Parameters:
    ///   - watch: What can be read from once the child has ended; -1 where the system has no such descriptor, and the
    ///     end of the child then is found by looking for it.
    ///   - interval: Milliseconds after which `isUnwanted` is asked again.
    static func wait(
        for child: pid_t, group: pid_t, seconds: Double, usage: inout Usage, watch: Int32, interval: Int32,
        isUnwanted: () -> Bool
    ) throws(ProcessError) -> Ending {
        var began = timespec()
        clock_gettime(CLOCK_MONOTONIC, &began)
        var isLate = false
        while true {
            var status: Int32 = 0
            var taken = rusage()
            let reaped = wait4(child, &status, isLate ? 0 : WNOHANG, &taken)
            if reaped == child {
                usage = Usage(taken)
                if isLate { return .timedOut }
                return status & 0x7f == 0 ? .exited(status >> 8 & 0xff) : .signalled(status & 0x7f)
            }
            guard reaped == 0 || errno == EINTR else {
                throw ProcessError("lost the process \(child): \(Files.reason())")
            }
            var now = timespec()
            clock_gettime(CLOCK_MONOTONIC, &now)
            let left = seconds - Double(now.tv_sec - began.tv_sec) - Double(now.tv_nsec - began.tv_nsec) * 1e-9
            if left < 0 || isUnwanted() {
                kill(-group, SIGKILL)
                isLate = true
            } else {
                // A descriptor below zero is passed over, so that this sleeps: shortly, for nothing ends the sleep.
                let pause = watch >= 0 ? interval : 1
                var entry = pollfd(fd: watch, events: Int16(POLLIN), revents: 0)
                poll(&entry, 1, Int32(min(Double(pause), (left * 1e3).rounded(.up))))
            }
        }
    }

    /// This process's environment, with `changes` in place of the variables of the same names.
    package static func environment(changing changes: [String: String]) -> [String] {
        var settings: [String] = []
        var entry = environ
        while let text = entry.pointee {
            settings.append(String(cString: text))
            entry += 1
        }
        let kept = settings.filter { setting in
            !changes.keys.contains { setting.hasPrefix("\($0)=") }
        }
        return kept + changes.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    }
}
