// A probe that a compiler emitted in place of a check (Experiments, probing_compiler.go). Its fault alone leads to the
// tail, which is where it would be with a check:
//
//     probe     test gs:[rsp-N-128], al
//     tail      spills; call runtime.morestack…; reloads; jmp entry

import ObjectCode

extension StackCheck {
    /// Bytes of a line.
    private static let lineOfCache = 32

    /// Looks for a probe at the entry of a function, `load` bytes from its start.
    static func findProbe(
        _ code: ArraySlice<UInt8>, behind load: Int, at address: UInt64, moreStack: Set<UInt64>
    ) -> Finding {
        let start = code.startIndex + load
        guard let probe = Instruction(code, at: start) else { return .none }
        let body = start + probe.length
        guard let distance = probeDistance(Array(code[start..<body])) else { return .none }
        for call in code.indices where call >= body && code[call] == 0xe8 {
            guard let instruction = Instruction(code, at: call), let displacement = instruction.branch else { continue }
            let target = call - code.startIndex + instruction.length + displacement
            guard moreStack.contains(address &+ UInt64(bitPattern: Int64(target))),
                let tail = tail(code, behind: body, callingAt: call)
            else { continue }
            return .check(
                StackCheck(
                    frameClass: distance == smallFrame ? .small : .medium, address: address + UInt64(load),
                    hot: CodeSize(instructions: 1, bytes: probe.length),
                    tail: address + UInt64(tail.start - code.startIndex), cold: tail.size, isForSystemStack: false,
                    probeDepth: distance - smallFrame, callDisplacement: address + UInt64(call + 1 - code.startIndex)))
        }
        return .notUnderstood("what its probe leads to is not a call of morestack and a jump back")
    }

    /// The tail with this call: the only code that calls morestack and jumps back to the entry. Which spills come
    /// before the call is known from the reloads behind it. No-ops keep calls and jumps within a line of the cache
    /// (padJump in cmd/internal/obj/x86/asm6.go).
    private static func tail(
        _ code: ArraySlice<UInt8>, behind body: Int, callingAt call: Int
    ) -> (start: Int, size: CodeSize)? {
        // The call and the jump.
        var count = 2
        var end = call + 5
        var spills: [UInt8] = []
        while let next = Instruction(code, at: end) {
            let bytes = Array(code[end..<end + next.length])
            end += next.length
            if let spill = spill(mirroring: bytes) {
                spills += spill
                count += 2
            } else if bytes != noOperation(bytes.count) {
                guard next.isJump, let displacement = next.branch, end + displacement == code.startIndex else { break }
                for padding in 0...lineOfCache {
                    let before = spills + noOperation(padding)
                    let start = call - before.count
                    if start >= body, code[start..<call].elementsEqual(before) {
                        return (start, CodeSize(instructions: count, bytes: end - start))
                    }
                }
                break
            }
        }
        return nil
    }

    /// How far below the stack pointer a probe reads: `test gs:[rsp-distance], al` in its shortest form.
    private static func probeDistance(_ code: [UInt8]) -> Int? {
        let distance =
            if code.count == 5, code.starts(with: [0x65, 0x84, 0x44, 0x24]) {
                -Int(Int8(bitPattern: code[4]))
            } else if code.count == 8, code.starts(with: [0x65, 0x84, 0x84, 0x24]) {
                Int32(littleEndianBytes: code[4...]).map { -Int($0) } ?? 0
            } else {
                0
            }
        return distance >= smallFrame ? distance : nil
    }

    /// What an argument was spilled by, from the instruction that loads it again from the stack.
    private static func spill(mirroring load: [UInt8]) -> [UInt8]? {
        let prefixes = load.prefix { $0 == 0xf2 || $0 == 0xf3 || $0 & 0xf0 == 0x40 }
        let opcode = load.dropFirst(prefixes.count)
        func operand(_ length: Int) -> ArraySlice<UInt8>? {
            let operand = opcode.dropFirst(length)
            // [rsp+d]
            return operand.count > 2 && operand.first! & 7 == 4 && operand.first! & 0xc0 != 0xc0
                && operand.dropFirst().first == 0x24 ? operand : nil
        }
        if opcode.first == 0x8b, let operand = operand(1) { return prefixes + [0x89] + operand }
        guard opcode.first == 0x0f, let operand = operand(2), let second = opcode.dropFirst().first else { return nil }
        let register = operand.first! >> 3 & 7
        switch second {
        // movss, movsd
        case 0x10: return prefixes + [0x0f, 0x11] + operand
        // movzx, of a byte from spl, bpl, sil and dil with an empty prefix
        case 0xb6: return (prefixes.isEmpty && register >= 4 ? [0x40] : prefixes) + [0x88] + operand
        case 0xb7: return [0x66] + prefixes + [0x89] + operand
        default: return nil
        }
    }

    /// The comparison that a probe stands for, whose frame takes `depth` bytes beyond 128.
    static func comparison(_ depth: Int) -> [UInt8] {
        // cmp rsp, [r14+16]; or lea r12, [rsp-N]; cmp r12, [r14+16]
        depth == 0
            ? [0x49, 0x3b, 0x66, 0x10] : [0x4c, 0x8d] + stackOperand(4, -depth) + [0x4d, 0x3b, 0x66, 0x10]
    }
}
