import GoBinary
import Peers
import Processes
import TestNeeds
import Testing
import Workloads

@testable import Experiments

@Suite("Go programs") struct GoProgramTests {
    private static func laboratory() -> Laboratory { Laboratory(isQuick: true, seed: 1, progress: { _ in }) }

    @Test(.needs(.go))
    func aPatchedCopyIsMadeOnceAndWorks() throws {
        let gofmt = try #require(GoTool.all(Self.laboratory(), ["gofmt"]).first)
        let options = StripOptions(initial: PatchedPrograms.initial)
        let programs = try PatchedPrograms()
        let copy = try programs.copy(of: gofmt.path, options)
        #expect(try programs.copy(of: gofmt.path, options) == copy)
        #expect(try programs.copy(of: gofmt.path, StripOptions(initial: 1 << 20, checks: .equal)) != copy)
        let arguments = ["-d", "\(gofmt.toolchain.root)/src/sort/sort.go"]
        let finished = try [gofmt.path, copy].map { try Subprocess.finish($0, arguments, seconds: 60) }
        #expect(finished[0].ending == .exited(0) && finished[1].ending == .exited(0))
        #expect(finished[0].output == finished[1].output)
    }

    @Test func whatIsNoGoProgramIsSaidInOneLine() throws {
        let programs = try PatchedPrograms()
        #expect(throws: ProcessError.self) { try programs.copy(of: "/bin/true", StripOptions()) }
        #expect(throws: ProcessError.self) { try programs.copy(of: "/nonexistent", StripOptions()) }
    }

    @Test(.needs(.go))
    func checksAreAPartOfWhatIsExecuted() throws {
        let laboratory = Self.laboratory()
        let gofmt = try #require(GoTool.all(laboratory, ["gofmt"]).first)
        let job = try #require(gofmt.counted)
        let execution = try GoCheckExecution.count(of: gofmt.path, job, laboratory)
        // Two instructions for each of many functions that are called.
        #expect(execution.checks > 0.005 * execution.total && execution.checks < 0.2 * execution.total)
        #expect(execution.passes > 0 && execution.checks >= 2 * execution.passes)
        #expect(execution.checks < 5 * execution.passes)
    }

    @Test(.needs(.go))
    func aToolThatIsNotThereIsMissing() {
        let laboratory = Self.laboratory()
        #expect(GoTool.all(laboratory, ["dance"]).isEmpty)
        #expect(laboratory.missingHere.first?.hasPrefix("dance of go1.") == true)
    }
}
