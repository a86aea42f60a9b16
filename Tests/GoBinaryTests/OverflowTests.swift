// The end of a stack ends the program and nothing else: no neighbour is overwritten first.

import GoBinary
import TestNeeds
import Testing
import Workloads

@Suite("Overflow of a patched program") struct OverflowTests {
    private func expectOverflow(
        _ path: String, _ mode: String, _ initial: Int, _ size: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let folder = try TemporaryFolder()
        let copy = try folder.executable(
            try GoExecutable(try content(path)).stripped(StripOptions(initial: initial)).content)
        let result = try run(copy, [mode])
        #expect(result.ending == .exited(2), "\(result)", sourceLocation: sourceLocation)
        // The goroutines that watch their stacks found nothing.
        #expect(result.output == "ready\n", sourceLocation: sourceLocation)
        #expect(
            result.errors == "fatal error: stack overflow: the goroutine used up its stack of \(size); "
                + "this program has no stack checks: strip it again with a larger --initial\n",
            sourceLocation: sourceLocation)
    }

    @Test(.long, arguments: GoInstallation.all, ["overflow", "overflow-large"])
    func anOverflowEndsTheProgram(_ go: GoInstallation, _ mode: String) throws {
        let path = try go.program()
        try expectOverflow(path, mode, 64 << 10, "64KiB")
        try expectOverflow(path, mode, StripOptions.defaultInitial, "1MiB")
    }

    @Test(.long, arguments: GoInstallation.thorough, [GoInstallation.Mode.cgo, .pie, .cgoPie])
    func anOverflowEndsTheProgramInEveryMode(_ go: GoInstallation, _ mode: GoInstallation.Mode) throws {
        let path = try go.program(mode)
        try expectOverflow(path, "overflow", 1 << 20, "1MiB")
        try expectOverflow(path, "overflow-large", 1 << 20, "1MiB")
    }

    /// A stack that C uses up, or faults on near its end, ends as in the original: it is a thread's, not a goroutine's.
    @Test(arguments: GoInstallation.thorough, ["go", "c", "c-own"])
    func anOverflowOfAThreadIsNamedAsBefore(_ go: GoInstallation, _ place: String) throws {
        let path = try go.program(.cgo)
        let folder = try TemporaryFolder()
        let copy = try folder.executable(
            try GoExecutable(try content(path)).stripped(StripOptions(initial: 64 << 10)).content)
        let original = try run(path, ["overflow-foreign", place])
        let patched = try run(copy, ["overflow-foreign", place])
        #expect(original.ending != .exited(0) && original.ending == patched.ending, "\(original) \(patched)")
        let expected = original.errors.split(separator: "\n").first
        let found = patched.errors.split(separator: "\n").first
        // Go 1.19 guesses where the stack of a thread of C ends, and its own checks find its handler beyond.
        if expected != "fatal: morestack on g0" { #expect(found == expected) }
        #expect(!patched.errors.contains("the goroutine used up its stack"))
    }

    /// Close to the guard there is no room for what a signal that preempts pushes. Such a signal must not be the last
    /// that the thread gets.
    @Test(.long, .unoptimized, arguments: GoInstallation.all)
    func aThreadIsPreemptedAfterItsGoroutineWasAtTheEndOfItsStack(_ go: GoInstallation) throws {
        let path = try go.program()
        let original = try run(path, ["margin", "1000"])
        #expect(original.ending == .exited(0) && original.output == "margin true\n", "\(original)")
        let folder = try TemporaryFolder()
        let copy = try folder.executable(
            try GoExecutable(try content(path)).stripped(StripOptions(initial: 64 << 10)).content)
        // The greatest depth whose frames end above the guard.
        var (depth, tooDeep) = (0, 4096)
        while tooDeep - depth > 1 {
            let middle = (depth + tooDeep) / 2
            let result = try run(copy, ["margin", "\(middle)"])
            if result.ending == .exited(2) {
                #expect(result.errors.hasPrefix(StripOptions.overflowStart), "\(result)")
                tooDeep = middle
            } else {
                #expect(result.ending == .exited(0) && result.output == "margin true\n", "\(middle): \(result)")
                depth = middle
            }
        }
        #expect(depth > 500 && tooDeep < 4096)
    }

    /// Frames of 200 to 260 KiB, on 256 KiB: what ends within the guard grows the stack as before.
    @Test(arguments: GoInstallation.thorough) func aFrameThatEndsInTheGuardGrowsTheStack(_ go: GoInstallation) throws {
        let path = try go.program()
        let folder = try TemporaryFolder()
        let original = try run(path, ["frames"])
        #expect(original.ending == .exited(0) && original.output.split(separator: "\n").count == 2)
        for (index, checks) in StripOptions.Checks.allCases.enumerated() {
            let options = StripOptions(initial: 256 << 10, checks: checks)
            let copy = try folder.executable(
                try GoExecutable(try content(path)).stripped(options).content, "program-\(index)")
            let patched = try run(copy, ["frames"])
            #expect(patched.ending == .exited(0) && patched.output == original.output, "\(patched)")
        }
    }

    /// The frames of the program's `sparse` are as large as a frame without a check may be.
    @Test(.needs(GoInstallation.newest.need)) func theLargeFramesAreNearTheBound() throws {
        let path = try GoInstallation.newest.program()
        let program = try GoExecutable(try content(path))
        let frame = try #require(program.functions.first { $0.function.name == "main.sparse" }?.function.frameSize)
        #expect(frame > 11 << 10 && frame <= 12 << 10)
    }
}
