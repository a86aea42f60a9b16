// Reading and writing integers in a byte array whose content nobody vouches for. Every offset is checked; sums that
// would overflow are out of bounds.

/// Bytes of a file that may be damaged.
struct Bytes: Sendable {
    private(set) var content: [UInt8]

    init(_ content: [UInt8]) {
        self.content = content
    }

    var count: Int { content.count }

    /// Whether `length` bytes at `offset` are there.
    func holds(_ offset: Int, _ length: Int) -> Bool {
        offset >= 0 && length >= 0 && offset <= content.count && length <= content.count - offset
    }

    subscript(offset: Int) -> UInt8? { holds(offset, 1) ? content[offset] : nil }

    /// The bytes, or nil if not all of them are there.
    func bytes(_ offset: Int, _ length: Int) -> ArraySlice<UInt8>? {
        holds(offset, length) ? content[offset..<offset + length] : nil
    }

    /// A little-endian number.
    func integer<Number: FixedWidthInteger & UnsignedInteger>(_ offset: Int, as type: Number.Type) -> Number? {
        guard holds(offset, MemoryLayout<Number>.size) else { return nil }
        var number: Number = 0
        for index in (0..<MemoryLayout<Number>.size).reversed() {
            number = number << 8 | Number(content[offset + index])
        }
        return number
    }

    /// A little-endian number of 64 bits that is an offset or a size: nil as well if it is no `Int`.
    func size(_ offset: Int) -> Int? {
        integer(offset, as: UInt64.self).flatMap { Int(exactly: $0) }
    }

    /// Text up to the next zero byte, which must come within `limit` bytes.
    func text(_ offset: Int, limit: Int = 1 << 14) -> String? {
        guard holds(offset, 0) else { return nil }
        let end = min(content.count, offset + limit)
        guard let zero = content[offset..<end].firstIndex(of: 0) else { return nil }
        return String(decoding: content[offset..<zero], as: UTF8.self)
    }

    /// Overwrites bytes.
    ///
    /// - Precondition: They are there.
    mutating func replace(_ offset: Int, with bytes: [UInt8]) {
        precondition(holds(offset, bytes.count), "a replacement lies within the file")
        content.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }

    /// Adds bytes at the end, after zeros up to a multiple of `alignment`.
    ///
    /// - Returns: Where they begin.
    mutating func append(_ bytes: [UInt8], alignment: Int) -> Int {
        while content.count % alignment != 0 { content.append(0) }
        content += bytes
        return content.count - bytes.count
    }
}

extension FixedWidthInteger {
    /// The bytes in little-endian order.
    var littleEndianBytes: [UInt8] {
        (0..<MemoryLayout<Self>.size).map { UInt8(truncatingIfNeeded: self >> ($0 * 8)) }
    }
}
