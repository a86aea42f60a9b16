import ObjectCode
import Testing

@Suite("ELF files") struct ElfFileTests {
    /// The error of reading a file and its functions; nil where there is none.
    private func error(_ content: [UInt8]) -> ElfError? {
        do throws(ElfError) {
            let file = try ElfFile(content)
            // What is read lies in the file.
            for function in try file.functions() {
                #expect(!function.code.isEmpty && function.code.endIndex <= content.count)
            }
            return nil
        } catch {
            #expect(!error.description.contains { $0.isNewline })
            return error
        }
    }

    @Test func `functions have their names and bytes, each address once`() throws {
        let file = try ElfFile(SyntheticObject().bytes())
        let functions = try file.functions()
        #expect(functions.map(\.name) == ["first", "second", "third"])
        #expect(functions.map(\.address) == [0x1000, 0x1008, 0x1010])
        #expect(functions.flatMap(\.code) == Array(0..<24))
    }

    @Test func `addresses and offsets lead to each other within what is loaded`() throws {
        let file = try ElfFile(SyntheticObject().bytes())
        #expect(file.isPositionIndependent && file.sections.map(\.name) == SyntheticObject().sections)
        #expect(file.segments.filter(\.isExecutable).map(\.address) == [0x1000])
        #expect(file.offset(of: 0x1000, length: 0x88) == SyntheticObject.text)
        #expect(file.offset(of: 0x1000, length: 0x89) == nil && file.offset(of: 0xfff) == nil)
        #expect(file.offset(of: 0x1087) == 0x187 && file.offset(of: 0x1089) == nil)
        #expect(file.address(of: 0xff) == nil && file.address(of: 0x100) == 0x1000)
        #expect(file.address(of: 0x187) == 0x1087 && file.address(of: 0x188) == nil)
    }

    @Test func `a pointer is what the loader stores`() throws {
        let file = try ElfFile(SyntheticObject().bytes())
        #expect(file.relocations == [SyntheticObject.relocated: 0x1010])
        #expect(file.pointer(at: SyntheticObject.relocated) == 0x1010)
        #expect(file.pointer(at: 0x1000) == 0x0706_0504_0302_0100)
        #expect(file.pointer(at: 0x1081) == nil)
    }

    @Test func `a new segment lies behind the others in the file and in memory`() throws {
        let before = SyntheticObject().bytes()
        var file = try ElfFile(before)
        let address = try file.addExecutableSegment { $0.littleEndianBytes }
        let read = try ElfFile(file.bytes.content)
        let offset = try #require(read.offset(of: address, length: 8))
        #expect(offset >= before.count && offset % 4096 == 0 && address > 0x1088)
        #expect(read.pointer(at: address) == address)
        #expect(read.segments.filter(\.isLoaded).map(\.address) == [0x1000, address])
        #expect(try read.functions().count == 3)
    }

    @Test func `a new segment needs a header that can be spared`() throws {
        var object = SyntheticObject()
        object.spareSegment = 6
        var file = try ElfFile(object.bytes())
        #expect(throws: ElfError.noSpareHeader) { try file.addExecutableSegment { _ in [0xc3] } }
    }

    @Test func `what is no program for this processor is refused`() {
        #expect(error([]) == .notELF && error(Array("#!/bin/sh\n".utf8)) == .notELF)
        #expect(error([0x7f, 0x45, 0x4c, 0x46]) == .otherProcessor)
        #expect(error(SyntheticObject(machine: 183).bytes()) == .otherProcessor)
        #expect(error(SyntheticObject(kind: 1).bytes()) == .notExecutable)
    }

    @Test(arguments: [".text", ".symtab", ".strtab", ".shstrtab"]) func `a missing section is said`(_ name: String) {
        var object = SyntheticObject()
        object.sections.removeAll { $0 == name }
        // Without their names no section is found.
        let expected: ElfError =
            switch name {
            case ".text", ".symtab": .malformed("it has no \(name)")
            case ".shstrtab": .malformed("it has no .text")
            default: .malformed("its symbol table does not hold together")
            }
        #expect(error(object.bytes()) == expected)
    }

    /// Offset, size and link of a section's header.
    @Test(
        arguments: [(".text", 24), (".text", 32), (".symtab", 24), (".symtab", 32), (".strtab", 24), (".symtab", 40)],
        [0xffff, 1 << 47, .max >> 1, .max] as [UInt64])
    func `a section that reaches beyond the file is refused`(_ field: (section: String, offset: Int), _ value: UInt64) {
        let object = SyntheticObject()
        var bytes = object.bytes()
        let start = object.field(field.offset, of: field.section)
        let new = value.littleEndianBytes.prefix(field.offset == 40 ? 4 : 8)
        bytes.replaceSubrange(start..<start + new.count, with: new)
        #expect(error(bytes) != nil)
    }

    @Test(arguments: [0x1f0, 1 << 20, .max >> 1] as [UInt64])
    func `a function that reaches beyond the file is refused`(_ size: UInt64) {
        var object = SyntheticObject()
        object.symbols[0].size = size + UInt64(object.bytes().count)
        #expect(error(object.bytes()) == .malformed("a function is not in it"))
    }

    @Test func `a name without an end is refused`() {
        let object = SyntheticObject()
        var bytes = object.bytes()
        // The names begin where nothing but 0xff follows.
        let start = object.field(24, of: ".strtab")
        bytes.replaceSubrange(start..<start + 8, with: UInt64(bytes.count).littleEndianBytes)
        bytes += [UInt8](repeating: 0xff, count: 64)
        #expect(error(bytes) == .malformed("a function is not in it"))
    }

    @Test func `every truncation is refused`() {
        let whole = SyntheticObject().bytes()
        for length in 0..<whole.count { #expect(error(Array(whole[..<length])) != nil) }
    }

    /// Every aligned field set to extremes, one at a time.
    @Test(arguments: [0, 1 << 31 - 1, 1 << 47 - 1, 1 << 48, 1 << 63 - 1, 1 << 63, .max - 7, .max] as [UInt64])
    func `an extreme in any field is read or refused`(_ value: UInt64) {
        let whole = SyntheticObject().bytes()
        for offset in stride(from: 0, through: whole.count - 8, by: 4) {
            var bytes = whole
            bytes.replaceSubrange(offset..<offset + 8, with: value.littleEndianBytes)
            _ = error(bytes)
        }
    }
}
