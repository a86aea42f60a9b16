import Glibc
import TestNeeds
import Testing

@testable import Processes

@Suite struct SubprocessTests {
    private func message(_ work: () throws -> Void) -> String {
        do { try work() } catch { return "\(error)" }
        return ""
    }

    @Test func theFirstErrorLineOfAFailingToolIsShown() throws {
        let folder = try TemporaryFolder()
        let toolchain = try Toolchain.find(searchPath: CodeEnvironment().searchPath, needsSwift: false)
        try Files.write("int x = y;\n".utf8, to: "\(folder.path)/a.c")
        let message = message { try Subprocess.run(toolchain.clang, ["-c", "\(folder.path)/a.c"], in: folder.path) }
        #expect(message.hasPrefix("clang failed (exit 1): "))
        #expect(message.contains("error: use of undeclared identifier 'y'"))
    }

    @Test func whatAProgramWritesAndHowItEndsIsFound() throws {
        let finished = try Subprocess.finish("/bin/sh", ["-c", "echo out; echo err >&2; exit 7"], seconds: 60)
        #expect(finished.ending == .exited(7))
        #expect(finished.output == "out\n" && finished.outputSize == 4)
        #expect(finished.errors == "err\n")
    }

    @Test func outputBeyondTheLimitIsCountedAndCutOff() throws {
        let size = Subprocess.maximumOutput + 5
        let finished = try Subprocess.finish("/bin/sh", ["-c", "head -c \(size) /dev/zero"], seconds: 60)
        #expect(finished.ending == .exited(0))
        #expect(finished.outputSize == size)
        #expect(finished.output.utf8.count == Subprocess.maximumOutput)
    }

    @Test func aSignalIsAnEnding() throws {
        #expect(try Subprocess.finish("/bin/sh", ["-c", "kill -9 $$"], seconds: 20).ending == .signalled(9))
    }

    @Test func oneThatHangsIsKilledWithItsChildren() throws {
        let finished = try Subprocess.finish("/bin/sh", ["-c", "sleep 600 & sleep 600"], seconds: 0.2)
        #expect(finished.ending == .timedOut)
    }

    @Test func aProgramIsStartedOnceItsFileIsNoLongerWrittenTo() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/program"
        try Files.write("#!/bin/sh\n".utf8, to: path)
        chmod(path, 0o755)
        let writer = open(path, O_WRONLY | O_CLOEXEC)
        try #require(writer >= 0)
        // For ever is an error that says so.
        do {
            _ = try Subprocess.finish(path, [], seconds: 60)
            Issue.record("it ran while its file was open for writing")
        } catch { #expect(error.errno == ETXTBSY) }
        // A program that holds it for a while is what a fork of another thread is.
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        let holder = try Spawn.start(
            "/bin/sh", ["-c", "sleep 0.2"],
            streams: Spawn.Streams(input: nothing, output: nothing, errors: nothing, report: writer))
        close(writer)
        #expect(try Subprocess.finish(path, [], seconds: 60).ending == .exited(0))
        #expect(try Spawn.wait(for: holder, seconds: 60) == .exited(0))
        close(nothing)
    }

    /// Starts a shell that ends once something is written to what is returned beside it.
    private func waitingShell() throws -> (child: pid_t, end: Int32) {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        _ = fcntl(ends[1], F_SETFD, FD_CLOEXEC)
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { for descriptor in [nothing, ends[0]] { close(descriptor) } }
        let child = try Spawn.start(
            "/bin/sh", ["-c", "read -r line; exit 3"],
            streams: Spawn.Streams(input: ends[0], output: nothing, errors: nothing))
        return (child, ends[1])
    }

    @Test(.timeLimit(.minutes(2))) func theEndOfAProgramEndsTheWaitAndNoIntervalDoes() throws {
        let (child, end) = try waitingShell()
        let watch = Spawn.watch(child)
        defer { for descriptor in [watch, end] { close(descriptor) } }
        try #require(watch >= 0)
        var usage = Spawn.Usage()
        var asked = 0
        // It asks once, which lets the program end; the next time would be in an hour.
        let ending = try Spawn.wait(
            for: child, group: child, seconds: 7200, usage: &usage, watch: watch, interval: 3_600_000
        ) {
            asked += 1
            _ = write(end, "\n", 1)
            return false
        }
        #expect(ending == .exited(3))
        #expect(asked == 1)
    }

    @Test func whereNothingTellsTheEndItIsLookedFor() throws {
        let (child, end) = try waitingShell()
        defer { close(end) }
        var usage = Spawn.Usage()
        var asked = 0
        let ending = try Spawn.wait(
            for: child, group: child, seconds: 60, usage: &usage, watch: -1, interval: 3_600_000
        ) {
            asked += 1
            if asked == 2 { _ = write(end, "\n", 1) }
            return false
        }
        #expect(ending == .exited(3))
        #expect(asked >= 2)
    }

    @Test func aProgramThatIsNoLongerWantedIsKilledWithWhatItStarted() throws {
        // The grandchild holds the descriptor: that it reads as ended proves that it was killed too.
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { close(ends[0]) }
        let nothing = open("/dev/null", O_RDONLY)
        let child = try Spawn.start(
            "/bin/sh", ["-c", "sleep 1000 & sleep 1000"],
            streams: Spawn.Streams(input: nothing, output: ends[1], errors: ends[1]))
        close(ends[1])
        close(nothing)
        #expect(try Spawn.wait(for: child, seconds: 600, isUnwanted: { true }) == .timedOut)
        var byte: UInt8 = 0
        #expect(read(ends[0], &byte, 1) == 0)
    }

    @Test func aProgramStartsWithDefaultSignalsWhateverThisThreadBlocks() throws {
        var (blocked, before) = (sigset_t(), sigset_t())
        sigemptyset(&blocked)
        sigaddset(&blocked, SIGTERM)
        pthread_sigmask(SIG_BLOCK, &blocked, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let finished = try Subprocess.finish("/bin/sh", ["-c", "kill -TERM $$; echo survived"], seconds: 60)
        #expect(finished.ending == .signalled(SIGTERM))
        #expect(finished.output.isEmpty)
    }

    @Test func theReportIsDescriptorThree() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        let writing = fcntl(ends[1], F_DUPFD_CLOEXEC, 100)
        let reading = fcntl(ends[0], F_DUPFD_CLOEXEC, 100)
        for end in ends { close(end) }
        defer { close(reading) }
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        let child = try Spawn.start(
            "/bin/sh", ["-c", "echo reported >&3"],
            streams: Spawn.Streams(input: nothing, output: nothing, errors: nothing, report: writing))
        close(writing)
        close(nothing)
        #expect(try Spawn.wait(for: child, seconds: 60) == .exited(0))
        var text = [UInt8](repeating: 0, count: 64)
        let count = read(reading, &text, text.count)
        #expect(String(decoding: text.prefix(max(0, count)), as: UTF8.self) == "reported\n")
    }

    @Test func aProgramThatDoesNotExistIsNamed() {
        let message = message { _ = try Subprocess.finish("/nonexistent/tool", [], seconds: 1) }
        #expect(message == "cannot start /nonexistent/tool: No such file or directory")
    }

    @Test func aVariableThatIsChangedIsThereOnce() {
        let settings = Spawn.environment(changing: ["PATH": "/nowhere"])
        #expect(settings.filter { $0.hasPrefix("PATH=") } == ["PATH=/nowhere"])
    }
}
