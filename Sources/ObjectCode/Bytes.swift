// Reading and writing integers in untrusted bytes. Every offset is checked; sums that would overflow are out of bounds.

/// Bytes of a file that may be damaged.
public struct Bytes: Sendable {
    public private(set) var content: [UInt8]

    public init(_ content: [UInt8]) {
        self.content = content
    }

    @inlinable public var count: Int { content.count }

    /// Whether `length` bytes at `offset` are there.
    @inlinable public func holds(_ offset: Int, _ length: Int) -> Bool {
        offset >= 0 && length >= 0 && offset <= content.count && length <= content.count - offset
    }

    @inlinable public subscript(offset: Int) -> UInt8? { holds(offset, 1) ? content[offset] : nil }

    /// The bytes, or nil if not all of them are there.
    @inlinable public func bytes(_ offset: Int, _ length: Int) -> ArraySlice<UInt8>? {
        holds(offset, length) ? content[offset..<offset + length] : nil
    }

    /// A little-endian number.
    @inlinable public func integer<Number: FixedWidthInteger>(_ offset: Int, as type: Number.Type) -> Number? {
        bytes(offset, MemoryLayout<Number>.size).flatMap { Number(littleEndianBytes: $0) }
    }

    /// A little-endian number of 64 bits that is an offset or a size: nil as well if it is no `Int`.
    @inlinable public func size(_ offset: Int) -> Int? {
        integer(offset, as: UInt64.self).flatMap { Int(exactly: $0) }
    }

    /// Text up to the next zero byte, which must come within `limit` bytes.
    public func text(_ offset: Int, limit: Int = 1 << 14) -> String? {
        guard holds(offset, 0) else { return nil }
        let end = min(content.count, offset + limit)
        guard let zero = content[offset..<end].firstIndex(of: 0) else { return nil }
        return String(decoding: content[offset..<zero], as: UTF8.self)
    }

    /// Overwrites bytes.
    ///
    /// - Precondition: They are there.
    public mutating func replace(_ offset: Int, with bytes: [UInt8]) {
        precondition(holds(offset, bytes.count), "a replacement lies within the file")
        content.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }

    /// Adds bytes at the end, after zeros up to a multiple of `alignment`.
    ///
    /// - Returns: Where they begin.
    public mutating func append(_ bytes: [UInt8], alignment: Int) -> Int {
        while content.count % alignment != 0 { content.append(0) }
        content += bytes
        return content.count - bytes.count
    }
}

extension FixedWidthInteger {
    /// The number whose bytes these are, the lowest first; nil of another count than it has.
    @inlinable public init?(littleEndianBytes bytes: ArraySlice<UInt8>) {
        guard bytes.count == MemoryLayout<Self>.size else { return nil }
        self = bytes.reversed().reduce(0) { $0 << 8 | Self(truncatingIfNeeded: $1) }
    }

    /// The bytes in little-endian order.
    public var littleEndianBytes: [UInt8] {
        (0..<MemoryLayout<Self>.size).map { UInt8(truncatingIfNeeded: self >> ($0 * 8)) }
    }
}
