// Handlers of others: what was there before is called as the kernel would, what comes later is noticed.
import Faultline
import Glibc
import TestNeeds
import Testing

private enum Kind {
    static let info = 1, nodefer = 2, reset = 4, masksUSR1 = 8, returns = 16, onStack = 32
}

@Suite struct PreviousHandlers {
    @Test(arguments: [0, 1, 2, 3, 8, 9, 10, 11, 33, 43], [("thread"), ("fault")])
    func aPreviousHandlerIsCalledWithItsFlagsAndMask(_ kind: Int, on place: String) throws {
        let selfBlocked = kind & Kind.nodefer != 0 ? 0 : 1
        let other = kind & Kind.masksUSR1 != 0 ? 1 : 0
        let facts = kind & Kind.info != 0 ? " code=1 address=8" : ""
        try expectChild(
            "previous \(SIGSEGV) \(kind) nil-read \(place)", ends: .exited(7),
            writes: [
                "handler signal=b\(facts) blocked-self=\(selfBlocked) blocked-usr1=\(other) blocked-usr2=0 calls=1\n"
            ])
    }

    @Test(arguments: [0, 1]) func aPreviousHandlerIsCalledForBusErrors(_ kind: Int) throws {
        try expectChild("previous \(SIGBUS) \(kind) beyond-file", ends: .exited(7), writes: ["handler signal=7"])
    }

    @Test(arguments: [
        Kind.returns | Kind.reset, Kind.returns | Kind.reset | Kind.info, Kind.returns | Kind.reset | Kind.nodefer,
    ])
    func aHandlerThatResetsItselfIsCalledOnce(_ kind: Int) throws {
        let result = try expectChild(
            "previous \(SIGSEGV) \(kind) nil-read", ends: .signalled(SIGSEGV), writes: ["calls=1"])
        #expect(!result.output.contains("calls=2"))
    }

    @Test func aHandlerThatReturnsFromASentSignalLetsTheProcessGoOn() throws {
        try expectChild(
            "previous \(SIGSEGV) \(Kind.returns) raise-segv", ends: .exited(1), writes: ["calls=1", "survived"],
            never: [])
    }

    @Test func anIgnoredFaultStillEndsTheProcess() throws {
        try expectChild("ignored \(SIGSEGV) nil-read", ends: .signalled(SIGSEGV))
        try expectChild("ignored \(SIGBUS) beyond-file", ends: .signalled(SIGBUS))
    }

    @Test(arguments: [SIGSEGV, SIGBUS]) func anIgnoredSentSignalIsIgnored(_ signal: Int32) throws {
        try expectChild("ignored \(signal) sent", ends: .exited(0), writes: ["ignored", "done"])
    }

    @Test func aReplacedHandlerIsNoticedAndCanBeInstalledAgain() throws {
        try expectChild("replaced", ends: .exited(7), writes: ["handler signal=b code=1 address=8"])
    }
}

@Suite struct ProcessWide {
    @Test func errnoSurvivesATrap() throws { try expectChild("errno", ends: .exited(0), writes: ["done"]) }

    @Test func aChildOfForkUsesMovingStacks() throws { try expectChild("fork", ends: .exited(0), writes: ["done"]) }

    @Test(arguments: PageMover.allCases) func forkWorksInsideAMovingStack(_ mover: PageMover) throws {
        try expectChild("fork-inside \(mover.rawValue)", ends: .exited(0), writes: ["done"])
    }

    @Test func theMakerOfAnArenaMayBeLostByFork() throws {
        try expectChild("fork-while-making", ends: .exited(0), writes: ["done"])
    }

    @Test func threadsLeaveNoMappingsBehind() throws {
        try expectChild("threads", ends: .exited(0), writes: ["mappings before="])
    }

    @Test func noStackIsExecutable() throws {
        let result = try expectChild("print-mappings", ends: .exited(0))
        let lines = result.output.split(separator: "\n")
        #expect(lines.contains { $0.contains("[stack]") && $0.contains(" rw-p ") })
        #expect(!lines.contains { $0.split(separator: " ").dropFirst().first?.hasPrefix("rwx") == true })
    }

    @Test(.needs(.readelf))
    func theProgramHeaderAsksForNoExecutableStack() throws {
        let path = try #require(Need.path(of: "readelf") ?? Need.path(of: "llvm-readelf"))
        let result = try ChildProcess.run(program: path, ["-lW", ChildProcess.faultChild])
        let line = try #require(result.output.split(separator: "\n").first { $0.contains("GNU_STACK") })
        #expect(line.contains(" RW ") && !line.contains("RWE"))
    }

    @Test(.needs(.gdb))
    func theDebuggerShowsTheCoroutinesFramesAndTheResumersBelow() throws {
        let gdb = try #require(Need.path(of: "gdb"))
        let result = try ChildProcess.run(
            program: gdb,
            ["-nx", "-batch", "-ex", "run", "-ex", "backtrace", "--args", ChildProcess.faultChild, "debugger"],
            seconds: 120)
        // SIGSEGV stops the program inside the coroutine. Its entry is marked as a signal frame, the one kind of frame
        // below which a debugger accepts another stack.
        let frames = [
            "ts_read_byte", "debuggerInner", "debuggerOuter", "<signal handler called>", "debuggerResumer", "main",
        ]
        var rest = Substring(result.output)
        for frame in frames {
            let found = rest.firstRange(of: frame)
            #expect(found != nil, "no frame \(frame), in order, in: \(result.output.suffix(4000))")
            if let found { rest = rest[found.upperBound...] }
        }
        #expect(!result.output.contains("inner to this frame") && !result.output.contains("corrupt stack"))
    }
}
