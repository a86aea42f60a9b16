import ObjectCode
import Processes
import TestNeeds
import Testing

@testable import Workloads

@Suite("Census", .serialized)
struct CensusTests {
    @Test(
        "the census of checked code is what the prologues say one by one", arguments: ["sort", "lisp", "json", "trees"])
    func census(_ name: String) throws {
        let code = try CodeLoader().load(Workloads.named(name), variant: .checked)
        let census = try CheckCensus(of: code)
        let own = try MachineCode(try #require(code.path)).own
        #expect(census.functions == own.count)
        #expect(census.checks == own.filter(\.beginsWithCheck).count)
        #expect(census.checks > 0)
        #expect(census.hot.instructions >= 2 * census.checks && census.hot.instructions <= 3 * census.checks)
        #expect(census.hot.bytes >= 11 * census.checks && census.hot.bytes <= 23 * census.checks)
        #expect(census.cold.instructions >= 4 * census.checks && census.cold.instructions <= 5 * census.checks)
        #expect(census.cold.bytes >= 18 * census.checks && census.cold.bytes <= 23 * census.checks)
        #expect(census.hot.bytes + census.cold.bytes < census.textBytes)
    }

    @Test("a disassembler finds as many checks", arguments: ["json", "lisp", "regex", "sort"])
    func disassembly(_ name: String) throws {
        let code = try CodeLoader().load(Workloads.named(name), variant: .checked)
        let toolchain = try Toolchain.find(searchPath: CodeEnvironment().searchPath, needsSwift: false)
        let folder = try TemporaryFolder()
        try Subprocess.run(
            "\(Files.folder(of: toolchain.clang))/llvm-objdump",
            ["-d", "--no-show-raw-insn", try #require(code.path)], in: folder.path)
        let lines = String(decoding: try Files.read("\(folder.path)/output.txt"), as: UTF8.self).split(separator: "\n")
        let census = try CheckCensus(of: code)
        #expect(lines.filter { $0.contains("%fs:0x70") && $0.contains("cmp") }.count == census.checks)
        #expect(lines.filter { $0.contains("callq") && $0.contains("<__morestack>") }.count == census.checks)
    }

    @Test("code without checks has none")
    func plain() throws {
        let census = try CheckCensus(of: CodeLoader().load(SortWorkload(), variant: .plain))
        #expect(census.checks == 0 && census.hot.bytes == 0 && census.cold.bytes == 0)
        #expect(census.functions > 0 && census.textBytes > 0)
    }

    @Test("what is no object is an error", arguments: [0, 6, 64, 1000])
    func malformed(_ length: Int) throws {
        let code = try CodeLoader().load(SortWorkload(), variant: .checked)
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/cut.so"
        try Files.write(try Files.read(try #require(code.path)).prefix(length), to: path)
        #expect(line { try CheckCensus(path: path) } == "\(path) is not a 64-bit ELF file with a symbol table")
    }
}
