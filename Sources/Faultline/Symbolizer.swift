internal import CShim
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// One frame of a backtrace.
public struct StackFrame: Sendable, CustomStringConvertible {
    /// The instruction, or the return address into the frame.
    public let address: UInt
    /// Path of the executable or library.
    public let image: String
    /// The demangled function, and how far into it the address lies; nil where the image has no symbol for it.
    public let symbol: String?
    /// Bytes from the start of the function, or of the image where there is no symbol.
    public let offset: Int

    public var description: String {
        let name = image.split(separator: "/").last.map(String.init) ?? image
        return "0x\(String(address, radix: 16)) \(symbol ?? "?") + \(offset) in \(name)"
    }
}

/// Names of addresses, from the symbol tables in the images' files. Never used inside a handler.
enum Symbolizer {
    private struct Symbol { let start: UInt, size: UInt, name: Int }
    private struct Table { let symbols: [Symbol], names: [UInt8] }
    private static let tables = Mutex<[String: Table]>([:])

    /// `areCalls`: the first address is one that a call returns to, as all others are.
    static func frames(at addresses: [UInt], areCalls: Bool = false) -> [StackFrame] {
        addresses.enumerated().map { index, address in
            // A return address may already belong to the next function.
            frame(at: address, lookup: index == 0 && !areCalls ? address : address - 1)
        }
    }

    private static func frame(at address: UInt, lookup: UInt) -> StackFrame {
        let loaded = fl_image_of(lookup)
        guard let path = loaded.path else {
            return StackFrame(address: address, image: "unknown", symbol: nil, offset: 0)
        }
        let start = loaded.base
        let image = String(cString: path)
        let file = loaded.is_executable ? "/proc/self/exe" : image
        // Read without the lock: an overflow of this stack would otherwise leave it locked for ever.
        let known = tables.withLock { $0[file] }
        let table = known ?? readTable(file) ?? Table(symbols: [], names: [])
        if known == nil { tables.withLock { $0[file] = table } }
        // Position-independent images: symbol values are offsets from where the image was loaded.
        for value in [lookup - start, lookup] {
            if let symbol = find(value, in: table) {
                return StackFrame(
                    address: address, image: image, symbol: demangled(name(symbol, in: table)),
                    offset: Int(value - symbol.start) + Int(address - lookup))
            }
        }
        return StackFrame(address: address, image: image, symbol: nil, offset: Int(address - start))
    }

    private static func find(_ value: UInt, in table: Table) -> Symbol? {
        var low = 0
        var high = table.symbols.count
        while low < high {
            let middle = (low + high) / 2
            if table.symbols[middle].start <= value { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return nil }
        let symbol = table.symbols[low - 1]
        return value - symbol.start < max(symbol.size, 1) ? symbol : nil
    }

    private static func name(_ symbol: Symbol, in table: Table) -> String {
        String(decoding: table.names[symbol.name...].prefix { $0 != 0 }, as: UTF8.self)
    }

    // Section headers of a 64-bit little-endian ELF file (elf(5)): the static symbol table, else the dynamic one.
    private static func readTable(_ path: String) -> Table? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        func bytes(_ offset: UInt64, _ count: Int) -> [UInt8]? {
            guard count >= 0, count < 1 << 30, fseek(file, Int(offset), SEEK_SET) == 0 else { return nil }
            let data = [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
                used = fread(buffer.baseAddress, 1, count, file)
            }
            return data.count == count ? data : nil
        }
        guard let header = bytes(0, 64), header.starts(with: [0x7f, 0x45, 0x4c, 0x46, 2, 1]) else { return nil }
        let sections = Int(header.number(60, UInt16.self))
        guard header.number(58, UInt16.self) == 64, let table = bytes(header.number(40, UInt64.self), sections * 64)
        else { return nil }
        func content(_ section: Int) -> [UInt8]? {
            bytes(table.number(section * 64 + 24, UInt64.self), Int(table.number(section * 64 + 32, UInt64.self)))
        }
        // SHT_SYMTAB, SHT_DYNSYM and STT_FUNC of the ELF specification.
        let (symbolTable, dynamicSymbols, function) = (UInt32(2), UInt32(11), UInt8(2))
        for wanted in [symbolTable, dynamicSymbols] {
            for section in 0..<sections where table.number(section * 64 + 4, UInt32.self) == wanted {
                let link = Int(table.number(section * 64 + 40, UInt32.self))
                guard link < sections, let entries = content(section), let names = content(link) else { return nil }
                var symbols: [Symbol] = []
                for entry in stride(from: 0, to: entries.count - 23, by: 24)
                where entries[entry + 4] & 15 == function && entries.number(entry + 6, UInt16.self) != 0 {
                    let name = Int(entries.number(entry, UInt32.self))
                    guard name < names.count else { continue }
                    symbols.append(
                        Symbol(
                            start: UInt(entries.number(entry + 8, UInt64.self)),
                            size: UInt(entries.number(entry + 16, UInt64.self)), name: name))
                }
                return Table(symbols: symbols.sorted { $0.start < $1.start }, names: names)
            }
        }
        return nil
    }

    @_silgen_name("swift_demangle")
    private static func swiftDemangle(
        _ name: UnsafePointer<CChar>?, _ length: UInt, _ buffer: UnsafeMutablePointer<CChar>?,
        _ size: UnsafeMutablePointer<UInt>?, _ flags: UInt32
    ) -> UnsafeMutablePointer<CChar>?

    private static func demangled(_ name: String) -> String {
        guard name.hasPrefix("$s") || name.hasPrefix("_$s") else { return name }
        let result = name.withCString { swiftDemangle($0, UInt(strlen($0)), nil, nil, 0) }
        guard let result else { return name }
        defer { free(result) }
        return String(cString: result)
    }
}

extension [UInt8] {
    /// A little-endian number at a byte offset that the caller has checked.
    fileprivate func number<T: FixedWidthInteger>(_ offset: Int, _: T.Type) -> T {
        var value: T = 0
        for byte in (0..<MemoryLayout<T>.size).reversed() { value = value << 8 | T(self[offset + byte]) }
        return value
    }
}
