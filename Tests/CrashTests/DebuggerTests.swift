import Glibc
import Processes
import TestNeeds
import Testing

/// The commands of scripts/gdb, on FaultChild's coroutines: two suspended on each of five strategies, one that
/// hibernates, one that was not started, and on another thread one that runs and the one that has resumed it.
@Suite("gdb commands", .needs(.gdb)) struct DebuggerCommands {
    private static let script =
        #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 } + "/scripts/gdb/faultline.py"
    private static let strategies = ["fixed", "demand", "grows-down", "fault", "fault-move"]
    private static let counts = "14 coroutines: 1 created, 1 hibernated, 2 running, 10 suspended"
    private static let hibernated = 10, created = 11, running = 12, resumer = 13

    /// What gdb writes for each command, in order.
    private func outputs(_ before: [String], _ commands: [String], _ program: [String]) throws -> [String] {
        let marked = commands.flatMap { ["-ex", "echo <command>\\n", "-ex", $0] }
        let gdb = try #require(Need.path(of: "gdb"))
        let result = try ChildProcess.run(
            program: gdb,
            ["-nx", "-batch", "-ex", "handle SIGSEGV nostop noprint pass"] + before + ["-x", Self.script] + marked
                + program, seconds: 120)
        let parts = result.output.split(separator: "<command>", omittingEmptySubsequences: false).dropFirst()
        try #require(parts.count == commands.count, "\(result.output.suffix(4000))")
        return parts.map(String.init)
    }

    private func live(_ commands: [String]) throws -> [String] {
        try outputs(["-ex", "run"], commands, ["--args", ChildProcess.faultChild, "coroutines", "2", "none"])
    }

    private func expect(_ output: String, has texts: [String], sourceLocation: SourceLocation = #_sourceLocation) {
        var rest = Substring(output)
        for text in texts {
            let found = rest.firstRange(of: text)
            #expect(found != nil, "no \(text), in order, in: \(output.suffix(4000))", sourceLocation: sourceLocation)
            if let found { rest = rest[found.upperBound...] }
        }
    }

    private func line(of number: Int, in list: String) throws -> Substring {
        try #require(list.split(separator: "\n").first { $0.drop { $0 == " " }.hasPrefix("\(number) ") }, "\(list)")
    }

    @Test("a process's coroutines are listed, by state, strategy and function") func list() throws {
        let list = try live(["faultline coroutines"])[0]
        #expect(list.contains(Self.counts), "\(list)")
        for (index, strategy) in Self.strategies.enumerated() {
            for number in [2 * index, 2 * index + 1] {
                try expect(
                    String(line(of: number, in: list)), has: ["suspended", strategy, "0x", "1 LWP", "parkInner"])
            }
        }
        try expect(String(line(of: Self.hibernated, in: list)), has: ["hibernated", "LWP"])
        try expect(String(line(of: Self.created, in: list)), has: ["created"])
        // Its owner is the second thread that had coroutines.
        try expect(String(line(of: Self.running, in: list)), has: ["running", "2 LWP"])
        try expect(String(line(of: Self.resumer, in: list)), has: ["resumed \(Self.running)", "LWP", "runOuter"])
    }

    private static let suspended = [
        "(suspended)", "parkInner", "parkOuter", "parkOuter", "parkOuter", "fl_fiber_entry",
    ]

    @Test("the frames of each are shown, and the thread stays where it was") func backtraces() throws {
        let numbers = (0...Self.resumer).map { "faultline backtrace \($0)" }
        let place = ["print $rip", "print $rsp", "backtrace"]
        let all = try live(["frame 2"] + place + numbers + ["faultline backtrace all"] + place).dropFirst().map { $0 }
        let (before, after) = (all.prefix(3), all.suffix(3))
        for (one, other) in zip(before, after) {
            // But for the numbers of gdb's values.
            #expect(one.replacing(#/\$\d+ = /#, with: "") == other.replacing(#/\$\d+ = /#, with: ""))
        }
        let shown = all.dropFirst(3).prefix(numbers.count).map { $0 }
        for number in 0..<Self.hibernated {
            expect(shown[number], has: ["coroutine \(number) "] + Self.suspended)
            #expect(shown[number].split(separator: "\n").count { $0.contains("parkOuter") } == 3)
        }
        expect(shown[Self.hibernated], has: ["(hibernated)", "in the store"])
        expect(shown[Self.created], has: ["(created)", "not started"])
        expect(shown[Self.running], has: ["(running, thread ", "abort", "runInner", "fl_fiber_entry"])
        expect(shown[Self.resumer], has: ["has resumed \(Self.running)", "runOuter", "fl_fiber_entry"])
        // One after another, with the same frames.
        let texts = shown.map { $0.drop { $0 == "\n" } }
        expect(all[3 + numbers.count], has: texts.map(String.init))
    }

    @Test("a core file has the frames of those that ran, and says of the others that it has not", .needs(.coreFile))
    func core() throws {
        let folder = try TemporaryFolder()
        try expectChild("coroutines 2 \(folder.path)", ends: .signalled(SIGABRT), seconds: 60)
        let core = try CoreFiles.core(in: folder.path)
        let numbers = [2, 4, Self.hibernated, Self.running, Self.resumer]
        let commands = ["coroutines"] + numbers.map { "backtrace \($0)" }
        let all = try outputs([], commands.map { "faultline \($0)" }, [ChildProcess.faultChild, core])
        expect(all[0], has: [Self.counts])
        expect(all[1], has: ["coroutine 2 (suspended)", "its memory is not in the core file"])
        expect(all[2], has: ["coroutine 4 "] + Self.suspended)  // its memory is no arena's
        expect(all[3], has: ["in the store"])
        expect(all[4], has: ["(running, thread ", "abort", "runInner", "fl_fiber_entry"])
        expect(all[5], has: ["has resumed \(Self.running)", "runOuter", "fl_fiber_entry"])
    }

    @Test("what cannot be shown gets one line") func refusals() throws {
        let refused = try live(["faultline backtrace 99", "faultline backtrace x", "faultline coroutines x"])
        expect(refused[0], has: ["faultline: there is no coroutine 99"])
        expect(refused[1], has: ["takes the number of a coroutine or `all`"])
        expect(refused[2], has: ["takes nothing or `all`"])
        expect(try outputs([], ["faultline coroutines"], [])[0], has: ["there is no process and no core file"])
        let other = try outputs(["-ex", "starti"], ["faultline coroutines"], ["--args", "/bin/true"])
        expect(other[0], has: ["no symbols of the library"])
        for output in refused + other { #expect(!output.contains("Traceback"), "\(output)") }
    }
}
