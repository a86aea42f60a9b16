// Sizes as people write them. Only binary units, with their binary names: `64k` could mean 64,000 or 65,536.

/// A number of bytes, read from and written as `16KiB`, `8MiB`, `1GiB` or plain bytes.
public struct ByteSize: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The number of bytes, 0 or more.
    public let bytes: Int

    /// The units with their factors, largest first.
    private static let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]

    /// A number of bytes.
    ///
    /// - Precondition: `bytes` is not negative.
    public init(bytes: Int) {
        precondition(bytes >= 0, "a size is not negative")
        self.bytes = bytes
    }

    /// Reads decimal digits, optionally followed by `KiB`, `MiB` or `GiB`.
    ///
    /// - Throws: ``ByteSizeError`` for anything else, and for more than `Int.max` bytes.
    public init(parsing text: String) throws(ByteSizeError) {
        let unit = Self.units.first { text.hasSuffix($0.0) }
        let digits = text.utf8.dropLast(unit?.0.utf8.count ?? 0)
        guard !digits.isEmpty, digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { throw .malformed(text) }
        // Nothing but digits is left, so only the range can be wrong.
        guard let number = Int(String(decoding: digits, as: UTF8.self)) else { throw .tooLarge(text) }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: unit?.1 ?? 1)
        guard !overflow else { throw .tooLarge(text) }
        self.bytes = bytes
    }

    /// The size in the largest unit that divides it; reads back as the same size.
    public var description: String {
        for (name, factor) in Self.units where bytes > 0 && bytes % factor == 0 {
            return "\(bytes / factor)\(name)"
        }
        return String(bytes)
    }

    public static func < (first: ByteSize, second: ByteSize) -> Bool {
        first.bytes < second.bytes
    }
}

/// Why a text is not a size; one line each.
public enum ByteSizeError: Error, Hashable, CustomStringConvertible {
    /// The text is not digits and a unit.
    case malformed(String)
    /// The size is not representable.
    case tooLarge(String)

    public var description: String {
        switch self {
        case .malformed(let text):
            "'\(text)' is not a size: write plain bytes (4096) or a whole number with KiB, MiB or GiB "
                + "(16KiB, 8MiB, 1GiB)"
        case .tooLarge(let text):
            "'\(text)' is too large: a size is at most \(Int.max) bytes"
        }
    }
}
