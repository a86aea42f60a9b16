// Memory whose end no access crosses unseen: what is read or written one byte further faults.
import Glibc

final class GuardedBytes {
    let start: UnsafeMutableRawPointer
    let count: Int
    private let mapping: UnsafeMutableRawPointer
    private let pages: Int

    /// `count` bytes, zero, whose last one is the last of its page. Nothing behind it may be accessed.
    init(_ count: Int) {
        self.count = count
        pages = (count + 4095) / 4096 + 1
        mapping = mmap(nil, pages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        precondition(mapping != MAP_FAILED && mprotect(mapping + (pages - 1) * 4096, 4096, PROT_NONE) == 0)
        start = mapping + (pages - 1) * 4096 - count
    }

    convenience init(_ bytes: some Collection<UInt8>) {
        self.init(bytes.count)
        for (index, byte) in bytes.enumerated() { self[index] = byte }
    }

    deinit { munmap(mapping, pages * 4096) }

    var address: UInt { UInt(bitPattern: start) }
    var end: UInt { address + UInt(count) }
    var bytes: UnsafeMutablePointer<UInt8> { start.assumingMemoryBound(to: UInt8.self) }

    subscript(index: Int) -> UInt8 {
        get { bytes[index] }
        set { bytes[index] = newValue }
    }
}

extension FixedWidthInteger {
    /// Lowest byte first.
    var littleEndianBytes: [UInt8] { withUnsafeBytes(of: littleEndian) { Array($0) } }
}

/// LEB128 without a sign.
func uleb(_ value: UInt64) -> [UInt8] {
    var rest = value
    var bytes: [UInt8] = []
    repeat {
        bytes.append(UInt8(rest & 0x7f) | (rest > 0x7f ? 0x80 : 0))
        rest >>= 7
    } while rest != 0
    return bytes
}
