import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("compile-flags") struct CompileFlagsTests {
    private func verdict(_ frames: [String: Double]) -> ClaimVerdict {
        CompileFlags().verdict(
            on: frames.map { flags, bytes in
                CompileFlags().record(
                    "main.work", .frame, exactly: bytes, [.peer: "go1.27.3", .flags: .string(flags)])
            })
    }

    @Test func halfTheFrameConfirmsIt() {
        #expect(verdict(["no flags": 128, "-l": 96, "-l -s -live": 64]).verdict == .confirmed)
    }

    @Test func theSameFrameRefutesItAndRefusedFlagsAreNamed() {
        let verdict = verdict(["no flags": 96, "-l": 96, "-l -live": 96])
        #expect(verdict.verdict == .refuted)
        #expect(
            verdict.reason
                == "go1.27.3: 96 bytes without flags, 96 with -l, 96 with -l -live; refused: -l -s -live")
    }

    @Test func aFrameIsReadFromTheAssembly() {
        let text =
            "# command-line\nmain.workers STEXT size=0x1 locals=0x8\nmain.work STEXT size=0x96 args=0x8 locals=0x60\n"
        #expect(CompileFlags.frame(of: "main.work", in: text) == 96)
        #expect(CompileFlags.frame(of: "main.other", in: text) == nil)
    }

    @Test func withoutAFrameOrFlagsItIsNotMeasurable() {
        #expect(verdict(["-l": 96]).verdict == .notMeasurable)
        #expect(verdict(["no flags": 96]).verdict == .notMeasurable)
    }
}
