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
