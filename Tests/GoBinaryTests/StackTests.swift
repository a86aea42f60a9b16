// What stacks are predicted to need: on programs of which each byte is known, on graphs that no program has, and beside
// what a disassembler sees of calls.

import Foundation
import ObjectCode
import Processes
import TestNeeds
import Testing

@testable import GoBinary

@Suite("Stack needs") struct StackTests {
    private typealias Function = SyntheticProgram.Function

    private func analysis(_ functions: [Function]) throws -> StackAnalysis {
        var program = SyntheticProgram()
        program.functions += functions
        return try StackAnalysis(of: program.bytes())
    }

    private func function(_ name: String, in analysis: StackAnalysis) throws -> StackAnalysis.Function {
        analysis.functions[try #require(analysis.numbers(named: name).first)]
    }

    private static let start = SyntheticProgram.Item.bytes([0x90, 0x90])
    private static let end = SyntheticProgram.Item.bytes([0x90, 0xc3])

    private func calling(_ name: String, _ frame: Int, _ callees: String...) -> Function {
        Function(
            name: name, frame: frame, code: [Self.start] + callees.map { .branch([0xe8], $0) } + [Self.end])
    }

    private func holding(_ name: String, _ bytes: [UInt8]) -> Function {
        Function(name: name, frame: 8, code: [Self.start, .bytes(bytes), Self.end])
    }

    @Test func framesAndReturnAddressesAddUpAlongTheDeepestPath() throws {
        let analysis = try analysis([
            calling("main.a", 40, "main.leaf", "main.b"), calling("main.b", 100, "main.leaf"),
        ])
        let first = try #require(analysis.numbers(named: "main.a").first)
        #expect(analysis.functions[first].need == 40 + 8 + 100 + 8 && analysis.functions[first].isBounded)
        let path = analysis.deepestPath(from: first)
        #expect(path.map(\.function.name) == ["main.a", "main.b", "main.leaf"] && path.map(\.depth) == [0, 48, 156])
        #expect(analysis.findings(from: first).isEmpty)
    }

    /// At a tail jump the frame is what the table says, and there is no return address.
    @Test func aJumpToAnotherFunctionIsACall() throws {
        let analysis = try analysis([
            Function(name: "main.jump", frame: 16, code: [Self.start, .branch([0xe9], "main.b"), Self.end]),
            Function(name: "main.branch", frame: 24, code: [Self.start, .branch([0x0f, 0x84], "main.b"), Self.end]),
            calling("main.b", 100),
        ])
        #expect(try function("main.jump", in: analysis).need == 116)
        #expect(try function("main.branch", in: analysis).need == 124)
    }

    @Test func aCallBeforeTheFrameIsMadeIsNoDeeper() throws {
        // At its first byte the table has no frame yet.
        let analysis = try analysis([
            Function(name: "main.early", frame: 64, code: [.branch([0xe8], "main.b"), Self.end]), calling("main.b", 32),
        ])
        #expect(try function("main.early", in: analysis).need == 64)
    }

    @Test func circlesHaveNoBoundAndTellTheirRound() throws {
        let analysis = try analysis([
            calling("main.self", 40, "main.self", "main.leaf"), calling("main.one", 8, "main.two"),
            calling("main.two", 16, "main.one"), calling("main.caller", 0, "main.two"),
        ])
        for name in ["main.self", "main.one", "main.two", "main.caller"] {
            #expect(try function(name, in: analysis).doubts == .recursion, "\(name)")
        }
        #expect(try function("main.self", in: analysis).need == 48)
        let alone = analysis.findings(from: try #require(analysis.numbers(named: "main.self").first))
        #expect(alone.map(\.doubts) == [.recursion] && alone[0].circle?.functions == 1 && alone[0].circle?.bytes == 48)
        let two = analysis.findings(from: try #require(analysis.numbers(named: "main.caller").first))
        #expect(two.map(\.chain) == [["main.caller", "main.two"]])
        #expect(two[0].circle?.functions == 2 && two[0].circle?.bytes == 16 + 24)
    }

    @Test(
        arguments: [
            ([0xff, 0xd0], StackDoubts.indirectCall),  // call rax
            ([0xff, 0x53, 0x10], .indirectCall),  // call [rbx+16]
            ([0x41, 0xff, 0xe4], .indirectCall),  // jmp r12
            ([0xff, 0x24, 0xc8], .indirectCall),  // jmp [rax+rcx*8] of a table that is not known
            ([0xe8, 0, 0, 0, 0x70], .foreignCode),  // a call of what is no function
            ([0x06], .unclearCode),
        ] as [([UInt8], StackDoubts)]) func whatIsNotKnownIsSaid(_ bytes: [UInt8], _ doubt: StackDoubts) throws
    {
        let analysis = try analysis([holding("main.odd", bytes), calling("main.caller", 8, "main.odd")])
        #expect(try function("main.odd", in: analysis).doubts == doubt)
        #expect(try function("main.caller", in: analysis).doubts == doubt)
        let found = analysis.findings(from: try #require(analysis.numbers(named: "main.caller").first))
        #expect(found.map(\.chain) == [["main.caller", "main.odd"]] && found[0].doubts == doubt)
    }

    @Test func codeThatMovesTheStackPointerIsUnknownUnlessItIsASwitchOfStacks() throws {
        var odd = calling("main.odd", 8)
        odd.movesStackPointer = true
        var mcall = holding("runtime.mcall", [0xff, 0xd0])
        mcall.movesStackPointer = true
        let analysis = try analysis([odd, mcall, calling("main.caller", 8, "runtime.mcall")])
        #expect(try function("main.odd", in: analysis).doubts == .unknownFrame)
        let caller = try function("main.caller", in: analysis)
        #expect(caller.isBounded && caller.need == 8 + 8 + 8)
        let found = analysis.findings(from: try #require(analysis.numbers(named: "main.caller").first))
        #expect(found.map(\.function.name) == ["runtime.mcall"] && found[0].doubts.isEmpty)
    }

    @Test func panicsAreLeftOutAndDeferredCallsAreUnknown() throws {
        let analysis = try analysis([
            holding("runtime.gopanic", [0xff, 0xd0]), calling("main.index", 8, "runtime.gopanic"),
            holding("runtime.deferreturn", [0xff, 0xd0]), calling("main.defers", 8, "runtime.deferreturn"),
        ])
        #expect(try function("main.index", in: analysis).isBounded)
        #expect(try function("main.defers", in: analysis).doubts == .deferredCall)
    }

    @Test func namesThatAreLikeAnotherAreOffered() throws {
        let analysis = try analysis([])
        #expect(analysis.names(like: "LEAF") == ["main.leaf"])
        #expect(analysis.names(like: "other.large") == ["main.large"])
        #expect(analysis.names(like: "main.medjum").first == "main.medium")
        #expect(analysis.names(like: "") == [] && analysis.names(like: "zz.zz") == [])
    }

    /// As deep as no stack of the host would allow, and circles through all of them.
    @Test func graphsOfManyFunctionsAreSettled() {
        let count = 200_000
        var graph = CallGraph()
        for index in 0..<count {
            let calls = index + 1 < count ? [CallGraph.Call(target: index + 1, depth: 16)] : []
            graph.append(CallGraph.Node(frame: 8, calls: calls))
        }
        let chain = StackNeeds(graph)
        #expect(chain.bytes[0] == (count - 1) * 16 + 8 && chain.doubts[0] == [])
        var circle = CallGraph()
        for index in 0..<count {
            circle.append(
                CallGraph.Node(frame: 8, calls: [CallGraph.Call(target: (index + 1) % count, depth: 16)]))
        }
        let needs = StackNeeds(circle)
        #expect(needs.doubts.allSatisfy { $0 == .recursion } && needs.rounds == [0: count * 16])
    }

    // MARK: real programs

    private struct Ways {
        var calls: Set<String> = []
        var indirectCalls: Set<UInt64> = []
        var jumps: Set<UInt64> = []
    }

    /// What objdump sees of calls, and of jumps through registers and memory, with the text of the latter.
    private func disassembled(_ path: String) throws -> (ways: Ways, texts: [UInt64: String]) {
        let folder = try TemporaryFolder()
        let script = """
            objdump -d -w --section=.text --no-show-raw-insn "$1" >"$0/all" || exit 2
            awk -F'\\t' '$2 ~ /^call / || $2 ~ /jmp +\\*/' "$0/all" >"$0/ways"
            """
        try Subprocess.run("/bin/sh", ["-c", script, folder.path, path], in: folder.path)
        var ways = Ways()
        var texts: [UInt64: String] = [:]
        for line in String(decoding: try content("\(folder.path)/ways"), as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: "\t")
            let address = try #require(UInt64(parts[0].drop { $0 == " " }.dropLast(1), radix: 16))
            let words = parts[1].split(separator: " ").map(String.init)
            if words[0].hasPrefix("jmp") {
                ways.jumps.insert(address)
                texts[address] = String(parts[1])
            } else if let target = UInt64(words[1], radix: 16) {
                ways.calls.insert("\(address) \(target)")
            } else {
                ways.indirectCalls.insert(address)
            }
        }
        return (ways, texts)
    }

    private func expectTheCallsThatObjdumpSees(_ go: GoInstallation) throws {
        let path = try go.program()
        let program = try GoExecutable(try content(path))
        var ways = Ways()
        for function in program.functions.map(\.function) {
            var scan = CallScan(program.code(of: function), at: function.address, in: program.file)
            while let site = scan.next() {
                let address = function.address + UInt64(site.offset)
                switch site.kind {
                case .call(let target): ways.calls.insert("\(address) \(target)")
                case .jump: break
                case .indirectCall: ways.indirectCalls.insert(address)
                case .indirectJump: ways.jumps.insert(address)
                }
            }
            #expect(!scan.isUnclear, "\(function.name)")
        }
        let (seen, texts) = try disassembled(path)
        #expect(ways.calls == seen.calls && ways.calls.count > 10_000)
        #expect(ways.indirectCalls == seen.indirectCalls && ways.indirectCalls.count > 100)
        #expect(ways.jumps.isSubset(of: seen.jumps))
        // The others are switches: jumps through a table by an index.
        let tables = seen.jumps.subtracting(ways.jumps)
        #expect(tables.count > 10)
        for address in tables { #expect(texts[address]?.contains(",8)") == true, "\(texts[address] ?? "")") }
    }

    @Test(.needs(GoInstallation.newest.need)) func callsAreThoseThatADisassemblerSees() throws {
        try expectTheCallsThatObjdumpSees(.newest)
    }

    @Test(.long, arguments: GoInstallation.all) func callsOfEveryVersionAreThoseThatADisassemblerSees(
        _ go: GoInstallation
    ) throws {
        try expectTheCallsThatObjdumpSees(go)
    }

    @Test(.needs(GoInstallation.newest.need)) func aRealProgramHasBoundsAndSaysWhereItHasNone() throws {
        let analysis = try StackAnalysis(of: try content(try GoInstallation.newest.program()))
        // A frame of 1,450 words, and a recursion on it.
        let sparse = try function("main.sparse", in: analysis)
        #expect(sparse.doubts.contains(.recursion) && sparse.need >= 1450 * 8)
        let share = Double(analysis.functions.count(where: \.isBounded)) / Double(analysis.functions.count)
        #expect((0.2..<0.6).contains(share))
        #expect(try function("runtime.mallocgc", in: analysis).doubts.contains(.indirectCall))
        #expect(try function("runtime.systemstack", in: analysis).isSwitch)
        #expect(try function("unicode/utf8.ValidString", in: analysis).isBounded)
    }
}
