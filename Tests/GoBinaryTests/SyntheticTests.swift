// Reading and changing a program of two kilobytes, of which each byte is known, and what is refused.

import Foundation
import Testing

@testable import GoBinary

@Suite("A synthetic program") struct SyntheticTests {
    /// Files that the fuzz target starts from.
    private static let corpus = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Corpus")

    /// The one line that a file is refused with.
    private func refusal(_ program: SyntheticProgram, _ options: StripOptions = StripOptions()) -> String {
        refusal(program.bytes(), options)
    }

    private func refusal(_ bytes: [UInt8], _ options: StripOptions = StripOptions()) -> String {
        do throws(GoBinaryError) {
            _ = try GoExecutable(bytes).stripped(options)
            return "nothing is refused"
        } catch {
            let isOneLine = !error.description.contains { $0.isNewline }
            #expect(isOneLine)
            return error.description
        }
    }

    @Test func aProgramIsReadAndChanged() throws {
        let program = try GoExecutable(SyntheticProgram().bytes())
        let census = GoCensus(program)
        #expect(census.total.functions == 16 && census.notUnderstood == 0)
        #expect(census.classes[.small]?.checks == 7)
        #expect(census.classes[.medium]?.checks == 1 && census.classes[.large]?.checks == 1)
        #expect(census.largestFrames.first?.name == "main.large" && census.largestFrames.first?.frameSize == 20_000)
        let stripped = try program.stripped()
        // Neither the sweeper's nor the large frame's, nor that of stackfree, which became a jump.
        #expect(stripped.replaced == 6 && Set(stripped.left.map(\.function)) == ["main.large", "runtime.sweepone"])
        #expect(stripped.stackRequests == [2048])
        #expect(refusal(stripped.content).contains("its checks are gone already"))
    }

    @Test func theCorpusHasIt() throws {
        let file = Self.corpus.appending(path: "synthetic")
        if ProcessInfo.processInfo.environment["FAULTLINE_WRITE_CORPUS"] == "1" {
            try Data(SyntheticProgram().bytes()).write(to: file)
        }
        #expect(try [UInt8](Data(contentsOf: file)) == SyntheticProgram().bytes())
    }

    /// Files that once found something, or that reach a refusal of their own.
    @Test func theCorpusIsRefusedInOneLineOrChanged() throws {
        let files = try FileManager.default.contentsOfDirectory(at: Self.corpus, includingPropertiesForKeys: nil)
        #expect(files.count > 5)
        for file in files { _ = refusal([UInt8](try Data(contentsOf: file))) }
    }

    @Test(arguments: ["go1.18.1", "go1.20.3", "go1.28.0", "go1.27.3 X:nocoverageredesign", "go2.1", "go1", "go1.27rc1"])
    func otherVersionsAreRefused(_ version: String) {
        var program = SyntheticProgram()
        program.version = version
        #expect(
            refusal(program)
                == "built by '\(version)'; versions that are tested: 1.19, 1.21, 1.22, 1.23, 1.24, 1.25, 1.26, 1.27")
    }

    @Test func developmentVersionsAreRefused() {
        var program = SyntheticProgram()
        program.version = "devel"
        #expect(refusal(program) == "no released version of Go built it")
    }

    @Test(arguments: ["-race", "-msan", "-asan"]) func detectorsAreRefused(_ detector: String) {
        var program = SyntheticProgram()
        program.settings.append("\(detector)=true")
        #expect(refusal(program) == "built with \(detector), whose own code knows the stacks; build it without")
        program = SyntheticProgram()
        program.functions.append(.init(name: "runtime.\(detector.dropFirst())call", frame: 0, code: [.bytes([0xc3])]))
        #expect(refusal(program).hasPrefix("built with a detector of errors"))
    }

    @Test func librariesAreRefused() {
        var program = SyntheticProgram()
        program.settings = ["-buildmode=c-shared"]
        #expect(refusal(program) == "built with -buildmode=c-shared; only executables are understood")
    }

    @Test func whatIsNoGoProgramForThisProcessorIsRefused() {
        #expect(refusal([]) == "not an ELF executable")
        #expect(refusal(Array("#!/bin/sh\n".utf8)) == "not an ELF executable")
        var program = SyntheticProgram()
        program.machine = 183
        #expect(refusal(program) == "not for x86-64; only Linux amd64 executables are understood")
        var packed = SyntheticProgram().bytes()
        let magic = packed.firstRange(of: Array(" Go buildinf:".utf8))!
        packed.replaceSubrange(magic, with: [UInt8](repeating: 7, count: magic.count))
        #expect(refusal(packed) == "not built by Go, or packed: there is no build information in it")
    }

    /// Without any one of the functions that are changed nothing is written.
    @Test(
        arguments: [
            "malg", "stackalloc", "stackfree", "sigtramp", "sigtrampgo", "shrinkstack",
            "gcComputeStartingStackSize", "sweepone", "morestack_noctxt", "systemstack",
        ]) func aMissingFunctionIsRefused(_ name: String)
    {
        var program = SyntheticProgram()
        let index = program.functions.firstIndex { $0.name == "runtime.\(name)" }!
        program.functions[index].name = "runtime.other\(name)"
        #expect(refusal(program) != "nothing is refused")
    }

    @Test func aCallOfMorestackFromElsewhereIsRefused() {
        var program = SyntheticProgram()
        program.functions.append(
            .init(
                name: "main.odd", frame: 8,
                code: [.bytes([0x90]), .branch([0xe8], "runtime.morestack"), .bytes([0xc3])]))
        #expect(
            refusal(program)
                == "the check of main.odd is not understood: it calls morestack from elsewhere than a check")
    }

    /// The bytes of a displacement within another instruction are no call.
    @Test func aNumberThatLooksLikeACallIsNone() throws {
        var program = SyntheticProgram()
        // mov rax, imm64 around e8 and a displacement.
        program.functions.append(
            .init(
                name: "main.number", frame: 8,
                code: [.bytes([0x48, 0xb8, 0x01]), .branch([0xe8], "runtime.morestack"), .bytes([0, 0, 0xc3])]))
        #expect(refusal(program) == "nothing is refused")
    }

    @Test(arguments: [0, 1, 65537, 32 << 10, 2 << 30]) func otherSizesAreRefused(_ size: Int) {
        #expect(
            refusal(SyntheticProgram(), StripOptions(initial: size)).contains("is no power of two from 64KiB to 1GiB"))
    }

    @Test func everyTruncationIsRefused() {
        let whole = SyntheticProgram().bytes()
        for length in 0..<whole.count { #expect(refusal(Array(whole[..<length])) != "nothing is refused") }
    }

    /// Every aligned field set to extremes, one at a time.
    @Test func extremesEndInOneLine() {
        let whole = SyntheticProgram().bytes()
        for offset in stride(from: 0, to: whole.count - 8, by: 4) {
            for value: UInt64 in [0, 0x7fff_ffff_ffff_ffff, 0xffff_ffff_ffff_ffff, 0x7fff_ffff, 1 << 47 - 1] {
                var bytes = whole
                for index in 0..<8 { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
                _ = refusal(bytes)
            }
        }
    }
}
