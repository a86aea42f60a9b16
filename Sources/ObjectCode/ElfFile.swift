// The parts of an ELF file that a running program has: segments, and where the loader puts their bytes. Sections are
// used where they are there, but a program without them runs as well. Layout: System V ABI, chapters 4 and 5, and its
// supplement for AMD64. Invariant: the bytes of every loaded segment are in the file; sections may lie anywhere, so
// their users check.

/// An executable or a shared object for Linux on x86-64.
public struct ElfFile: Sendable {
    /// What one program header says.
    public struct Segment: Sendable {
        public var kind: UInt32
        /// 1 executable, 2 writable, 4 readable.
        public var flags: UInt32
        public var offset: Int
        public var address: UInt64
        public var fileSize: Int
        public var memorySize: Int
        public var alignment: UInt64

        public var isLoaded: Bool { kind == Self.load }
        public var isExecutable: Bool { flags & 1 != 0 }
        public var isWritable: Bool { flags & 2 != 0 }

        public static let load: UInt32 = 1
        public static let dynamic: UInt32 = 2
        public static let note: UInt32 = 4
        public static let headers: UInt32 = 6
        public static let threadStorage: UInt32 = 7
        /// Flags for kernels with a patch of their own (PT_PAX_FLAGS), which Go wrote until 1.26.
        public static let paxFlags: UInt32 = 0x6504_1580
        public static let size = 56

        public var bytes: [UInt8] {
            kind.littleEndianBytes + flags.littleEndianBytes + offset.littleEndianBytes + address.littleEndianBytes
                + address.littleEndianBytes + fileSize.littleEndianBytes + memorySize.littleEndianBytes
                + alignment.littleEndianBytes
        }
    }

    /// What one section header says.
    public struct Section: Sendable {
        public var name: String
        public var address: UInt64
        public var offset: Int
        public var size: Int
        /// The section that this one refers to, such as a symbol table to its names.
        public var link: Int
    }

    /// Linkers make a dozen; the bound is for files that are damaged.
    private static let maximumSegments = 64
    private static let sectionSize = 64
    /// Code reaches so far, and with it what is added.
    private static let reach: UInt64 = 1 << 31

    public var bytes: Bytes
    public private(set) var segments: [Segment]
    public let sections: [Section]
    /// Whether the loader chooses where it goes.
    public let isPositionIndependent: Bool
    /// What the loader adds to the load address and stores, by where it stores it.
    public let relocations: [UInt64: UInt64]
    /// Where a variable of this program in thread-local storage is, from the thread pointer, by where the loader stores
    /// that number.
    public let threadOffsets: [UInt64: Int64]
    private let headerOffset: Int

    /// Reads headers; nothing is loaded or run.
    public init(_ content: [UInt8]) throws(ElfError) {
        bytes = Bytes(content)
        guard content.starts(with: [0x7f, 0x45, 0x4c, 0x46]) else { throw ElfError.notELF }
        guard bytes[4] == 2, bytes[5] == 1, bytes.integer(18, as: UInt16.self) == 62 else {
            throw ElfError.otherProcessor
        }
        if let system = Self.otherSystem(bytes[7] ?? 0) { throw ElfError.otherSystem(system) }
        switch bytes.integer(16, as: UInt16.self) {
        case 2: isPositionIndependent = false
        case 3: isPositionIndependent = true
        default: throw ElfError.notExecutable
        }
        guard let start = bytes.size(32), let entrySize = bytes.integer(54, as: UInt16.self),
            let count = bytes.integer(56, as: UInt16.self), Int(entrySize) == Segment.size, count > 0,
            bytes.holds(start, Int(count) * Segment.size)
        else { throw .malformed("the program headers are not within it") }
        guard count <= Self.maximumSegments else { throw .malformed("it has \(count) program headers") }
        headerOffset = start
        segments = []
        for index in 0..<Int(count) {
            segments.append(try Self.segment(bytes, start + index * Segment.size))
        }
        guard segments.contains(where: { $0.isLoaded && $0.isExecutable }) else {
            throw .malformed("no segment is executable")
        }
        // Each is searched; that stays within the size of the file unless they share bytes.
        guard segments.reduce(0, { $0 + ($1.isLoaded ? $1.fileSize : 0) }) <= 2 * content.count else {
            throw .malformed("its segments lie on one another")
        }
        sections = Self.sections(bytes)
        (relocations, threadOffsets) = Self.relocations(bytes, segments)
    }

    /// What EI_OSABI says (gabi, "ELF Identification"); nil for System V and GNU, which Linux is.
    private static func otherSystem(_ code: UInt8) -> String? {
        switch code {
        case 0, 3: nil
        case 2: "NetBSD"
        case 6: "Solaris"
        case 9: "FreeBSD"
        case 12: "OpenBSD"
        default: "another system (\(code) in its header)"
        }
    }

    private static func segment(_ bytes: Bytes, _ offset: Int) throws(ElfError) -> Segment {
        guard let kind = bytes.integer(offset, as: UInt32.self), let flags = bytes.integer(offset + 4, as: UInt32.self),
            let start = bytes.size(offset + 8), let address = bytes.size(offset + 16),
            let fileSize = bytes.size(offset + 32), let memorySize = bytes.size(offset + 40),
            let alignment = bytes.integer(offset + 48, as: UInt64.self)
        else { throw .malformed("a program header is not a header") }
        let segment = Segment(
            kind: kind, flags: flags, offset: start, address: UInt64(address), fileSize: fileSize,
            memorySize: memorySize, alignment: alignment)
        guard segment.isLoaded else { return segment }
        // User addresses have 47 bits.
        guard bytes.holds(start, fileSize), memorySize >= fileSize, address < 1 << 47, memorySize < 1 << 47 else {
            throw .malformed("a segment reaches beyond it")
        }
        return segment
    }

    /// None where the headers do not hold together: they are no part of what runs. One that is damaged keeps its index,
    /// without a name and outside of the file.
    private static func sections(_ bytes: Bytes) -> [Section] {
        guard let start = bytes.size(40), start > 0, bytes.integer(58, as: UInt16.self) == UInt16(sectionSize),
            let count = bytes.integer(60, as: UInt16.self), let names = bytes.integer(62, as: UInt16.self),
            bytes.holds(start, Int(count) * sectionSize), names < count,
            let nameTable = bytes.size(start + Int(names) * sectionSize + 24)
        else { return [] }
        return (0..<Int(count)).map { index in
            let header = start + index * sectionSize
            guard let name = bytes.integer(header, as: UInt32.self), let address = bytes.size(header + 16),
                let offset = bytes.size(header + 24), let size = bytes.size(header + 32),
                let link = bytes.integer(header + 40, as: UInt32.self),
                nameTable <= bytes.count, let text = bytes.text(nameTable + Int(name), limit: 256)
            else { return Section(name: "", address: 0, offset: .max, size: 0, link: 0) }
            return Section(name: text, address: UInt64(address), offset: offset, size: size, link: Int(link))
        }
    }

    /// `R_X86_64_RELATIVE` and `R_X86_64_TPOFF64` entries of the table that `DT_RELA` names.
    private static func relocations(
        _ bytes: Bytes, _ segments: [Segment]
    ) -> (addresses: [UInt64: UInt64], threadOffsets: [UInt64: Int64]) {
        guard let dynamic = segments.first(where: { $0.kind == Segment.dynamic }),
            bytes.holds(dynamic.offset, dynamic.fileSize)
        else { return ([:], [:]) }
        var table: UInt64?
        var size = 0
        var symbols: UInt64?
        for entry in stride(from: dynamic.offset, to: dynamic.offset + dynamic.fileSize - 15, by: 16) {
            guard let tag = bytes.integer(entry, as: UInt64.self), let value = bytes.size(entry + 8), tag != 0 else {
                break
            }
            if tag == 7 { table = UInt64(value) }
            if tag == 8 { size = value }
            if tag == 6 { symbols = UInt64(value) }
        }
        guard let table, let start = offset(of: table, length: size, in: segments) else { return ([:], [:]) }
        var found: [UInt64: UInt64] = [:]
        var threadOffsets: [UInt64: Int64] = [:]
        for entry in stride(from: start, to: start + size - 23, by: 24) {
            guard let target = bytes.integer(entry, as: UInt64.self),
                let kind = bytes.integer(entry + 8, as: UInt64.self),
                let value = bytes.integer(entry + 16, as: UInt64.self)
            else { continue }
            if kind == 8 { found[target] = value }
            if kind & 0xffff_ffff == 18 {
                threadOffsets[target] = threadOffset(bytes, segments, symbols, symbol: kind >> 32, addend: value)
            }
        }
        return (found, threadOffsets)
    }

    /// Storage of the program itself ends at the thread pointer, rounded up as its header asks (AMD64 supplement,
    /// "TLS").
    /// - Returns: nil for a variable of another file.
    private static func threadOffset(
        _ bytes: Bytes, _ segments: [Segment], _ symbols: UInt64?, symbol: UInt64, addend: UInt64
    ) -> Int64? {
        guard let storage = segments.first(where: { $0.kind == Segment.threadStorage }), storage.alignment < 1 << 20,
            storage.memorySize >= 0, storage.memorySize < 1 << 40
        else { return nil }
        var value: UInt64 = 0
        if symbol != 0 {
            guard let symbols, let place = offset(of: symbols &+ symbol &* 24, length: 24, in: segments),
                bytes.integer(place + 6, as: UInt16.self) != 0, let found = bytes.integer(place + 8, as: UInt64.self)
            else { return nil }
            value = found
        }
        let alignment = max(1, Int(storage.alignment))
        let size = (storage.memorySize + alignment - 1) / alignment * alignment
        return Int64(bitPattern: value &+ addend &- UInt64(size))
    }

    private static func offset(of address: UInt64, length: Int, in segments: [Segment]) -> Int? {
        for segment in segments where segment.isLoaded && address >= segment.address {
            let within = address - segment.address
            if within <= UInt64(segment.fileSize), length <= segment.fileSize - Int(within) {
                return segment.offset + Int(within)
            }
        }
        return nil
    }

    /// Where in the file `length` bytes are that are loaded at `address`; nil where not all of them come from the file.
    public func offset(of address: UInt64, length: Int = 1) -> Int? {
        Self.offset(of: address, length: length, in: segments)
    }

    /// Where the loader puts the byte at `offset`.
    public func address(of offset: Int) -> UInt64? {
        segments.first { $0.isLoaded && offset >= $0.offset && offset - $0.offset < $0.fileSize }.map {
            $0.address + UInt64(offset - $0.offset)
        }
    }

    /// The address stored at `address` once the file is loaded, the load address taken as 0.
    public func pointer(at address: UInt64) -> UInt64? {
        if let relocated = relocations[address] { return relocated }
        return offset(of: address, length: 8).flatMap { bytes.integer($0, as: UInt64.self) }
    }

    /// Where the loader begins to run it.
    public var entry: UInt64 { bytes.integer(24, as: UInt64.self) ?? 0 }

    /// Has the loader begin there.
    public mutating func setEntry(_ address: UInt64) { bytes.replace(24, with: address.littleEndianBytes) }

    /// Makes the last writable segment longer by memory that is zero at first.
    ///
    /// - Parameter size: Bytes; they begin at a multiple of 64.
    /// - Returns: The address of the first.
    public mutating func addZeroedMemory(_ size: Int) throws(ElfError) -> UInt64 {
        guard let index = segments.lastIndex(where: { $0.isLoaded && $0.isWritable }) else {
            throw .malformed("no segment is writable")
        }
        let end = segments[index].address + UInt64(segments[index].memorySize)
        let start = (end + 63) & ~63
        let next = segments.filter { $0.isLoaded && $0.address >= end }.map(\.address).min() ?? .max
        // What lies on its last page would be on the same.
        guard start + UInt64(size) + 4096 <= next else { throw .outOfReach }
        segments[index].memorySize += Int(start - end) + size
        bytes.replace(headerOffset, with: segments.flatMap(\.bytes))
        return start
    }

    /// Puts a segment with `content` behind all others. A header that no program needs to run becomes its own: that of
    /// a note, or a new one where the section headers, which can be anywhere, leave room for it.
    ///
    /// - Returns: The address of its first byte.
    public mutating func addExecutableSegment(_ content: (_ address: UInt64) -> [UInt8]) throws(ElfError) -> UInt64 {
        let spare =
            segments.firstIndex { $0.kind == Segment.note } ?? segments.firstIndex { $0.kind == Segment.paxFlags }
        guard spare != nil || hasSectionsBehindHeaders else { throw ElfError.noSpareHeader }
        let loaded = segments.filter(\.isLoaded)
        let end = loaded.map { $0.address + UInt64($0.memorySize) }.max() ?? 0
        // Beyond what the kernel puts right behind the last segment.
        let address = (end + 0x1f_ffff) & ~0xf_ffff
        guard let start = loaded.map(\.address).min(), address - start < Self.reach - 1 << 20 else {
            throw ElfError.outOfReach
        }
        let new = content(address)
        let offset = bytes.append(new, alignment: 4096)
        let segment = Segment(
            kind: Segment.load, flags: 5, offset: offset, address: address, fileSize: new.count,
            memorySize: new.count, alignment: 4096)
        if let spare { segments.remove(at: spare) } else { makeRoomForHeader() }
        // The loader expects them in the order of their addresses.
        let last = segments.lastIndex(where: \.isLoaded)!
        segments.insert(segment, at: last + 1)
        bytes.replace(headerOffset, with: segments.flatMap(\.bytes))
        return address
    }

    /// Where the program headers end.
    private var endOfHeaders: Int { headerOffset + segments.count * Segment.size }

    /// Go's linker writes both in a row. They are in what is loaded, but only programs that look for sections read
    /// them.
    private var hasSectionsBehindHeaders: Bool {
        !sections.isEmpty && bytes.size(40) == endOfHeaders && sections.count * Self.sectionSize >= Segment.size
            && segments.count < Self.maximumSegments
    }

    /// Moves the section headers to the end of the file and counts one more program header.
    private mutating func makeRoomForHeader() {
        let headers = bytes.bytes(endOfHeaders, sections.count * Self.sectionSize)!
        let offset = bytes.append(Array(headers), alignment: 8)
        bytes.replace(40, with: offset.littleEndianBytes)
        bytes.replace(56, with: UInt16(segments.count + 1).littleEndianBytes)
        if let own = segments.firstIndex(where: { $0.kind == Segment.headers }) {
            segments[own].fileSize += Segment.size
            segments[own].memorySize += Segment.size
        }
    }
}
