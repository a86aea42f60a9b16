// What Go's linker says about a build: the version and the settings (`runtime/debug.BuildInfo`). Format: the comment at
// the top of debug/buildinfo in Go's source.

import ObjectCode

/// The version that built a program, and how it was built.
public struct BuildInformation: Sendable, Hashable {
    /// As Go spells it, such as "go1.27.3".
    public let version: String
    /// What `go version -m` calls `build` lines, such as "-race": "true".
    public let settings: [String: String]

    private static let magic: [UInt8] = [0xff] + Array(" Go buildinf:".utf8)
    /// The header is found at such addresses only.
    private static let alignment = 16

    init(_ file: ElfFile) throws(GoBinaryError) {
        guard let start = Self.find(file) else { throw Self.withoutInformation(file) }
        guard let flags = file.bytes[start + 15], flags & 2 != 0 else {
            throw GoBinaryError("built by Go before 1.18")
        }
        guard let (version, next) = Self.string(file.bytes, start + 32), version.hasPrefix("go") else {
            throw GoBinaryError("no released version of Go built it, or a tool has garbled what it says about that")
        }
        self.version = version
        var settings: [String: String] = [:]
        if let (text, _) = Self.string(file.bytes, next) {
            for line in text.split(separator: "\n") where line.hasPrefix("build\t") {
                let parts = line.dropFirst(6).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                if parts.count == 2 { settings[String(parts[0])] = String(parts[1]) }
            }
        }
        self.settings = settings
    }

    /// What can be said of a program that says nothing of itself.
    private static func withoutInformation(_ file: ElfFile) -> GoBinaryError {
        // The header of what UPX adds (its src/header.S) names it near the start.
        if let start = file.bytes.bytes(0, min(file.bytes.count, 1024)), !start.ranges(of: Array("UPX!".utf8)).isEmpty {
            return GoBinaryError("packed by UPX; unpack it first: upx -d")
        }
        if file.sections.contains(where: { $0.name == ".go_export" }) {
            return GoBinaryError("built by gccgo; only programs of Go's own compiler, gc, are understood")
        }
        if file.sections.contains(where: { $0.name.hasSuffix(".gopclntab") }) {
            return GoBinaryError("built by Go before 1.13, or its build information is taken out")
        }
        return GoBinaryError("not built by Go, or packed: there is no build information in it")
    }

    private static func find(_ file: ElfFile) -> Int? {
        if let section = file.sections.first(where: { $0.name == ".go.buildinfo" }),
            file.bytes.bytes(section.offset, magic.count).map({ $0.elementsEqual(magic) }) == true
        {
            return section.offset
        }
        for segment in file.segments where segment.isLoaded {
            var offset = segment.offset
            while let found = file.bytes.bytes(offset, 32) {
                if offset >= segment.offset + segment.fileSize { break }
                // The pointer size of AMD64 and flags that a linker writes.
                if found.starts(with: magic), found[offset + 14] == 8 || found[offset + 15] & 2 != 0 { return offset }
                offset += alignment
            }
        }
        return nil
    }

    /// Text behind its length, which is a variable-length number.
    private static func string(_ bytes: Bytes, _ offset: Int) -> (String, next: Int)? {
        guard let (length, start) = VariableLength.number(bytes, offset), let size = Int(exactly: length),
            let text = bytes.bytes(start, size)
        else { return nil }
        return (String(decoding: text, as: UTF8.self), start + size)
    }

    /// Experiments of the compiler and the runtime that were switched on or off, as in "go1.21.13 X:boringcrypto" and
    /// "go1.27.3-X:boringcrypto"; nil where none were.
    var experiments: String? {
        guard let mark = version.firstRange(of: "X:"), let before = version[..<mark.lowerBound].last,
            " -".contains(before), mark.upperBound < version.endIndex
        else { return nil }
        return String(version[mark.upperBound...])
    }

    /// "1.27" of "go1.27.3"; nil for what is no release: a development version, or one with experiments.
    var minorVersion: Int? {
        let parts = version.dropFirst(2).split(separator: ".", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count), parts[0] == "1",
            parts.dropFirst().allSatisfy({ !$0.isEmpty && $0.allSatisfy(\.isNumber) })
        else { return nil }
        return Int(parts[1])
    }
}

/// Numbers in groups of seven bits, the lowest first (encoding/binary's Uvarint).
enum VariableLength {
    static func number(_ bytes: Bytes, _ offset: Int) -> (UInt64, next: Int)? {
        var number: UInt64 = 0
        for index in 0..<10 {
            guard let byte = bytes[offset + index] else { return nil }
            number |= UInt64(byte & 0x7f) << (7 * UInt64(index))
            if byte < 0x80 { return (number, offset + index + 1) }
        }
        return nil
    }
}
