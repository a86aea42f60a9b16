// Programs of real Gos that are refused.

import GoBinary
import TestNeeds
import Testing
import Workloads

@Suite("Refused programs") struct RefusalTests {
    private func refusal(_ content: [UInt8]) -> String {
        do throws(GoBinaryError) {
            _ = try GoExecutable(content).stripped()
            return "nothing is refused"
        } catch {
            return error.description
        }
    }

    /// Only Debian's: the settings that say so have been the same since, and each build takes its own standard library.
    @Test(.needs(GoInstallation.debian.need)) func aRaceDetectorIsRefused() throws {
        let path = try GoInstallation.debian.program(.race)
        #expect(refusal(try content(path)) == "built with -race, whose own code knows the stacks; build it without")
    }

    /// Without the settings, which a linker may leave out, its code still tells.
    @Test(.needs(GoInstallation.debian.need)) func aRaceDetectorWithoutSettingsIsRefused() throws {
        var bytes = try content(try GoInstallation.debian.program(.race))
        let setting = Array("build\t-race=true".utf8)
        // The program has it twice, once for itself.
        let places = bytes.ranges(of: setting)
        #expect(!places.isEmpty)
        for place in places {
            bytes.replaceSubrange(place, with: Array("build\t-nope=true".utf8))
        }
        #expect(
            refusal(bytes)
                == "built with a detector of errors (runtime.racecall), whose own code knows the stacks; build it "
                + "without"
        )
    }

    @Test(arguments: GoInstallation.thorough) func aCopyIsRefused(_ go: GoInstallation) throws {
        let path = try go.program(.small)
        let copy = try GoExecutable(try content(path)).stripped()
        #expect(refusal(copy.content) == "its checks are gone already: it was made by 'faultline go strip'")
    }

    /// No note, whose header is taken elsewhere: Go until 1.26 has another that no program needs, later ones have room.
    @Test(
        arguments: GoInstallation.thorough.flatMap { go in
            [GoInstallation.Mode.withoutNote, .pieWithoutNote].map { (go, $0) }
        }, [StripOptions.Growth.none, .fault])
    func programsWithoutANoteAreChanged(
        _ program: (go: GoInstallation, mode: GoInstallation.Mode), _ growth: StripOptions.Growth
    ) throws {
        if growth == .fault { try Need.wrgsbase.check() }
        let path = try program.go.program(program.mode)
        let copy = try GoExecutable(try content(path)).stripped(StripOptions(growth: growth))
        let folder = try TemporaryFolder()
        let result = try run(try folder.executable(copy.content), ["frames"])
        let original = try run(path, ["frames"])
        #expect(result.ending == .exited(0) && result.output == original.output, "\(result)")
    }

    /// Any part of a real file.
    @Test(.needs(GoInstallation.newest.need)) func truncatedProgramsAreRefused() throws {
        let whole = try content(try GoInstallation.newest.program(.small))
        for part in 1..<16 {
            let refusal = refusal(Array(whole[..<(whole.count * part / 16)]))
            #expect(refusal.hasPrefix("the file is damaged: "), "\(part): \(refusal)")
        }
    }
}
