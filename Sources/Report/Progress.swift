// One line that is overwritten in place. Only on a terminal: in a pipe or a file nothing is written at all.

import Glibc

/// A line on standard error that says what is being done.
///
///     let progress = Progress()
///     defer { progress.finish() }
///     progress.update("switch: round 3 of 31")
public final class Progress {
    private let descriptor: Int32
    private let isTerminal: Bool
    private var isLineShown = false
    private var lastUpdate: UInt64 = 0
    private let shortestInterval: UInt64

    /// A progress line; writes nothing yet.
    ///
    /// - Parameters:
    ///   - descriptor: Where to write, standard error by default.
    ///   - shortestInterval: Updates that follow the last shown one sooner are dropped, in nanoseconds. The default is
    ///     a twentieth of a second: faster is not read, and writing disturbs what is being measured.
    public init(descriptor: Int32 = STDERR_FILENO, shortestInterval: UInt64 = 50_000_000) {
        self.descriptor = descriptor
        self.shortestInterval = shortestInterval
        isTerminal = isatty(descriptor) == 1
    }

    deinit { finish() }

    /// Replaces the line. Text that is wider than the terminal is cut off; control characters are shown as `?`.
    public func update(_ text: String) {
        guard isTerminal else { return }
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let now = UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
        guard !isLineShown || now - lastUpdate >= shortestInterval else { return }
        lastUpdate = now
        isLineShown = true
        // One column stays free: some terminals wrap when the last one is written.
        show("\r\u{1B}[K" + TextTable.printable(text).prefix(max(1, width - 1)))
    }

    /// Removes the line, if there is one; the next update shows it again. Call it before writing anything else.
    public func finish() {
        guard isLineShown else { return }
        isLineShown = false
        show("\r\u{1B}[K")
    }

    /// A terminal that went away is no reason to stop measuring.
    private func show(_ text: String) {
        _ = StandardOutput.write(text, to: descriptor)
    }

    /// Columns of the terminal; 80 when it does not tell.
    private var width: Int {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }
}
