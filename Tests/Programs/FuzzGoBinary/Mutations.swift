// How an input is made from another: what damage, and what an attacker, would do to a file.

import Measurement

/// Changes of a byte string.
enum Mutation: CaseIterable {
    case flip, byte, extreme, offset, truncation, splice, copy

    /// Larger inputs are only slower.
    static let longest = 1 << 16

    /// Numbers at which sums overflow or bounds are just missed.
    private static let extremes: [UInt64] = [
        0, 1, 7, 8, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1 << 47 - 1,
        1 << 47,
        1 << 62, 1 << 63 - 1, 1 << 63, .max - 7, .max,
    ]

    /// One to eight changes of `input`, with pieces of `other`.
    static func mutate(_ input: [UInt8], with other: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = input
        for _ in 0..<Int.random(in: 1...8, using: &random) where !bytes.isEmpty {
            allCases.randomElement(using: &random)!.apply(&bytes, other, &random)
        }
        return Array(bytes.prefix(longest))
    }

    private func apply(_ bytes: inout [UInt8], _ other: [UInt8], _ random: inout SeededGenerator) {
        let offset = Int.random(in: 0..<bytes.count, using: &random)
        switch self {
        case .flip: bytes[offset] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case .byte: bytes[offset] = UInt8.random(in: 0...255, using: &random)
        case .extreme: Self.store(Self.extremes.randomElement(using: &random)!, &bytes, offset, &random)
        case .offset:
            Self.store(UInt64.random(in: 0...UInt64(2 * bytes.count), using: &random), &bytes, offset, &random)
        case .truncation:
            // Rare: a short input is mostly refused at once.
            if Int.random(in: 0..<8, using: &random) == 0 { bytes.removeSubrange(offset...) }
        case .splice:
            guard !other.isEmpty else { return }
            let start = Int.random(in: 0..<other.count, using: &random)
            Self.overwrite(&bytes, offset, other[start...].prefix(Int.random(in: 1...256, using: &random)))
        case .copy:
            let start = Int.random(in: 0..<bytes.count, using: &random)
            Self.overwrite(&bytes, offset, bytes[start...].prefix(Int.random(in: 1...128, using: &random)))
        }
    }

    /// Writes a number of 2, 4 or 8 bytes where such a field would be.
    private static func store(_ number: UInt64, _ bytes: inout [UInt8], _ offset: Int, _ random: inout SeededGenerator)
    {
        let size = [2, 4, 8].randomElement(using: &random)!
        let start = offset / min(size, 4) * min(size, 4)
        for index in 0..<size where start + index < bytes.count {
            bytes[start + index] = UInt8(truncatingIfNeeded: number >> (8 * index))
        }
    }

    private static func overwrite(_ bytes: inout [UInt8], _ offset: Int, _ piece: ArraySlice<UInt8>) {
        let piece = Array(piece.prefix(bytes.count - offset))
        bytes.replaceSubrange(offset..<offset + piece.count, with: piece)
    }
}
