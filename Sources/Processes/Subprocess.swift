// Runs a program and waits for it: a tool that must succeed, or one whose ending is of interest.

internal import CProcesses
import Glibc

package enum Subprocess {
    /// A tool that takes longer hangs: the slowest is a compiler that builds a standard library for the first time.
    package static let longestTool = 300.0

    /// What a program that ended has left behind.
    package struct Finished: Sendable {
        package let ending: Spawn.Ending
        /// What it wrote to standard output, at most ``maximumOutput`` bytes.
        package let output: String
        /// Bytes that it wrote to standard output, ``output`` and what was cut off.
        package let outputSize: Int
        /// What it wrote to standard error, at most ``maximumOutput`` bytes.
        package let errors: String
        /// What it took. ``Spawn/Usage/peakResident`` is at least what this process has, but for ``finishMeasured``.
        package let usage: Spawn.Usage
    }

    /// More than this is cut off: what programs say here is a few lines.
    package static let maximumOutput = 1 << 20

    /// Runs `executable`. Its standard output goes to `output.txt` in `folder`.
    ///
    /// - Parameter environment: `NAME=value` each; this process's if nil.
    /// - Throws: when it cannot be started, fails or hangs; the message ends with the first error line that it wrote.
    package static func run(
        _ executable: String, _ arguments: [String], in folder: String, environment: [String]? = nil
    ) throws(ProcessError) {
        let finished = try finish(
            executable, arguments, environment: environment, seconds: longestTool,
            output: try file("\(folder)/output.txt"), errors: try file("\(folder)/errors.txt"))
        guard finished.ending != .exited(0) else { return }
        let name = executable.split(separator: "/").last.map(String.init) ?? executable
        let lines = finished.errors.split(separator: "\n")
        let line = lines.first { $0.contains("error:") } ?? lines.first ?? "no message"
        var end = "\(finished.ending)"
        if case .exited(let status) = finished.ending { end = "failed (exit \(status))" }
        throw ProcessError("\(name) \(end): \(line)")
    }

    /// Runs `executable` to its end, whatever that is, or kills it after `seconds` or once `isUnwanted`.
    ///
    /// - Parameters:
    ///   - environment: `NAME=value` each; this process's if nil.
    ///   - input: The file that its standard input is; nothing if nil.
    /// - Throws: when it cannot be started.
    package static func finish(
        _ executable: String, _ arguments: [String], environment: [String]? = nil, input: String? = nil,
        seconds: Double, isUnwanted: () -> Bool = { false }
    ) throws(ProcessError) -> Finished {
        try finish(
            executable, arguments, environment: environment, input: input, seconds: seconds, isUnwanted: isUnwanted,
            output: try namelessFile(), errors: try namelessFile())
    }

    /// The same for a program whose peak of memory is of interest: a shell starts it and ends, so that it begins with
    /// the little memory of the shell, and this process adopts it. Until the shell has ended this process adopts what
    /// its other children leave behind as well: not for a process that starts others meanwhile.
    ///
    /// - Parameters:
    ///   - input: The file that its standard input is; nothing if nil.
    ///   - service: Called with the number of the process, which is asked to end (SIGTERM) when that returns; it may
    ///     have ended before.
    package static func finishMeasured(
        _ executable: String, _ arguments: [String], environment: [String]? = nil, input: String? = nil,
        seconds: Double, isUnwanted: () -> Bool = { false },
        service: ((pid_t) -> Void)? = nil
    ) throws(ProcessError) -> Finished {
        let adoption = fl_adopt_orphans(true)
        guard adoption == 0 else { throw ProcessError("cannot wait for orphans: \(Files.reason(adoption))") }
        defer { _ = fl_adopt_orphans(false) }
        let (output, errors, number) = (try namelessFile(), try namelessFile(), try namelessFile())
        let source = open(input ?? "/dev/null", O_RDONLY | O_CLOEXEC)
        let refusal = errno
        var gate: [Int32] = [-1, -1]
        let hasGate = pipe(&gate) == 0
        defer {
            for descriptor in [output, errors, number, source] + gate where descriptor >= 0 { close(descriptor) }
        }
        guard source >= 0 else { throw ProcessError("cannot read \(input ?? "/dev/null"): \(Files.reason(refusal))") }
        guard hasGate else { throw ProcessError("cannot create a pipe: \(Files.reason())") }
        for descriptor in gate { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        // What runs in the background of a shell has its own standard streams by way of their numbers here. It begins
        // when the shell is gone: a shell reaps what ends before it does.
        let streams = "<\"$0/\(source)\" >>\"$0/\(output)\" 2>>\"$0/\(errors)\""
        let background = "{ read -r go <\"$0/\(gate[0])\" && exec \"$@\" \(streams); } &"
        let shell = try Spawn.start(
            "/bin/sh", ["-c", "\(background) echo $!", "/proc/\(getpid())/fd", executable] + arguments,
            environment: environment, streams: Spawn.Streams(input: source, output: number, errors: errors))
        guard try Spawn.wait(for: shell, seconds: 20) == .exited(0),
            let child = pid_t(contents(of: number).split(separator: "\n").first ?? "")
        else { throw ProcessError("cannot start \(executable) by a shell") }
        // Adopted by now, and what it leaves behind itself is not adopted here. That cannot fail: it did not before.
        _ = fl_adopt_orphans(false)
        // It cannot fail: the pipe is empty, and its other end is open here.
        _ = write(gate[1], "\n", 1)
        var usage = Spawn.Usage()
        if let service {
            service(child)
            kill(child, SIGTERM)
        }
        let ending = try Spawn.wait(
            for: child, group: shell, seconds: seconds, usage: &usage, isUnwanted: isUnwanted)
        return Finished(
            ending: ending, output: contents(of: output), outputSize: size(of: output), errors: contents(of: errors),
            usage: usage)
    }

    // Files, not pipes: nothing has to read while the program runs.
    private static func finish(
        _ executable: String, _ arguments: [String], environment: [String]?, input: String? = nil, seconds: Double,
        isUnwanted: () -> Bool = { false }, output: Int32, errors: Int32
    ) throws(ProcessError) -> Finished {
        defer {
            close(output)
            close(errors)
        }
        let source = open(input ?? "/dev/null", O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { throw ProcessError("cannot read \(input ?? "/dev/null"): \(Files.reason())") }
        defer { close(source) }
        let child = try Spawn.start(
            executable, arguments, environment: environment,
            streams: Spawn.Streams(input: source, output: output, errors: errors))
        var usage = Spawn.Usage()
        let ending = try Spawn.wait(for: child, group: child, seconds: seconds, usage: &usage, isUnwanted: isUnwanted)
        return Finished(
            ending: ending, output: contents(of: output), outputSize: size(of: output), errors: contents(of: errors),
            usage: usage)
    }

    private static func file(_ path: String) throws(ProcessError) -> Int32 {
        let descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw ProcessError("cannot write \(path): \(Files.reason())") }
        return descriptor
    }

    /// A file that is gone when it is closed.
    private static func namelessFile() throws(ProcessError) -> Int32 {
        let folder = Files.temporaryParent
        var template = Array("\(folder)/faultline-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw ProcessError("cannot create a file in \(folder): \(Files.reason())") }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        unlink(template)
        return descriptor
    }

    private static func size(of descriptor: Int32) -> Int {
        var facts = stat()
        return fstat(descriptor, &facts) == 0 ? facts.st_size : 0
    }

    private static func contents(of descriptor: Int32) -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while bytes.count < maximumOutput {
            let count = pread(descriptor, &buffer, min(buffer.count, maximumOutput - bytes.count), off_t(bytes.count))
            if count > 0 {
                bytes += buffer[..<count]
            } else if count == 0 || errno != EINTR {
                break
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
