// Where a function goes: its calls, its jumps out of itself, and those whose target a register or memory holds. Jumps
// through a table of the function's own parts, which compilers make of a switch, are told from calls by what the table
// holds; one that is not recognized counts as a call of something unknown.

import ObjectCode

/// One way out of a function.
struct CallSite: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case call(UInt64)
        /// A tail call: the return address is that of the function's own caller.
        case jump(UInt64)
        case indirectCall, indirectJump
    }
    let kind: Kind
    /// Of the instruction, from the function's first byte.
    let offset: Int
}

/// Reads the instructions of one function after another.
struct CallScan {
    private let file: ElfFile
    private let code: ArraySlice<UInt8>
    private let address: UInt64
    private var offset: Int
    /// What each register was last given the address of, by its number: the tables that jumps use.
    private var tables = [UInt64?](repeating: nil, count: 16)
    /// Whether the instruction before makes an address of an offset in a table, and to which register.
    private var relative: Relative?
    /// Whether what is behind `offset` was no instruction.
    private(set) var isUnclear = false

    private enum Relative {
        case loaded
        case added(Int)
    }

    /// - Parameter code: A slice of the bytes of `file`, which is loaded at `address`.
    init(_ code: ArraySlice<UInt8>, at address: UInt64, in file: ElfFile) {
        (self.file, self.code, self.address) = (file, code, address)
        offset = code.startIndex
    }

    /// The next way out; nil at the end of the function, and where it is not understood.
    mutating func next() -> CallSite? {
        while offset < code.endIndex {
            guard let instruction = Instruction(code, at: offset) else {
                isUnclear = true
                return nil
            }
            let start = offset
            offset += instruction.length
            let site = kind(of: instruction)
            note(instruction)
            if let site { return CallSite(kind: site, offset: start - code.startIndex) }
        }
        return nil
    }

    private func kind(of instruction: Instruction) -> CallSite.Kind? {
        if let branch = instruction.branch {
            let target = address &+ UInt64(bitPattern: Int64(offset - code.startIndex + branch))
            if instruction.isCall { return .call(target) }
            return contains(target) ? nil : .jump(target)
        }
        guard instruction.map == .one, instruction.opcode == 0xff else { return nil }
        switch instruction.register {
        case 2, 3: return .indirectCall
        case 4, 5: return isTable(instruction) ? nil : .indirectJump
        default: return nil
        }
    }

    private func contains(_ target: UInt64) -> Bool { target >= address && target - address < UInt64(code.count) }

    /// Whether a jump goes by a table to a part of this function.
    private func isTable(_ instruction: Instruction) -> Bool {
        guard let modRM = instruction.modRM else { return false }
        let register = Int(modRM & 7 | instruction.rex << 3 & 8)
        if modRM >> 6 == 3 {
            if case .added(register)? = relative { return true }
            return false
        }
        // [base + index * 8], or [table + index * 8]
        guard modRM & 7 == 4, let scaled = operand(of: instruction, modRM), scaled.byte >> 6 == 3 else { return false }
        let base = scaled.hasNoBase ? 0 : tables[Int(scaled.byte & 7 | instruction.rex << 3 & 8)]
        return base.flatMap { file.pointer(at: $0 &+ scaled.displacement) }.map(contains) ?? false
    }

    /// The byte behind ModRM of a jump, and the displacement behind that.
    private func operand(
        of instruction: Instruction, _ modRM: UInt8
    ) -> (byte: UInt8, hasNoBase: Bool, displacement: UInt64)? {
        let bytes = code[offset - instruction.length..<offset]
        // No prefix has the value of this opcode.
        guard let opcode = bytes.firstIndex(of: 0xff), opcode + 2 < offset else { return nil }
        let byte = bytes[opcode + 2]
        let hasNoBase = modRM >> 6 == 0 && byte & 7 == 5
        let rest = bytes[(opcode + 3)...]
        let displacement =
            rest.count == 1
            ? Int(Int8(bitPattern: rest[opcode + 3])) : Int32(littleEndianBytes: rest).map(Int.init) ?? 0
        return (byte, hasNoBase, UInt64(bitPattern: Int64(displacement)))
    }

    /// Remembers what a later jump may use.
    private mutating func note(_ instruction: Instruction) {
        let before = relative
        relative = nil
        guard instruction.map == .one, let modRM = instruction.modRM, let register = instruction.register else {
            return
        }
        let wide = Int(register | instruction.rex << 1 & 8)
        switch instruction.opcode {
        case 0x8d:
            tables[wide] = instruction.ripDisplacement.map {
                address &+ UInt64(bitPattern: Int64(offset - code.startIndex + $0))
            }
        case 0x63 where modRM >> 6 == 0 && modRM & 7 == 4: relative = .loaded
        case 0x01 where modRM >> 6 == 3:
            if case .loaded? = before { relative = .added(Int(modRM & 7 | instruction.rex << 3 & 8)) }
        case 0x03 where modRM >> 6 == 3:
            if case .loaded? = before { relative = .added(wide) }
        default: break
        }
    }
}

/// How deep the stack is at each instruction of a function, in ascending order of addresses.
struct StackDepths {
    private let bytes: Bytes
    private var position: Int
    private var end = 0
    private var value = -1
    private var isFirst = true

    /// - Parameter start: Where the table is in the file.
    init(_ bytes: Bytes, at start: Int) {
        self.bytes = bytes
        position = start
    }

    /// The depth at an offset from the function's first byte, which is not less than that of the call before; nil where
    /// the table does not reach so far.
    ///
    /// - Complexity: All calls for one function together take no more steps than it has bytes.
    mutating func depth(at offset: Int) -> Int? {
        while end <= offset {
            guard let (step, afterStep) = VariableLength.number(bytes, position), step <= 1 << 32,
                step != 0 || isFirst, let (length, afterLength) = VariableLength.number(bytes, afterStep), length > 0,
                length <= UInt64(bytes.count)
            else { return nil }
            value += step & 1 == 0 ? Int(step >> 1) : -Int(step >> 1) - 1
            end += Int(length)
            position = afterLength
            isFirst = false
        }
        return value >= 0 ? value : nil
    }
}
