// How long an instruction of x86-64 is, and where it leads. Lengths and relative targets only: enough to walk through a function and
// to know what a change would cut in two. Source: Intel's manual, volume 2, chapter 2 and the opcode maps of appendix A.

import ObjectCode

/// One decoded instruction.
struct Instruction: Sendable, Hashable {
    /// One-byte opcodes, those behind 0F, behind 0F 38, behind 0F 3A; others (VEX and EVEX maps above 3) as they are.
    enum Map: Sendable, Hashable { case one, two, three38, three3A, other }

    let length: Int
    let map: Map
    let opcode: UInt8
    /// The byte behind the opcode, where the opcode has one.
    let modRM: UInt8?
    /// REX.W, REX.R, REX.X and REX.B in bits 3 to 0.
    let rex: UInt8
    /// What is added to the address of the next instruction: of a relative jump or call.
    let branch: Int?
    /// The same of an operand in memory.
    let ripDisplacement: Int?

    /// The field of `modRM` that names a register or completes the opcode.
    var register: UInt8? { modRM.map { $0 >> 3 & 7 } }
    var isCall: Bool { map == .one && opcode == 0xe8 }
    var isJump: Bool { map == .one && (opcode == 0xe9 || opcode == 0xeb) }
    var isReturn: Bool { map == .one && (opcode == 0xc3 || opcode == 0xc2) }

    /// Decodes what begins at `offset` of `code`; nil for what is no instruction or is cut off.
    init?(_ code: ArraySlice<UInt8>, at offset: Int) {
        var reader = Reader(code: code, offset: offset)
        var operandSize16 = false
        var rex: UInt8 = 0
        var opcode: UInt8 = 0
        prefixes: while true {
            guard let byte = reader.next(), reader.offset - offset <= 15 else { return nil }
            switch byte {
            case 0x66: operandSize16 = true
            case 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x67, 0xf0, 0xf2, 0xf3: break
            case 0x40...0x4f:
                // Only the last prefix counts, and only right before the opcode.
                guard let following = reader.next() else { return nil }
                rex = byte & 15
                opcode = following
                break prefixes
            default:
                opcode = byte
                break prefixes
            }
        }
        var map = Map.one
        var isVector = false
        switch opcode {
        case 0x0f:
            guard let second = reader.next() else { return nil }
            switch second {
            case 0x38, 0x3a:
                guard let third = reader.next() else { return nil }
                map = second == 0x38 ? .three38 : .three3A
                opcode = third
            default:
                map = .two
                opcode = second
            }
        case 0xc5:
            guard reader.next() != nil, let next = reader.next() else { return nil }
            (map, opcode, isVector) = (.two, next, true)
        case 0xc4, 0x62:
            let isLong = opcode == 0x62
            guard let first = reader.next(), reader.next() != nil, !isLong || reader.next() != nil,
                let next = reader.next()
            else { return nil }
            switch first & (isLong ? 7 : 31) {
            case 1: map = .two
            case 2: map = .three38
            case 3: map = .three3A
            default: map = .other
            }
            (opcode, isVector) = (next, true)
        default: break
        }
        guard let form = Form(map, opcode, isVector: isVector) else { return nil }
        var displacement: Int?
        var modRM: UInt8?
        if form.hasModRM {
            guard let byte = reader.next(), let relative = reader.skipOperand(byte) else { return nil }
            modRM = byte
            displacement = relative.displacement
        }
        var branch: Int?
        switch form.immediate {
        case .none: break
        case .bytes(let count): guard reader.skip(count) else { return nil }
        case .operand:
            // Only a move to a register takes eight bytes, by the width that REX.W gives.
            let isWide = rex & 8 != 0
            let count = isWide && map == .one && (0xb8...0xbf).contains(opcode) ? 8 : operandSize16 && !isWide ? 2 : 4
            guard reader.skip(count) else { return nil }
        case .operandOfTest:
            guard let modRM, modRM >> 3 & 7 > 1 || reader.skip(opcode == 0xf6 ? 1 : operandSize16 ? 2 : 4) else {
                return nil
            }
        case .branch8:
            guard let byte = reader.next() else { return nil }
            branch = Int(Int8(bitPattern: byte))
        case .branch32:
            guard let number = reader.number32() else { return nil }
            branch = number
        }
        length = reader.offset - offset
        guard length <= 15 else { return nil }
        self.map = map
        self.opcode = opcode
        self.modRM = modRM
        self.rex = rex
        self.branch = branch
        ripDisplacement = displacement
    }

    /// An operand in memory, or a register.
    private struct Operand {
        /// Of an address that counts from the next instruction.
        var displacement: Int?
    }

    /// Takes bytes one by one.
    private struct Reader {
        let code: ArraySlice<UInt8>
        var offset: Int

        mutating func next() -> UInt8? {
            guard code.indices.contains(offset) else { return nil }
            defer { offset += 1 }
            return code[offset]
        }

        mutating func skip(_ count: Int) -> Bool {
            offset += count
            return offset <= code.endIndex
        }

        mutating func number32() -> Int? {
            guard skip(4) else { return nil }
            return Int32(littleEndianBytes: code[offset - 4..<offset]).map(Int.init)
        }

        /// The operand in memory that a ModRM byte describes.
        mutating func skipOperand(_ modRM: UInt8) -> Operand? {
            let mode = modRM >> 6
            let base = modRM & 7
            if mode == 3 { return Operand() }
            if mode == 0, base == 5 {
                guard let number = number32() else { return nil }
                return Operand(displacement: number)
            }
            var displacement = mode == 1 ? 1 : mode == 2 ? 4 : 0
            if base == 4 {
                guard let scaled = next() else { return nil }
                if mode == 0, scaled & 7 == 5 { displacement = 4 }
            }
            return skip(displacement) ? Operand() : nil
        }
    }

    /// What follows an opcode.
    private struct Form {
        enum Immediate {
            case none
            case bytes(Int)
            case operand, operandOfTest, branch8, branch32
        }
        var hasModRM = false
        var immediate = Immediate.none

        private init(hasModRM: Bool, immediate: Immediate) {
            self.hasModRM = hasModRM
            self.immediate = immediate
        }

        init?(_ map: Map, _ opcode: UInt8, isVector: Bool) {
            switch map {
            case .one: self.init(one: opcode)
            case .two: self.init(two: opcode, isVector: isVector)
            case .three3A: self.init(hasModRM: true, immediate: .bytes(1))
            case .three38, .other: self.init(hasModRM: true, immediate: .none)
            }
        }

        private init?(one opcode: UInt8) {
            switch opcode {
            case 0x00..<0x40:
                switch opcode & 7 {
                case 0..<4: hasModRM = true
                case 4: immediate = .bytes(1)
                case 5: immediate = .operand
                default: return nil
                }
            case 0x50...0x5f, 0x6c...0x6f, 0x90...0x99, 0x9b...0x9f, 0xa4...0xa7, 0xaa...0xaf, 0xc3, 0xc9, 0xcb,
                0xcc, 0xcf, 0xd7, 0xec...0xef, 0xf1, 0xf4, 0xf5, 0xf8...0xfd:
                break
            case 0x63, 0x84...0x8f, 0xd0...0xd3, 0xd8...0xdf, 0xfe, 0xff: hasModRM = true
            case 0x68, 0xa9, 0xb8...0xbf: immediate = .operand
            case 0x69, 0x81, 0xc7: (hasModRM, immediate) = (true, .operand)
            case 0x6a, 0xa8, 0xb0...0xb7, 0xcd, 0xe4...0xe7: immediate = .bytes(1)
            case 0x6b, 0x80, 0x83, 0xc0, 0xc1, 0xc6: (hasModRM, immediate) = (true, .bytes(1))
            case 0x70...0x7f, 0xe0...0xe3, 0xeb: immediate = .branch8
            case 0xa0...0xa3: immediate = .bytes(8)
            case 0xc2, 0xca: immediate = .bytes(2)
            case 0xc8: immediate = .bytes(3)
            case 0xe8, 0xe9: immediate = .branch32
            case 0xf6, 0xf7: (hasModRM, immediate) = (true, .operandOfTest)
            default: return nil
            }
        }

        private init?(two opcode: UInt8, isVector: Bool) {
            switch opcode {
            case 0x77: break
            case 0x70...0x73, 0xc2, 0xc4...0xc6: (hasModRM, immediate) = (true, .bytes(1))
            case _ where isVector: hasModRM = true
            case 0x05...0x09, 0x0b, 0x30...0x37, 0xa0...0xa2, 0xa8...0xaa, 0xc8...0xcf: break
            case 0x80...0x8f: immediate = .branch32
            case 0x0f, 0xa4, 0xac, 0xba: (hasModRM, immediate) = (true, .bytes(1))
            case 0x04, 0x0a, 0x0c, 0x0e: return nil
            default: hasModRM = true
            }
        }
    }
}
