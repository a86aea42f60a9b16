// The Swift side of `fl_workload_outcome` (Sources/Kernels/include/fl_workload.h).
//
// Every file in this folder uses the standard library only: the same files are compiled into the program and, as text,
// by the pipeline that builds the plain, checked and padded variants at run time.

/// Writes to the outcome of a run. Mirrors the offsets that `fl_workload.h` asserts.
struct CodeOutcome {
    private static let countsOffset = 8
    private static let messageOffset = 40
    private static let messageSize = 216

    private let base: UnsafeMutableRawPointer

    init(_ base: UnsafeMutableRawPointer) {
        self.base = base
    }

    /// Stores one of the four counts.
    func setCount(_ index: Int, _ value: UInt64) {
        base.storeBytes(of: value, toByteOffset: Self.countsOffset + 8 * index, as: UInt64.self)
    }

    /// Stores text for the caller, cut at the end of a character if it is too long.
    func setMessage(_ message: String) {
        var offset = Self.messageOffset
        for character in message {
            guard offset + character.utf8.count < Self.messageOffset + Self.messageSize else { break }
            for byte in character.utf8 {
                base.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
                offset += 1
            }
        }
        base.storeBytes(of: 0, toByteOffset: offset, as: UInt8.self)
    }

    /// Reports a failure with one line that says why.
    func fail(_ message: String) {
        base.storeBytes(of: 1, as: UInt64.self)
        setMessage(message)
    }
}

/// FNV-1a, 64 bit: offset basis and prime as published by Fowler, Noll and Vo.
struct FNVHash {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ byte: UInt8) {
        value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }

    /// Adds the eight bytes of a word, least significant first.
    mutating func add(word: UInt64) {
        var rest = word
        for _ in 0..<8 {
            add(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
    }

    /// Adds the UTF-8 of a string and a byte that UTF-8 never contains.
    mutating func add(text: String) {
        for byte in text.utf8 {
            add(byte)
        }
        add(0xff)
    }
}
