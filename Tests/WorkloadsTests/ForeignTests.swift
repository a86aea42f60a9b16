import Processes
import TestNeeds
import Testing

@testable import Workloads

@Suite("Foreign programs", .serialized)
struct ForeignTests {
    @Test("versions and names are those that scripts/fetch-programs fetches")
    func versions() throws {
        let here = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let lines = String(decoding: try Files.read("/\(here)/scripts/programs.txt"), as: UTF8.self)
            .split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(
            lines.map { $0.split(separator: " ")[0] }
                == ForeignPrograms.all().map { "\($0.package)==\($0.version)" })
        #expect(lines.allSatisfy { $0.contains(" --hash=sha256:") })
    }

    @Test("a program that was not fetched is one line that says how to")
    func notFetched() throws {
        let environment = CodeEnvironment(programsFolder: "/nonexistent")
        for program in ForeignPrograms.all(environment) {
            #expect(!program.isFetched)
            #expect(
                line { try CodeLoader(environment: environment).load(program, variant: .plain).workload }
                    == "\(program.name) is left out: its sources are not in /nonexistent/\(program.package)-"
                    + "\(program.version); fetch them with scripts/fetch-programs")
        }
    }

    @Test("the mill's reference is what two interpreters of others computed for it")
    func mill() {
        #expect(MillReference(size: 1000).checksum == 0xa7b8_82d2_dcbc_0266)
        #expect(MillReference(size: 1).steps < MillReference(size: 2).steps)
    }

    @Test("headings are counted outside code")
    func headings() {
        #expect(Markdown.headings(in: Array("# a\n####### no\n#no\n```\n# code\n```\n ## no\n## b".utf8)) == 2)
    }

    /// Lua is the quickest to build of those with many source files.
    @Test(
        "a foreign program gives its result in every variant, and prologues have checks",
        .needs(.lua))
    func lua() throws {
        let folder = try TemporaryFolder()
        let environment = CodeEnvironment(cacheFolder: folder.path)
        let lua = try #require(ForeignPrograms.all(environment).first { $0.name == "lua" })
        let prepared = try lua.prepare(inputs: ["20"])
        let loader = CodeLoader(environment: environment)
        for variant in [CodeVariant.plain, .checked, .padded] {
            let code = try loader.load(lua, variant: variant, layoutSeed: 7)
            #expect(try prepared.run(code).operations == prepared.operations)
            let object = try MachineCode(try #require(code.path))
            let checked = object.own.filter(\.beginsWithCheck).count
            #expect(variant == .checked ? checked > object.own.count / 2 : checked == 0)
            // Variadic functions cannot have a check, and have none.
            #expect(object.own.first { $0.name == "luaL_error" }?.beginsWithCheck == false)
        }
        let noInlining = try loader.load(lua, variant: .plain, inlining: .off)
        #expect(try prepared.run(noInlining).operations == prepared.operations)
        let standard = try MachineCode(try #require(try loader.load(lua, variant: .plain).path))
        #expect(try MachineCode(try #require(noInlining.path)).own.count > standard.own.count)
        #expect(
            line { try loader.load(lua, variant: .builtin).workload }
                == "lua is built at run time only; choose the plain, checked or padded variant")
        #expect(
            line { try loader.load(JSONWorkload(), variant: .plain, inlining: .off).workload }
                == "inlining can be chosen for code in C only, and json is in Swift")
    }
}
