// What replaces a check, byte for byte as long as the check was, so that nothing else moves.

extension StackCheck {
    /// No-ops of the lengths that Intel's manual recommends (volume 2, NOP), by length.
    private static let noOps: [[UInt8]] = [
        [], [0x90], [0x66, 0x90], [0x0f, 0x1f, 0x00], [0x0f, 0x1f, 0x40, 0x00], [0x0f, 0x1f, 0x44, 0x00, 0x00],
        [0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00], [0x0f, 0x1f, 0x80, 0, 0, 0, 0], [0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0],
        [0x66, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0],
    ]

    /// Instructions that do nothing, as few as possible.
    static func noOperation(_ length: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < length { bytes += noOps[min(noOps.count - 1, length - bytes.count)] }
        return bytes
    }

    /// Bytes of the guard below a stack, a page: a probe must not read beyond it.
    private static let guardSize = 4096

    /// The largest frame whose probe reads no deeper than that.
    static func largestFrame(reach: Int) -> Int { guardSize - reach }

    /// A load that faults exactly when the check fails, and no-ops; nil where it would read beyond the guard, and in
    /// functions of a system stack. What is added to its address stands in the GS base (GoStubs/growth.S), so that six
    /// bytes are enough.
    static func probe(_ hot: ArraySlice<UInt8>, reach: Int) -> [UInt8]? {
        guard let pattern = Pattern(hot, at: hot.startIndex), pattern.length == hot.count, pattern.guardOffset == 0x10,
            let depth = pattern.depth(hot)
        else { return nil }
        let distance = depth + smallFrame
        guard depth >= 0, distance <= largestFrame(reach: reach) else { return nil }
        // test gs:[rsp-distance], al
        let load = [0x65, 0x84] + stackOperand(0, -distance)
        return load + noOperation(hot.count - load.count)
    }

    /// Operand bytes of an instruction that takes what lies `displacement` bytes from the stack pointer.
    static func stackOperand(_ register: UInt8, _ displacement: Int) -> [UInt8] {
        let modRM = register << 3 | 0x44
        return Int8(exactly: displacement).map { [modRM, 0x24, UInt8(bitPattern: $0)] }
            ?? [modRM ^ 0xc0, 0x24] + Int32(displacement).littleEndianBytes
    }

    /// The same comparison the other way round: `cmp [r14+G], rsp; jae` for `cmp rsp, [r14+G]; jbe`.
    static func reversed(_ hot: ArraySlice<UInt8>) -> [UInt8]? {
        guard let pattern = Pattern(hot, at: hot.startIndex), pattern.length == hot.count,
            let last = pattern.branches.last
        else { return nil }
        var bytes = Array(hot)
        // The opcode behind the REX prefix: from "register with memory" to "memory with register".
        bytes[pattern.compare + 1] = 0x39
        // From "below or equal" to "above or equal".
        if last.length == 2 { bytes[last.offset] = 0x73 } else { bytes[last.offset + 1] = 0x83 }
        return bytes
    }
}
