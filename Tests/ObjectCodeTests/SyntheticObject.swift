// A shared object of about a kilobyte in which every byte is known. It cannot run.
//
//     0x000   ELF header, program headers: note, text, dynamic
//     0x100   text, loaded at 0x1000: three functions of 8 bytes
//     0x120   dynamic section; 0x150 its table of relocations; 0x180 a word that one of them fills
//     …       symbols, their names, names of sections, section headers

import ObjectCode

struct SyntheticObject {
    struct Symbol {
        var name: String
        var kind: UInt8 = 2
        var address: UInt64
        var size: UInt64 = 8
    }

    var kind: UInt16 = 3
    var machine: UInt16 = 62
    /// The kind of the first segment, which a new one takes the place of: a note.
    var spareSegment: UInt32 = 4
    /// Where the text ends; it begins at 0x1000.
    var textSize: UInt64 = 24
    var symbols = [
        Symbol(name: "first", address: 0x1000), Symbol(name: "alias", address: 0x1000),
        Symbol(name: "data", kind: 1, address: 0x1008), Symbol(name: "second", address: 0x1008),
        Symbol(name: "empty", address: 0x1010, size: 0), Symbol(name: "elsewhere", address: 0x1018),
        Symbol(name: "third", address: 0x1010),
    ]
    /// The sections in order; .symtab refers to .strtab.
    var sections = ["", ".text", ".symtab", ".strtab", ".shstrtab"]

    static let text = 0x100
    static let relocated: UInt64 = 0x1080

    /// The offset of a field of a section's header.
    func field(_ offset: Int, of section: String) -> Int {
        let header = bytes().count - 64 * sections.count + 64 * sections.firstIndex(of: section)!
        return header + offset
    }

    func bytes() -> [UInt8] {
        var file: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9)
        file += kind.littleEndianBytes + machine.littleEndianBytes + UInt32(1).littleEndianBytes
        file += words(0x1000, 64, 0) + UInt32(0).littleEndianBytes
        for number: UInt16 in [
            64, 56, 3, 64, UInt16(sections.count), UInt16(sections.firstIndex(of: ".shstrtab") ?? 0),
        ] {
            file += number.littleEndianBytes
        }
        file += segment(spareSegment, 4, Self.text, 0) + segment(1, 5, Self.text, 0x88) + segment(2, 6, 0x120, 0x30)
        file += [UInt8](repeating: 0, count: Self.text - file.count) + (0..<24).map { UInt8($0) }
        file += [UInt8](repeating: 0, count: 0x120 - file.count)
        // DT_RELA, DT_RELASZ, the end; relocations of which the second is of another kind.
        file += words(7, 0x1050, 8, 48, 0, 0) + words(Self.relocated, 8, 0x1010, 0x1000, 1, 0x1010) + words(0x1234)
        let symbolOffset = file.count
        var names: [UInt8] = [0]
        for symbol in symbols {
            file += UInt32(names.count).littleEndianBytes + [symbol.kind, 0, 1, 0] + words(symbol.address, symbol.size)
            names += Array(symbol.name.utf8) + [0]
        }
        let nameOffset = file.count
        file += names
        let sectionNameOffset = file.count
        var positions: [Int] = []
        for section in sections {
            positions.append(file.count - sectionNameOffset)
            file += Array(section.utf8) + [0]
        }
        let end = file.count
        file.replaceSubrange(40..<48, with: words(UInt64(end)))
        for (section, position) in zip(sections, positions) {
            let (address, offset, size): (UInt64, Int, Int) =
                switch section {
                case ".text": (0x1000, Self.text, Int(textSize))
                case ".symtab": (0, symbolOffset, nameOffset - symbolOffset)
                case ".strtab": (0, nameOffset, names.count)
                case ".shstrtab": (0, sectionNameOffset, end - sectionNameOffset)
                default: (0, 0, 0)
                }
            let link = section == ".symtab" ? sections.firstIndex(of: ".strtab") ?? 0 : 0
            file += UInt32(position).littleEndianBytes + UInt32(1).littleEndianBytes
            file += words(0, address, UInt64(offset), UInt64(size), UInt64(link), 1, 0)
        }
        return file
    }

    private func segment(_ kind: UInt32, _ flags: UInt32, _ offset: Int, _ size: UInt64) -> [UInt8] {
        let address = 0x1000 + UInt64(offset - Self.text)
        return kind.littleEndianBytes + flags.littleEndianBytes
            + words(UInt64(offset), address, address, size, size, 4096)
    }

    private func words(_ numbers: UInt64...) -> [UInt8] { numbers.flatMap(\.littleEndianBytes) }
}
