// The functions that a file's symbol table names, with their code.

extension ElfFile {
    /// A function of the symbol table.
    public struct Function: Sendable {
        public var name: String
        public var address: UInt64
        /// The bytes, as a slice of the file's.
        public var code: ArraySlice<UInt8>
    }

    /// The section of that name.
    public func section(_ name: String) throws(ElfError) -> Section {
        guard let section = sections.first(where: { $0.name == name }) else { throw .malformed("it has no \(name)") }
        return section
    }

    /// All functions in `.text` that have a size, each address once: several names are one function.
    public func functions() throws(ElfError) -> [Function] {
        let (text, table) = (try section(".text"), try section(".symtab"))
        // Section 0 stands for none.
        guard table.link > 0, table.link < sections.count, bytes.holds(text.offset, text.size),
            bytes.holds(table.offset, table.size), bytes.holds(sections[table.link].offset, 0)
        else { throw .malformed("its symbol table does not hold together") }
        let names = sections[table.link].offset
        var functions: [Function] = []
        var seen: Set<UInt64> = []
        // Symbols have 24 bytes; type 2 is a function.
        for symbol in stride(from: table.offset, to: table.offset + table.size - 23, by: 24) {
            guard let kind = bytes[symbol + 4], kind & 15 == 2, let name = bytes.integer(symbol, as: UInt32.self),
                let address = bytes.integer(symbol + 8, as: UInt64.self),
                let size = bytes.integer(symbol + 16, as: UInt64.self), size > 0,
                address >= text.address, address - text.address < UInt64(text.size), seen.insert(address).inserted
            else { continue }
            guard let size = Int(exactly: size),
                let code = bytes.bytes(text.offset + Int(address - text.address), size),
                let name = bytes.text(names + Int(name))
            else { throw .malformed("a function is not in it") }
            functions.append(Function(name: name, address: address, code: code))
        }
        return functions
    }
}
