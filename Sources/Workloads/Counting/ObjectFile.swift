// Just enough of ELF for 64-bit x86: the functions of a shared object and how much code it has. Every offset in the
// file is checked before it is used, because the file may be anything.

import Processes

/// The functions in a shared object.
struct ObjectFile {
    struct Function {
        var name: String
        /// The bytes, as a slice of the file's.
        var code: ArraySlice<UInt8>
    }

    private let bytes: [UInt8]
    private var sections: [Section] = []
    /// All functions of the symbol table that have a size, each address once: several names are one function.
    private(set) var functions: [Function] = []
    /// The size of `.text`.
    private(set) var textSize = 0

    private struct Section {
        var label = ""
        var name, address, offset, size, link: Int
    }

    init(_ path: String) throws(ProcessError) {
        bytes = try Files.read(path)
        do throws(Malformed) {
            try readSections()
            try readFunctions()
        } catch {
            throw ProcessError("\(path) is not a 64-bit ELF file with a symbol table")
        }
    }

    private struct Malformed: Error {}

    private func section(_ label: String) throws(Malformed) -> Section {
        guard let section = sections.first(where: { $0.label == label }) else { throw Malformed() }
        return section
    }

    /// System V ABI, "Object Files": the header, and section headers of 64 bytes.
    private mutating func readSections() throws(Malformed) {
        guard bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46, 2, 1]) else { throw Malformed() }
        let (table, count) = (try number(40, 8), try number(60, 2))
        for index in 0..<count {
            let header = table + 64 * index
            sections.append(
                Section(
                    name: try number(header, 4), address: try number(header + 16, 8),
                    offset: try number(header + 24, 8), size: try number(header + 32, 8),
                    link: try number(header + 40, 4)))
        }
        let names = try number(62, 2)
        guard sections.indices.contains(names) else { throw Malformed() }
        for index in sections.indices {
            sections[index].label = try text(sections[names].offset + sections[index].name)
        }
    }

    /// Symbols have 24 bytes; type 2 is a function.
    private mutating func readFunctions() throws(Malformed) {
        let (code, table) = (try section(".text"), try section(".symtab"))
        guard sections.indices.contains(table.link) else { throw Malformed() }
        textSize = code.size
        var seen: Set<Int> = []
        for symbol in stride(from: table.offset, to: table.offset + table.size, by: 24) {
            let (address, size) = (try number(symbol + 8, 8), try number(symbol + 16, 8))
            guard try number(symbol + 4, 1) & 15 == 2, size > 0, address >= code.address,
                address < code.address + code.size, seen.insert(address).inserted
            else { continue }
            let start = address - code.address + code.offset
            guard start >= 0, start <= bytes.count, size <= bytes.count - start else { throw Malformed() }
            functions.append(
                Function(
                    name: try text(sections[table.link].offset + number(symbol, 4)), code: bytes[start..<start + size]))
        }
    }

    /// `size` bytes at `offset`, little endian. Numbers that no file of this size can hold are malformed.
    private func number(_ offset: Int, _ size: Int) throws(Malformed) -> Int {
        guard offset >= 0, offset <= bytes.count - size else { throw Malformed() }
        var value: UInt64 = 0
        for index in (0..<size).reversed() { value = value << 8 | UInt64(bytes[offset + index]) }
        guard value < 1 << 48 else { throw Malformed() }
        return Int(value)
    }

    private func text(_ offset: Int) throws(Malformed) -> String {
        guard bytes.indices.contains(offset), let end = bytes[offset...].firstIndex(of: 0) else { throw Malformed() }
        return String(decoding: bytes[offset..<end], as: UTF8.self)
    }
}
