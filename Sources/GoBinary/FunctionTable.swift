// The functions of a Go program, from the table that its runtime uses for tracebacks (`.gopclntab`), which stripping
// keeps. Format: runtime/symtab.go (pcHeader, functab, _func) of Go 1.18 and later.
//
//     header    magic, 0, 0, 1, 8 | functions | files | text | names | units | files | pc tables | functions
//     functions entry offset, offset of the description (4 bytes each), one more entry offset at the end
//     description entry offset | name | arguments | deferreturn | pcsp | …, and flags in byte 41 (Go 1.19: 37);
//                 behind it as many words as it says of tables by address (pcdata), then of what else is kept
//                 (funcdata)

import ObjectCode

/// A function of a Go program.
public struct GoFunction: Sendable, Hashable {
    /// With its package: "runtime.newproc1".
    public let name: String
    /// Where it is loaded, the load address of a position-independent program taken as 0.
    public let address: UInt64
    /// Bytes up to the next function, padding included.
    public let size: Int
    /// How far it moves the stack pointer at most, in bytes, without what it calls; nil where the table does not say.
    public let frameSize: Int?
    /// Where in the file the depths of its stack are, by address; nil where the table does not say.
    var depths: Int?
    /// Whether it moves the stack pointer in ways that the depths do not tell (abi.FuncFlagSPWrite).
    var movesStackPointer = false
    /// Whether it is assembly (abi.FuncFlagAsm).
    var isAssembly = false
    /// What it says of functions that are inlined in it; nil where none are.
    var inlined: InlinedCalls?

    var end: UInt64 { address + UInt64(size) }
}

/// The table of functions.
struct FunctionTable: Sendable {
    let functions: [GoFunction]
    /// Where in the file the names begin.
    let names: Int
    /// The address of the runtime's own record, which points to the table (moduledata).
    let record: UInt64

    /// Go 1.18 and 1.19, and Go 1.20 and later.
    private static let magics: [UInt32] = [0xffff_fff0, 0xffff_fff1]
    private static let headerSize = 72
    /// Words of the runtime's own record that are looked at: from the first on, and some more than are needed.
    static let recordWords = 64
    // Bounds for files that are damaged. There is one table; text that looks like the start of one is rare.
    private static let maximumCandidates = 4
    /// Functions share names and tables of stack sizes; reading them takes at most this many steps for each byte of the
    /// file.
    static let maximumStepsPerByte = 4

    /// Where the parts are, as offsets in the file.
    private struct Layout {
        let start: Int
        let count: Int
        let names: Int
        let tables: Int
        let functions: Int
        /// Where a description has its flags.
        let flags: Int
    }

    init(_ file: ElfFile) throws(GoBinaryError) {
        let candidates = Self.candidates(file)
        guard !candidates.isEmpty else {
            throw GoBinaryError("not built by Go 1.18 or later, or packed: there is no table of functions in it")
        }
        for start in candidates.prefix(Self.maximumCandidates) {
            guard let layout = Self.layout(file.bytes, start), let (text, record) = Self.text(file, layout) else {
                continue
            }
            functions = try Self.functions(file, layout, text)
            names = layout.names
            self.record = record
            return
        }
        throw .malformed("its table of functions does not hold together")
    }

    /// Offsets at which a table may begin.
    private static func candidates(_ file: ElfFile) -> [Int] {
        var offsets: [Int] = []
        func consider(_ offset: Int) {
            guard let magic = file.bytes.integer(offset, as: UInt32.self), magics.contains(magic),
                let rest = file.bytes.bytes(offset + 4, 4), rest.elementsEqual([0, 0, 1, 8])
            else { return }
            offsets.append(offset)
        }
        for section in file.sections where section.name.hasSuffix(".gopclntab") { consider(section.offset) }
        if !offsets.isEmpty { return offsets }
        for segment in file.segments where segment.isLoaded {
            for offset in stride(from: segment.offset, to: segment.offset + segment.fileSize, by: 8) {
                if file.bytes[offset + 1] == 0xff { consider(offset) }
            }
        }
        return offsets
    }

    private static func layout(_ bytes: Bytes, _ start: Int) -> Layout? {
        guard bytes.holds(start, headerSize), let count = bytes.size(start + 8), let names = bytes.size(start + 32),
            let tables = bytes.size(start + 56), let functions = bytes.size(start + 64), count > 0,
            count < bytes.count / 8, [names, tables, functions].allSatisfy({ bytes.holds(start, $0) }),
            bytes.holds(start + functions, count * 8 + 4)
        else { return nil }
        // Go 1.20 put the number of a line in front of them.
        let flags = bytes.integer(start, as: UInt32.self) == magics[0] ? 37 : 41
        return Layout(
            start: start, count: count, names: start + names, tables: start + tables, functions: start + functions,
            flags: flags)
    }

    /// The address that entry offsets count from, and that of the runtime's own record. From Go 1.26 on only that
    /// record says the first: it points to the table and holds the first and the last address next to each other
    /// (moduledata's minpc and maxpc).
    private static func text(_ file: ElfFile, _ layout: Layout) -> (text: UInt64, record: UInt64)? {
        guard let first = file.bytes.integer(layout.functions, as: UInt32.self),
            let last = file.bytes.integer(layout.functions + layout.count * 8, as: UInt32.self), last > first,
            let table = file.address(of: layout.start)
        else { return nil }
        for pointer in pointers(to: table, in: file) {
            for word in 1..<recordWords {
                let here = pointer &+ UInt64(word * 8)
                guard let low = file.pointer(at: here), let high = file.pointer(at: here &+ 8),
                    low >= UInt64(first), high >= low, high - low == UInt64(last - first),
                    file.offset(of: low, length: Int(last - first)) != nil
                else { continue }
                return (low - UInt64(first), pointer)
            }
        }
        return nil
    }

    /// Addresses of words that hold `address` once the program is loaded.
    private static func pointers(to address: UInt64, in file: ElfFile) -> [UInt64] {
        var pointers = file.relocations.filter { $0.value == address }.map(\.key).sorted()
        for segment in file.segments where segment.isLoaded && !segment.isExecutable && segment.fileSize >= 8 {
            let skew = Int((8 - segment.address % 8) % 8)
            for within in stride(from: skew, through: segment.fileSize - 8, by: 8)
            where file.bytes.integer(segment.offset + within, as: UInt64.self) == address {
                pointers.append(segment.address + UInt64(within))
            }
        }
        return pointers
    }

    private static func functions(
        _ file: ElfFile, _ layout: Layout, _ text: UInt64
    ) throws(GoBinaryError) -> [GoFunction] {
        var functions: [GoFunction] = []
        functions.reserveCapacity(layout.count)
        var steps = maximumStepsPerByte * file.bytes.count
        for index in 0..<layout.count {
            let row = layout.functions + index * 8
            guard let entry = file.bytes.integer(row, as: UInt32.self),
                let next = file.bytes.integer(row + 8, as: UInt32.self), next >= entry,
                let description = file.bytes.integer(row + 4, as: UInt32.self),
                let name = file.bytes.integer(layout.functions + Int(description) + 4, as: UInt32.self),
                let pcsp = file.bytes.integer(layout.functions + Int(description) + 16, as: UInt32.self)
            else { throw .malformed("function \(index) has no description") }
            let size = Int(next - entry)
            guard file.offset(of: text &+ UInt64(entry), length: size) != nil,
                let title = file.bytes.text(layout.names + Int(name)), title.utf8.allSatisfy({ $0 >= 32 && $0 != 127 })
            else { throw .malformed("function \(index) is not in it") }
            let depths = layout.tables + Int(pcsp)
            let frame = pcsp == 0 ? nil : largest(file.bytes, depths, &steps).map { max(0, $0) }
            let flags = file.bytes[layout.functions + Int(description) + layout.flags] ?? 0
            steps -= title.utf8.count
            guard steps > 0 else { throw .malformed("its table of functions refers to itself over and over") }
            functions.append(
                GoFunction(
                    name: title, address: text + UInt64(entry), size: size, frameSize: frame,
                    depths: frame == nil ? nil : depths, movesStackPointer: flags & 2 != 0,
                    isAssembly: flags & 4 != 0,
                    inlined: InlinedCalls(
                        file.bytes, description: layout.functions + Int(description), flags: layout.flags,
                        tables: layout.tables)))
        }
        return functions
    }

    /// The largest value of a table by address, at least -1; nil where it does not hold together. Of `pcsp` it is how
    /// far the stack pointer is from its place at entry.
    static func largest(_ bytes: Bytes, _ start: Int, _ steps: inout Int) -> Int? {
        var offset = start
        var value = -1
        var largest = -1
        var isFirst = true
        while steps > 0 {
            steps -= 1
            guard let (step, afterStep) = VariableLength.number(bytes, offset), step <= 1 << 32 else { return nil }
            if step == 0, !isFirst { return largest }
            guard let (length, afterLength) = VariableLength.number(bytes, afterStep), length > 0 else { return nil }
            value += step & 1 == 0 ? Int(step >> 1) : -Int(step >> 1) - 1
            largest = max(largest, value)
            offset = afterLength
            isFirst = false
        }
        return nil
    }
}
