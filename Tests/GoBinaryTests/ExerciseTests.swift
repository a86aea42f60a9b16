// A program that does whatever concerns stacks behaves as before without its checks.

import GoBinary
import TestNeeds
import Testing
import Workloads

@Suite("Patched programs behave as before") struct ExerciseTests {
    /// Runs `path` and a copy of it by turns.
    private func expectEqualOutput(
        _ path: String, _ options: StripOptions, runs: Int, stack: Int = 32 << 10,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let original = try run(path, ["work", "\(stack)"])
        try #require(
            original.ending == .exited(0) && original.output.contains("foreign"), "\(original)",
            sourceLocation: sourceLocation)
        let folder = try TemporaryFolder()
        let copy = try folder.executable(try GoExecutable(try content(path)).stripped(options).content)
        for index in 0..<runs {
            let patched = try run(copy, ["work", "\(stack)"])
            try #require(
                patched.ending == .exited(0) && patched.output == original.output && patched.errors == original.errors,
                "run \(index): \(patched)", sourceLocation: sourceLocation)
        }
    }

    /// Together with the other tests here, more than two hundred runs of patched programs. What the release build
    /// changes is not in them, so that its tests run each a single time.
    private static func runs(_ number: Int) -> Int {
        #if DEBUG
            number
        #else
            1
        #endif
    }

    @Test(.long, .needs(GoInstallation.newest.need), arguments: [64 << 10, 128 << 10, 256 << 10, 64 << 20])
    func programsOfTheNewestGoBehaveAsBeforeOverAndOver(_ initial: Int) throws {
        let path = try GoInstallation.newest.program()
        try expectEqualOutput(path, StripOptions(initial: initial), runs: Self.runs(20))
    }

    @Test(.long, arguments: GoInstallation.all) func programsOfEveryVersionBehaveAsBefore(_ go: GoInstallation) throws {
        let path = try go.program()
        try expectEqualOutput(path, StripOptions(initial: 64 << 10), runs: Self.runs(5))
        try expectEqualOutput(path, StripOptions(), runs: Self.runs(2), stack: 180 << 10)
        try expectEqualOutput(path, StripOptions(keepsRuntime: true), runs: Self.runs(2))
        try expectEqualOutput(path, StripOptions(checks: .equal), runs: Self.runs(2))
    }

    @Test(
        .long, arguments: GoInstallation.thorough,
        [GoInstallation.Mode.small, .pie, .cgo, .cgoPie]
    ) func programsOfEveryModeBehaveAsBefore(_ go: GoInstallation, _ mode: GoInstallation.Mode) throws {
        let path = try go.program(mode)
        try expectEqualOutput(path, StripOptions(initial: 64 << 10), runs: Self.runs(5))
        try expectEqualOutput(path, StripOptions(), runs: Self.runs(5))
    }

    /// Sections are no part of what runs.
    @Test(arguments: GoInstallation.thorough) func programsWithoutSectionsBehaveAsBefore(_ go: GoInstallation) throws {
        let path = try go.program()
        var bytes = try content(path)
        // e_shoff, e_shentsize, e_shnum, e_shstrndx
        for place in Array(40..<48) + Array(58..<64) { bytes[place] = 0 }
        let folder = try TemporaryFolder()
        try expectEqualOutput(try folder.executable(bytes), StripOptions(), runs: Self.runs(3))
    }

    /// Stacks end and their memory becomes the heap's, where a guard that was left would be fatal.
    @Test(.long, arguments: GoInstallation.all) func stacksBecomeHeap(_ go: GoInstallation) throws {
        let path = try go.program()
        let folder = try TemporaryFolder()
        let copy = try folder.executable(try GoExecutable(try content(path)).stripped().content)
        let result = try run(copy, ["churn", "2"])
        #expect(result.ending == .exited(0) && result.output == "churned 2\n", "\(result)")
    }

    /// A goroutine that waits has one page of its stack and Go's own records of it, as before, but not two pages.
    @Test(arguments: GoInstallation.all) func aParkedGoroutineTakesOnePage(_ go: GoInstallation) throws {
        let path = try go.program()
        let folder = try TemporaryFolder()
        let copy = try folder.executable(try GoExecutable(try content(path)).stripped().content)
        let result = try run(copy, ["parked", "20000"])
        let bytes = try #require(Int(result.output.dropLast()), "\(result)")
        #expect(bytes > 4096 && bytes < 8192)
    }
}
