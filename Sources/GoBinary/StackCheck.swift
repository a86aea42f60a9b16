// The stack check at the entry of a function, as Go's assembler writes it (cmd/internal/obj/x86/obj6.go, stacksplit),
// in Go 1.17 and later. Three forms by the size of the frame, and where they lead when they fail:
//
//     small     cmp rsp, [r14+G]                                          jbe tail
//     medium    lea r12, [rsp-N]               cmp r12, [r14+G]           jbe tail
//     large     mov r12, rsp; sub r12, N; jb tail; cmp r12, [r14+G]       jbe tail
//     tail      spills; call runtime.morestack…; reloads; jmp entry
//
// r14 is the goroutine; G is 16 (stackguard0), or 24 (stackguard1) in functions that run on a system stack. Functions
// of ABI0 load r14 from thread-local storage first.
//
// A compiler of ours emits a probe instead (CompiledProbe.swift).

import ObjectCode

/// How a check compares, by the size of the frame it is for.
public enum FrameClass: String, Sendable, CaseIterable, Hashable {
    /// At most 128 bytes: the stack pointer itself is compared.
    case small
    /// At most 4 KiB.
    case medium
    /// More than that, with a test for wrapping round.
    case large
}

/// A check that is understood in full.
public struct StackCheck: Sendable, Hashable {
    /// Which form it has.
    public let frameClass: FrameClass
    /// The address of its first instruction.
    public let address: UInt64
    /// What is executed when it passes.
    public let hot: CodeSize
    /// The address of what it leads to when it fails.
    public let tail: UInt64
    /// The size of that, the jump back included.
    public let cold: CodeSize
    /// Whether it is for a function that runs on a system stack.
    public let isForSystemStack: Bool
    /// Of a probe that a compiler emitted: the bytes that the frame takes beyond 128.
    let probeDepth: Int?
    /// Whether it is such a probe.
    var isProbe: Bool { probeDepth != nil }
    /// Where the call of the tail has its displacement.
    let callDisplacement: UInt64

    /// Bytes that a function may take without asking for them (StackSmall).
    static let smallFrame = 128

    /// A branch, as an offset from the check's first byte.
    struct Branch: Hashable {
        let offset: Int
        let length: Int
        let displacement: Int
        var end: Int { offset + length }
    }

    /// The instructions on the hot path.
    struct Pattern: Hashable {
        var frameClass: FrameClass
        var compare: Int
        var guardOffset: UInt8
        var branches: [Branch]
        var instructions: Int
        var length: Int { branches.last!.end }

        /// How far below the stack pointer the compared address is.
        func depth(_ hot: ArraySlice<UInt8>) -> Int? {
            let code = Array(hot.prefix(length))
            switch frameClass {
            case .small: return 0
            case .medium:
                // lea r12, [rsp-N], with one byte or four
                if compare == 5 { return -Int(Int8(bitPattern: code[4])) }
                return Int32(littleEndianBytes: code[4..<8]).map { -Int($0) }
            case .large: return Int32(littleEndianBytes: code[6..<10]).map(Int.init)
            }
        }

        /// Reads the pattern at `offset`; nil where it is not there.
        init?(_ code: ArraySlice<UInt8>, at offset: Int) {
            func byte(_ index: Int) -> UInt8? {
                code.indices.contains(offset + index) ? code[offset + index] : nil
            }
            func matches(_ bytes: [UInt8], _ index: Int) -> Bool {
                bytes.enumerated().allSatisfy { byte(index + $0.offset) == $0.element }
            }
            /// A conditional jump by its short opcode.
            func branch(_ opcode: UInt8, _ index: Int) -> Branch? {
                guard let instruction = Instruction(code, at: offset + index), let displacement = instruction.branch,
                    instruction.length == 2 && instruction.opcode == opcode && instruction.map == .one
                        || instruction.length == 6 && instruction.opcode == opcode + 0x10 && instruction.map == .two
                else { return nil }
                return Branch(offset: index, length: instruction.length, displacement: displacement)
            }
            var compared = 0
            branches = []
            if matches([0x49, 0x3b, 0x66], 0) {
                (frameClass, instructions) = (.small, 2)
            } else {
                if matches([0x4c, 0x8d, 0x64, 0x24], 0) {
                    (frameClass, instructions, compared) = (.medium, 3, 5)
                } else if matches([0x4c, 0x8d, 0xa4, 0x24], 0) {
                    (frameClass, instructions, compared) = (.medium, 3, 8)
                } else if matches([0x49, 0x89, 0xe4, 0x49, 0x81, 0xec], 0), let wrapped = branch(0x72, 10) {
                    (frameClass, instructions, compared) = (.large, 5, wrapped.end)
                    branches.append(wrapped)
                } else {
                    return nil
                }
                guard matches([0x4d, 0x3b, 0x66], compared) else { return nil }
            }
            compare = compared
            guard let field = byte(compared + 3), field == 0x10 || field == 0x18, let last = branch(0x76, compared + 4)
            else {
                return nil
            }
            guardOffset = field
            branches.append(last)
        }
    }

    /// Loads of the goroutine that come before a check, in functions of ABI0.
    static func lengthOfLoad(_ code: ArraySlice<UInt8>) -> Int {
        func matches(_ bytes: [UInt8], _ index: Int) -> Bool {
            bytes.enumerated().allSatisfy { offset, byte in
                code.indices.contains(code.startIndex + index + offset)
                    && code[code.startIndex + index + offset] == byte
            }
        }
        // mov r14, fs:[offset]
        if matches([0x64, 0x4c, 0x8b, 0x34, 0x25], 0) { return 9 }
        // mov r14, offset, or from a table that the loader fills; mov r14, fs:[r14]
        if matches([0x49, 0xc7, 0xc6], 0) || matches([0x4c, 0x8b, 0x35], 0), matches([0x64, 0x4d, 0x8b, 0x36], 7) {
            return 11
        }
        return 0
    }

    /// Why a function has a pattern but no check that is understood.
    enum Finding: Hashable {
        case none
        case check(StackCheck)
        case notUnderstood(String)
    }

    /// Looks at the entry of a function with these bytes.
    static func find(_ code: ArraySlice<UInt8>, at address: UInt64, moreStack: Set<UInt64>) -> Finding {
        let load = lengthOfLoad(code)
        guard let pattern = Pattern(code, at: code.startIndex + load) else {
            return findProbe(code, behind: load, at: address, moreStack: moreStack)
        }
        let targets = Set(pattern.branches.map { load + $0.end + $0.displacement })
        guard targets.count == 1, let start = targets.first, start > load, start < code.count else {
            return .notUnderstood("its check leads out of it")
        }
        var offset = start
        var count = 0
        var call: Int?
        // A tail spills and reloads at most every register of the calling convention.
        for _ in 0..<100 {
            guard let instruction = Instruction(code, at: code.startIndex + offset) else { break }
            offset += instruction.length
            count += 1
            if call == nil {
                if instruction.isCall {
                    let target = address &+ UInt64(bitPattern: Int64(offset + instruction.branch!))
                    guard moreStack.contains(target) else { return .notUnderstood("its check does not call morestack") }
                    call = offset - 4
                } else if instruction.branch != nil || instruction.isReturn {
                    break
                }
            } else if instruction.isJump, let displacement = instruction.branch {
                // Back to the entry.
                guard offset + displacement == 0 else { break }
                return .check(
                    StackCheck(
                        frameClass: pattern.frameClass, address: address + UInt64(load),
                        hot: CodeSize(instructions: pattern.instructions, bytes: pattern.length),
                        tail: address + UInt64(start), cold: CodeSize(instructions: count, bytes: offset - start),
                        isForSystemStack: pattern.guardOffset == 0x18, probeDepth: nil,
                        callDisplacement: address + UInt64(call!)))
            } else if instruction.branch != nil || instruction.isReturn {
                break
            }
        }
        return .notUnderstood("what its check leads to is not a call of morestack and a jump back")
    }
}
