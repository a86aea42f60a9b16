// Writing results. All of a text reaches the descriptor or the process says why not: results cut short by a full disk
// must not look like results.

import Glibc

/// Standard output, written as a whole.
public enum StandardOutput {
    /// How writing ended.
    public enum Outcome: Sendable, Hashable {
        /// Everything was written.
        case complete
        /// The reader has closed its end: it has what it wanted.
        case closed
        /// Writing failed with this error number.
        case failed(errno: Int32)
    }

    /// Writes all of `text` to standard output.
    ///
    /// Ends the process silently with status 0 when the reader has gone (`faultline bench | head`), and with one line
    /// on standard error and status 1 when writing fails otherwise, for instance because the disk is full.
    public static func write(_ text: String) {
        // What was printed before comes first.
        fflush(nil)
        switch write(text, to: STDOUT_FILENO) {
        case .complete: return
        case .closed: exit(0)
        case .failed(let number):
            let reason = String(cString: strerror(number))
            _ = write(
                "faultline: cannot write to standard output: \(reason); "
                    + "write the results to a place that has room for them\n", to: STDERR_FILENO)
            exit(1)
        }
    }

    /// Writes all of `text` to a descriptor; waits when the descriptor does not block and is full.
    ///
    /// A closed pipe or a limit on the size of files (RLIMIT_FSIZE) raises no signal that outlives the call, and the
    /// process's own handling of SIGPIPE and SIGXFSZ is untouched.
    public static func write(_ text: String, to descriptor: Int32) -> Outcome {
        write(Array(text.utf8), to: descriptor)
    }

    /// The same with bytes.
    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Outcome {
        withoutSignals {
            var rest = bytes[...]
            while !rest.isEmpty {
                let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
                if written >= 0 {
                    rest.removeFirst(written)
                    continue
                }
                switch errno {
                case EINTR: continue
                case EAGAIN:
                    var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = poll(&ready, 1, -1)
                case EPIPE: return .closed
                case let number: return .failed(errno: number)
                }
            }
            return .complete
        }
    }

    /// Both signals are raised at the writing thread, so blocking them there and taking them from the pending ones
    /// suffices.
    private static func withoutSignals(_ body: () -> Outcome) -> Outcome {
        var ours = sigset_t()
        var pending = sigset_t()
        var before = sigset_t()
        sigemptyset(&ours)
        sigaddset(&ours, SIGPIPE)
        sigaddset(&ours, SIGXFSZ)
        pthread_sigmask(SIG_BLOCK, &ours, &before)
        sigpending(&pending)
        // Those that were pending before are not ours to take.
        for signal in [SIGPIPE, SIGXFSZ] where sigismember(&pending, signal) == 1 { sigdelset(&ours, signal) }
        let outcome = body()
        if outcome != .complete {
            var noTime = timespec()
            while true {
                let taken = sigtimedwait(&ours, nil, &noTime)
                if taken < 0 && errno != EINTR { break }
            }
        }
        pthread_sigmask(SIG_SETMASK, &before, nil)
        return outcome
    }
}
