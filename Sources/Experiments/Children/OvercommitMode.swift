// Setting vm.overcommit_memory for a moment, and back in every case.
//
// The setting is the whole machine's. A process of its own sets it and sets it back, when this process says so, ends in
// any way, or takes longer than it may. It holds a lock meanwhile, so that two runs never take each other's setting for
// the machine's own.

import Glibc
import Measurement
import Processes
import Workloads

extension Finding {
    /// The mode that was in force.
    static let former = Finding("former")
}

/// The keeper: sets the mode, says so, waits for the end of its input, sets the former mode.
struct OvercommitModeExperiment: Experiment {
    static let path = "/proc/sys/vm/overcommit_memory"
    private static let lock = "/run/faultline-overcommit.lock"
    /// Milliseconds for which the mode is set at most, and the lock waited for.
    private static let longest: Int32 = 30_000

    let name = "overcommit-mode"

    /// Options: `mode`.
    func run(_ options: ExperimentOptions, _ found: Found) throws {
        let mode = try options.number("mode")
        // Nothing but SIGKILL ends it before it has set the mode back.
        var all = sigset_t()
        sigfillset(&all)
        sigprocmask(SIG_BLOCK, &all, nil)
        alarm(0)
        let lock = open(Self.lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard lock >= 0 else { throw MeasurementFailure("cannot lock \(Self.lock): \(ErrorNumber.text(errno))") }
        var waited: Int32 = 0
        while flock(lock, LOCK_EX | LOCK_NB) != 0 {
            guard waited < Self.longest else { throw MeasurementFailure("another run holds \(Self.lock)") }
            usleep(50_000)
            waited += 50
        }
        guard let former = SystemFiles().number(Self.path) else {
            throw MeasurementFailure("cannot read \(Self.path)")
        }
        let limit = mode == 2 ? try CommitLimit.ofOneWithRoom() : nil
        try Files.write("\(mode)\n".utf8, to: Self.path)
        defer {
            try? Files.write("\(former)\n".utf8, to: Self.path)
            limit?.setBack()
        }
        try found(.former, former)
        var input = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        _ = poll(&input, 1, Self.longest)
    }
}

/// What may be committed in mode 2, where what is counted already may leave no room for one more process: raised,
/// and set back.
///
/// The count need not be what is in use. What a mapping with MAP_GROWSDOWN and MAP_NORESERVE has grown by stays in it
/// when the mapping is gone (seen on Linux 6.18), until the machine restarts.
struct CommitLimit {
    /// The setting that gives the limit in KiB, 0 where it is a share of the memory.
    static let path = "/proc/sys/vm/overcommit_kbytes"
    private static let share = "/proc/sys/vm/overcommit_ratio"

    /// The file that the limit came from, which the other one sets to 0.
    private let path: String
    private let former: Int

    /// Nil where half of the limit is left.
    static func ofOneWithRoom() throws -> CommitLimit? {
        let memory = SystemFiles().fields("/proc/meminfo")
        guard let limit = memory["CommitLimit"], let counted = memory["Committed_AS"], counted > limit / 2 else {
            return nil
        }
        let given = SystemFiles().number(path) ?? 0
        let path = given > 0 ? Self.path : share
        guard let former = SystemFiles().number(path) else { throw MeasurementFailure("cannot read \(path)") }
        try Files.write("\((counted + limit) >> 10)\n".utf8, to: Self.path)
        return CommitLimit(path: path, former: former)
    }

    func setBack() { try? Files.write("\(former)\n".utf8, to: path) }
}

/// The mode of overcommit cannot be set; one line says why.
struct OvercommitModeRefused: Error, CustomStringConvertible {
    let description: String
}

/// This side of the keeper: a mode is in force from its making to its end.
final class OvercommitKeeper {
    private let child: pid_t
    private var input: Int32

    /// - Throws: ``OvercommitModeRefused`` where the mode cannot be set.
    init(mode: Int) throws {
        let (words, answers) = (try Self.pipe(), try Self.pipe())
        let nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC)
        do {
            child = try Spawn.start(
                "/proc/self/exe", [Experiments.command, OvercommitModeExperiment().name, "mode=\(mode)"],
                streams: Spawn.Streams(input: words.reading, output: answers.writing, errors: nowhere))
        } catch {
            for descriptor in [words.writing, words.reading, answers.writing, answers.reading, nowhere] {
                close(descriptor)
            }
            throw error
        }
        input = words.writing
        for descriptor in [words.reading, answers.writing, nowhere] { close(descriptor) }
        // It says the former mode once the new one is set, or ends.
        var answer = [UInt8](repeating: 0, count: 64)
        var count = 0
        repeat { count = read(answers.reading, &answer, answer.count) } while count < 0 && errno == EINTR
        close(answers.reading)
        guard count > 0 else {
            end()
            throw OvercommitModeRefused(
                description: "vm.overcommit_memory cannot be set to \(mode) here: run as root of the machine")
        }
    }

    /// Has the former mode restored, and waits until it is.
    func end() {
        guard input >= 0 else { return }
        close(input)
        input = -1
        _ = try? Spawn.wait(for: child, seconds: 40)
    }

    deinit { end() }

    private static func pipe() throws -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else { throw MeasurementFailure("cannot make a pipe: \(ErrorNumber.text(errno))") }
        // Kept from whatever else is started meanwhile, or the end of one would go unnoticed.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }
}
