// Probes that a compiler emitted: where each leads is found exactly or not at all.

import ObjectCode
import Testing

@testable import GoBinary

@Suite("A probe that was compiled") struct CompiledProbeTests {
    private static let address: UInt64 = 0x40_1000
    private static let moreStack: UInt64 = 0x40_8000

    /// Each register of an argument as Go's assembler spills and reloads it.
    private static let arguments: [(spill: [UInt8], reload: [UInt8])] = [
        // mov [rsp+8], rax; mov [rsp+16], r8d; mov [rsp+256], r11
        ([0x48, 0x89, 0x44, 0x24, 0x08], [0x48, 0x8b, 0x44, 0x24, 0x08]),
        ([0x44, 0x89, 0x44, 0x24, 0x10], [0x44, 0x8b, 0x44, 0x24, 0x10]),
        ([0x4c, 0x89, 0x9c, 0x24, 0, 1, 0, 0], [0x4c, 0x8b, 0x9c, 0x24, 0, 1, 0, 0]),
        // Bytes: bl, sil, r9b. Two bytes: cx, r10w.
        ([0x88, 0x5c, 0x24, 0x11], [0x0f, 0xb6, 0x5c, 0x24, 0x11]),
        ([0x40, 0x88, 0x74, 0x24, 0x12], [0x0f, 0xb6, 0x74, 0x24, 0x12]),
        ([0x44, 0x88, 0x4c, 0x24, 0x13], [0x44, 0x0f, 0xb6, 0x4c, 0x24, 0x13]),
        ([0x66, 0x89, 0x4c, 0x24, 0x14], [0x0f, 0xb7, 0x4c, 0x24, 0x14]),
        ([0x66, 0x44, 0x89, 0x54, 0x24, 0x16], [0x44, 0x0f, 0xb7, 0x54, 0x24, 0x16]),
        // Numbers with a point: xmm0 and xmm9.
        ([0xf2, 0x0f, 0x11, 0x44, 0x24, 0x18], [0xf2, 0x0f, 0x10, 0x44, 0x24, 0x18]),
        ([0xf3, 0x44, 0x0f, 0x11, 0x4c, 0x24, 0x20], [0xf3, 0x44, 0x0f, 0x10, 0x4c, 0x24, 0x20]),
    ]

    /// A function with a probe, a body of one return and a tail.
    private struct Function {
        var probe: [UInt8] = [0x65, 0x84, 0x44, 0x24, 0x80]
        var body: [UInt8] = [0xc3]
        var spills: [UInt8] = CompiledProbeTests.arguments.flatMap(\.spill)
        var beforeCall = 0
        var reloads: [UInt8] = CompiledProbeTests.arguments.flatMap(\.reload)
        var beforeJump = 0
        var target = CompiledProbeTests.moreStack
        /// How far from the entry the jump leads.
        var entry = 0

        var tail: Int { probe.count + body.count }

        var code: [UInt8] {
            var code = probe + body + spills + StackCheck.noOperation(beforeCall)
            let end = CompiledProbeTests.address + UInt64(code.count + 5)
            code += [0xe8] + UInt32(truncatingIfNeeded: target &- end).littleEndianBytes
            code += reloads + StackCheck.noOperation(beforeJump)
            return code + [0xe9] + Int32(entry - code.count - 5).littleEndianBytes
        }

        var found: StackCheck.Finding {
            // Not at the beginning of what it is a part of.
            let code = [0xcc, 0xcc] + self.code
            return StackCheck.find(
                code[2...], at: CompiledProbeTests.address, moreStack: [CompiledProbeTests.moreStack])
        }
    }

    private func expect(_ function: Function, depth: Int) throws {
        guard case .check(let check) = function.found else {
            Issue.record("\(function.found)")
            return
        }
        #expect(check.probeDepth == depth && check.frameClass == (depth == 0 ? .small : .medium))
        #expect(check.address == Self.address && check.hot.bytes == function.probe.count)
        #expect(check.tail == Self.address + UInt64(function.tail) && !check.isForSystemStack)
        #expect(check.cold.bytes == function.code.count - function.tail)
    }

    @Test(arguments: [0, 1, 9, 31], [0, 2, 12])
    func itsTailBeginsWithTheSpills(_ beforeCall: Int, _ beforeJump: Int) throws {
        try expect(Function(beforeCall: beforeCall, beforeJump: beforeJump), depth: 0)
        for argument in Self.arguments {
            try expect(
                Function(
                    spills: argument.spill, beforeCall: beforeCall, reloads: argument.reload, beforeJump: beforeJump),
                depth: 0)
        }
    }

    @Test func aFunctionWithoutArgumentsHasNoSpills() throws {
        try expect(Function(spills: [], reloads: []), depth: 0)
        // What ends the body is not part of the tail.
        try expect(Function(body: [0x0f, 0x0b] + Self.arguments[0].spill, spills: [], reloads: []), depth: 0)
    }

    @Test(arguments: [8, 1000, 3160]) func itsDepthIsWhatAFrameTakesBeyondASmallOne(_ depth: Int) throws {
        let probe = [0x65, 0x84, 0x84, 0x24] + Int32(-128 - depth).littleEndianBytes
        try expect(Function(probe: probe), depth: depth)
        let small = Function(probe: [0x65, 0x84, 0x84, 0x24] + Int32(-120).littleEndianBytes)
        #expect(small.found == .none)
        let above = Function(probe: [0x65, 0x84, 0x44, 0x24, 0x7f])
        #expect(above.found == .none)
    }

    @Test func whatIsNoSuchTailIsNotUnderstood() {
        let odd = StackCheck.Finding.notUnderstood(
            "what its probe leads to is not a call of morestack and a jump back")
        for (index, argument) in Self.arguments.enumerated() {
            // A spill of another register or of another size, none, and one more reload.
            for changed in argument.spill.indices {
                var spill = argument.spill
                spill[changed] ^= 0x08
                #expect(Function(spills: spill, reloads: argument.reload).found == odd, "\(index) \(changed)")
            }
            #expect(Function(spills: [], reloads: argument.reload).found == odd, "\(index)")
            #expect(Function(spills: argument.spill, reloads: argument.reload + argument.reload).found == odd)
        }
        #expect(Function(target: Self.moreStack + 1).found == odd)
        #expect(Function(entry: 1).found == odd)
        // Another instruction among the reloads: push rax.
        #expect(Function(reloads: Self.arguments.flatMap(\.reload) + [0x50]).found == odd)
        // No-ops beyond a line of the cache.
        #expect(Function(beforeCall: 33).found == odd)
        let code = Function().code
        for length in 5..<code.count {
            let finding = StackCheck.find(code[..<length], at: Self.address, moreStack: [Self.moreStack])
            #expect(finding == odd, "\(length)")
        }
    }

    @Test func theComparisonItStandsForIsThatOfGosAssembler() {
        for (depth, code) in [
            (0, [0x49, 0x3b, 0x66, 0x10] as [UInt8]),
            (0x70, [0x4c, 0x8d, 0x64, 0x24, 0x90, 0x4d, 0x3b, 0x66, 0x10]),
            (0x1f0, [0x4c, 0x8d, 0xa4, 0x24, 0x10, 0xfe, 0xff, 0xff, 0x4d, 0x3b, 0x66, 0x10]),
        ] {
            #expect(StackCheck.comparison(depth) == code)
            // With its jump it is read as the check, and its probe is that of the compiler.
            let check = code + [0x76, 0x00]
            let probe = StackCheck.probe(check[...], reach: 808)
            let operand: [UInt8] =
                depth == 0 ? [0x44, 0x24, 0x80] : [0x84, 0x24] + Int32(-128 - depth).littleEndianBytes
            #expect(probe?.starts(with: [0x65, 0x84] + operand) == true, "\(depth)")
        }
    }
}
