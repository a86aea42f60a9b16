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
        #expect(census.total.functions == 21 && census.notUnderstood == 0)
        #expect(census.classes[.small]?.checks == 7)
        #expect(census.classes[.medium]?.checks == 1 && census.classes[.large]?.checks == 1)
        #expect(census.largestFrames.first?.name == "main.large" && census.largestFrames.first?.frameSize == 20_000)
        let stripped = try program.stripped()
        // Neither the sweeper's nor the large frame's, nor that of stackfree, which became a jump.
        #expect(stripped.replaced == 6 && Set(stripped.left.map(\.function)) == ["main.large", "runtime.sweepone"])
        #expect(stripped.stackRequests == [2048])
        #expect(refusal(stripped.content).contains("its checks are gone already"))
    }

    private static let probes = StripOptions(growth: .fault)

    @Test func aProgramWhoseStacksGrowIsChanged() throws {
        let stripped = try GoExecutable(SyntheticProgram.growing.bytes()).stripped(Self.probes)
        #expect(stripped.replaced == 2)
        let left = Set(stripped.left.map(\.function)).filter { !$0.hasPrefix("runtime.") }
        #expect(left == ["main.large"])
        #expect(refusal(stripped.content, Self.probes).contains("its checks are gone already"))
    }

    /// With a function that has a probe already and calls another one.
    private func programWithProbe(_ distance: Int32 = 2000, callingAssembly: Bool = false) -> SyntheticProgram {
        var program = SyntheticProgram.growing
        let leaf = program.functions.firstIndex { $0.name == "main.leaf" }!
        program.functions[leaf].isAssembly = callingAssembly
        program.functions.append(
            .init(
                name: "main.probed", frame: 1992,
                code: [
                    .bytes([0x65, 0x84, 0x84, 0x24] + (-distance).littleEndianBytes), .branch([0xe8], "main.leaf"),
                    .bytes([0xc3]), .branch([0xe8], "runtime.morestack_noctxt"), .branch([0xe9], "main.probed"),
                ]))
        return program
    }

    @Test func aProbeThatWasCompiledStays() throws {
        let content = programWithProbe().bytes()
        let program = try GoExecutable(content)
        let check = try #require(program.functions.last?.check)
        #expect(check.probeDepth == 2000 - 128 && check.tail == check.address + 14)
        let stripped = try program.stripped(Self.probes)
        #expect(stripped.replaced == 3)
        let offset = try #require(program.file.offset(of: check.address))
        #expect(stripped.content[offset..<offset + 24] == content[offset..<offset + 24])
    }

    /// No compiler knows what is assembly in other packages.
    @Test func aProbeWhereAssemblyIsCalledGivesWayToACheck() throws {
        let program = try GoExecutable(programWithProbe(callingAssembly: true).bytes())
        let check = try #require(program.functions.last?.check)
        let stripped = try program.stripped(Self.probes)
        #expect(
            stripped.left.first { $0.function == "main.probed" }?.reason
                == "it calls assembly, which no signal preempts")
        let copy = try GoExecutable(stripped.content).file
        func instruction(_ address: UInt64) throws -> (instruction: Instruction, target: UInt64?) {
            let offset = try #require(copy.offset(of: address))
            let found = try #require(Instruction(copy.bytes.content[offset...], at: offset))
            let end = address + UInt64(found.length)
            return (found, found.branch.map { end &+ UInt64(bitPattern: Int64($0)) })
        }
        var here = try #require(try instruction(check.address).target)
        let comparison = StackCheck.comparison(2000 - 128)
        let offset = try #require(copy.offset(of: here))
        #expect(copy.bytes.content[offset..<offset + comparison.count].elementsEqual(comparison))
        here += UInt64(comparison.count)
        let branch = try instruction(here)
        #expect(branch.instruction.map == .two && branch.instruction.opcode == 0x86 && branch.target == check.tail)
        let back = try instruction(here + UInt64(branch.instruction.length))
        #expect(back.instruction.isJump && back.target == check.address + 8)
        // Without that rule it stays.
        let all = StripOptions(growth: .fault, keepsRuntime: false)
        #expect(try !program.stripped(all).left.contains { $0.function == "main.probed" })
    }

    @Test func aProbeThatWasCompiledNeedsStacksThatGrow() {
        for options in [StripOptions(), StripOptions(growth: .fault, checks: .equal)] {
            #expect(
                refusal(programWithProbe(), options)
                    == "compiled with probes, which only stacks that grow by faults serve (--growth fault)")
        }
        #expect(refusal(programWithProbe(3288), Self.probes) == "nothing is refused")
        #expect(
            refusal(programWithProbe(3296), Self.probes)
                == "a probe that was compiled reads beyond the guard, which is a page")
    }

    @Test(arguments: [
        "malg", "minit", "mstart1", "copystack", "newstack", "shrinkstack", "stackalloc", "stackfree",
        "freeStackSpans", "exit", "sigtramp", "systemstack", "gcComputeStartingStackSize", "preemptone", "sighandler",
        "doSigPreempt",
    ]) func aMissingFunctionOfGrowthIsRefused(_ name: String) {
        var program = SyntheticProgram.growing
        let index = program.functions.firstIndex { $0.name == "runtime.\(name)" }!
        program.functions[index].name = "other.\(name)"
        #expect(refusal(program, Self.probes) != "nothing is refused")
    }

    /// A thread that C made gets its goroutine there: without the change it would have no GS base.
    @Test func aMissingCallForThreadsOfCIsRefused() {
        var program = SyntheticProgram.growing
        program.functions.append(.init(name: "runtime.cgocallback", frame: 0, code: [.bytes([0xc3])]))
        #expect(refusal(program, Self.probes) == "runtime.needm does not call runtime.minit")
        program.functions.append(
            .init(name: "runtime.needm", frame: 8, code: [.branch([0xe8], "runtime.minit"), .bytes([0xc3])]))
        #expect(refusal(program, Self.probes) == "nothing is refused")
    }

    /// What is cleared when a signal arrives is the word that says that it is under way, or nothing.
    @Test(arguments: ["runtime.preemptone", "runtime.doSigPreempt"], [StripOptions.Growth.none, .fault])
    func anotherWordOfSignalsIsRefused(_ name: String, _ growth: StripOptions.Growth) {
        var program = SyntheticProgram.growing
        let index = program.functions.firstIndex { $0.name == name }!
        program.functions[index].code = program.functions[index].code.map { item in
            guard case .bytes(var bytes) = item, let number = bytes.firstRange(of: [0x94, 3]) else { return item }
            bytes[number.lowerBound] = 0x98
            return .bytes(bytes)
        }
        #expect(
            refusal(program, StripOptions(growth: growth))
                == "where its runtime notes that a signal is under way is not found in it; one that was compiled "
                + "without inlining (-gcflags=all=-l) is not understood")
    }

    @Test(arguments: [StripOptions.Growth.none, .fault])
    func aChangedFunctionThatIsPartOfOthersIsRefused(_ growth: StripOptions.Growth) {
        var program = SyntheticProgram.growing
        program.inlined = "runtime.stackalloc"
        #expect(
            refusal(program, StripOptions(growth: growth))
                == "runtime.stackalloc is part of other functions, too: build it without a profile (-pgo=off)")
        program.inlined = "main.leaf"
        #expect(refusal(program, StripOptions(growth: growth)) == "nothing is refused")
    }

    /// The wrapper of a function for assembly has its name and begins in line 1. In one random layout it came first, so
    /// that its name was a small number, and somewhere in the data stood 0, 27, 0, 1.
    @Test(arguments: [nil, "main.leaf"], [StripOptions.Growth.none, .fault])
    func whatOnlyLooksLikeAnInlinedCallIsNotRefused(_ inlined: String?, _ growth: StripOptions.Growth) {
        var program = SyntheticProgram.growing
        let index = program.functions.firstIndex { $0.name == "runtime.stackalloc" }!
        program.functions[index].startLine = 1
        program.inlined = inlined
        program.lookalike = "runtime.stackalloc"
        #expect(refusal(program, StripOptions(growth: growth)) == "nothing is refused")
    }

    @Test func inlinedCallsThatAreNotUnderstoodAreRefused() {
        var program = SyntheticProgram.growing
        program.inlined = "main.leaf"
        program.kindOfInlined = 256
        #expect(refusal(program).hasSuffix("what it says of inlined functions does not hold together"))
    }

    @Test(arguments: [true, false]) func callersOfAssemblyKeepTheirChecks(_ isDirect: Bool) throws {
        var program = SyntheticProgram.growing
        let leaf = program.functions.firstIndex { $0.name == "main.leaf" }!
        program.functions[leaf].isAssembly = true
        program.functions.append(
            .init(name: "main.between", frame: 0, code: [.branch([0xe9], "main.leaf")]))
        let index = program.functions.firstIndex { $0.name == "main.medium" }!
        program.functions[index].code.insert(.branch([0xe8], isDirect ? "main.leaf" : "main.between"), at: 1)
        let left = try GoExecutable(program.bytes()).stripped(Self.probes).left
        #expect(left.first { $0.function == "main.medium" }?.reason == "it calls assembly, which no signal preempts")
        #expect(!left.contains { $0.function == "main.assembly" })
        let all = StripOptions(growth: .fault, keepsRuntime: false)
        #expect(try !GoExecutable(program.bytes()).stripped(all).left.contains { $0.function == "main.medium" })
    }

    @Test func anotherDistanceOfChecksIsRefused() {
        var program = SyntheticProgram.growing
        let index = program.functions.firstIndex { $0.name == "runtime.malg" }!
        program.functions[index].code.removeAll {
            if case .bytes([0x48, 0x8d, 0x91, 0xa0, 0x03, 0, 0]) = $0 { true } else { false }
        }
        #expect(
            refusal(program, Self.probes) == "what its checks compare with is not 928 bytes above a stack's end")
    }

    /// Its frame ends where a probe of the copy reaches the last byte of a page, or one word further.
    @Test(arguments: [(3160, true), (3168, false)]) func aProbeReachesNoFurtherThanAPage(_ depth: Int, _ isProbe: Bool)
        throws
    {
        var program = SyntheticProgram.growing
        let index = program.functions.firstIndex { $0.name == "main.medium" }!
        let number = withUnsafeBytes(of: Int32(-depth).littleEndian) { Array($0) }
        program.functions[index].code[0] = .check(
            [0x4c, 0x8d, 0xa4, 0x24] + number + [0x4d, 0x3b, 0x66, 0x10], long: true)
        let stripped = try GoExecutable(program.bytes()).stripped(Self.probes)
        #expect(stripped.left.contains { $0.function == "main.medium" } != isProbe)
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

    @Test(arguments: ["go1.18.1", "go1.20.3", "go1.28.0", "go2.1", "go1", "go1.27rc1"])
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
        #expect(
            refusal(program)
                == "no released version of Go built it, or a tool has garbled what it says about that")
    }

    @Test(arguments: ["go1.21.13 X:", "go1.27.3-X:"]) func experimentsAreNamed(_ start: String) {
        var program = SyntheticProgram()
        program.version = "\(start)boringcrypto,nocoverageredesign"
        #expect(
            refusal(program)
                == "built with experiments (boringcrypto,nocoverageredesign), which may change stacks; build it "
                + "without GOEXPERIMENT")
    }

    @Test(arguments: ["freebsd", "dragonfly", "solaris", "illumos", "android"])
    func otherSystemsAreRefused(_ system: String) {
        var program = SyntheticProgram()
        program.settings[2] = "GOOS=\(system)"
        #expect(refusal(program) == "built for \(system); only Linux amd64 executables are understood")
    }

    @Test(arguments: [(2, "NetBSD"), (9, "FreeBSD"), (12, "OpenBSD"), (255, "another system (255 in its header)")])
    func otherSystemsAreRefusedByTheirHeader(_ code: UInt8, _ name: String) {
        var program = SyntheticProgram()
        program.system = code
        #expect(refusal(program) == "for \(name); only Linux amd64 executables are understood")
        program.system = 3
        #expect(refusal(program) == "nothing is refused")
    }

    @Test func aSystemThatIsNotSaidIsKnownByItsCode() {
        var program = SyntheticProgram()
        program.settings = []
        #expect(refusal(program) == "nothing is refused")
        program.functions.removeAll { $0.name == "runtime.rt_sigaction" }
        #expect(
            refusal(program)
                == "not for Linux, or the names of its functions are garbled: it has no runtime.rt_sigaction")
    }

    @Test func garbledNamesAreSaid() {
        var program = SyntheticProgram()
        for index in program.functions.indices where program.functions[index].name.contains("morestack") {
            program.functions[index].name = "q\(index).z"
        }
        #expect(
            refusal(program)
                == "it has no runtime.morestack: the names of its functions are garbled, or it is damaged")
    }

    @Test func whatIsNotLinkedByGoAloneIsRefused() {
        var program = SyntheticProgram()
        program.settings[1] = "-compiler=gccgo"
        #expect(refusal(program) == "built by gccgo; only programs of Go's own compiler, gc, are understood")
        program.settings[1] = "-linkshared=true"
        #expect(
            refusal(program) == "built with -linkshared: the runtime is in another file; build it without")
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
        packed.replaceSubrange(0x1f0..<0x1f4, with: Array("UPX!".utf8))
        #expect(refusal(packed) == "packed by UPX; unpack it first: upx -d")
    }

    /// Without any one of the functions that are changed nothing is written.
    @Test(
        arguments: [
            "malg", "stackalloc", "stackfree", "sigtramp", "sigtrampgo", "shrinkstack",
            "gcComputeStartingStackSize", "sweepone", "morestack_noctxt", "systemstack", "minit",
            "preemptone", "doSigPreempt",
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
