// A file of two kilobytes that has everything GoBinary looks for in a Go program and nothing else. It cannot run.
//
//     0x000   ELF header, program headers: text, rodata, data, note
//     0x200   text at 0x401000: the functions of `functions`, each on 32 bytes
//     …       rodata at 0x500000: table of functions
//     …       data at 0x600000: build information, the runtime's record of the table, startingStackSize

struct SyntheticProgram {
    var version = "go1.27.3"
    var settings = ["-buildmode=exe", "-compiler=gc", "GOOS=linux"]
    var machine: UInt16 = 62
    /// EI_OSABI: System V.
    var system: UInt8 = 0
    /// Size and first bytes of a frame above which a function keeps its check.
    var largeFrame = 20_000
    var functions: [Function] = []
    /// A function that is inlined in `main.medium`.
    var inlined: String?
    /// What the entry of it in the list begins with: its kind, below 256 in a valid file.
    var kindOfInlined: UInt32 = 0
    /// A function of which the data has an entry of that form that is in no list.
    var lookalike: String?

    static let textAddress: UInt64 = 0x401000
    static let rodataAddress: UInt64 = 0x500000
    static let dataAddress: UInt64 = 0x600000
    private static let stackSizeAddress = dataAddress + 0x200
    /// Where the list of inlined functions is, from there.
    private static let listOffset: UInt32 = 8

    struct Function {
        var name: String
        var frame: Int
        var code: [Item]
        var movesStackPointer = false
        var isAssembly = false
        var startLine: UInt32 = 0
    }

    /// A piece of code.
    enum Item {
        case bytes([UInt8])
        /// An opcode and the distance to the start of a function.
        case branch([UInt8], String)
        /// A conditional jump to the tail, which is appended with its call and a jump back to the entry.
        case check([UInt8], long: Bool)
        /// `mov dword [rip+…], 2048` of the variable.
        case storeOfStackSize
        case wrapTest
    }

    init() {
        let small = Item.check([0x49, 0x3b, 0x66, 0x10], long: false)
        let body = Item.bytes([0x55, 0x48, 0x89, 0xe5, 0x5d, 0xc3])
        let end = Item.bytes([0x48, 0x83, 0xc4, 0x08, 0x5d, 0xc3])
        functions = [
            Function(name: "runtime.morestack", frame: 0, code: [.bytes([0x90, 0xc3])]),
            Function(
                name: "runtime.morestack_noctxt", frame: 0,
                code: [.bytes([0x31, 0xd2]), .branch([0xe9], "runtime.morestack")]),
            Function(name: "runtime.malg", frame: 24, code: [small, .bytes([0x48, 0xc7, 0x00, 0, 0, 0, 0]), body]),
            Function(
                name: "runtime.newproc1", frame: 40,
                code: [small, .bytes([0xb8, 0x00, 0x08, 0, 0]), .branch([0xe8], "runtime.malg"), body]),
            Function(
                name: "runtime.stackalloc", frame: 48, code: [small, .bytes([0x74, 0x06]), end, .bytes([0x90]), end]),
            Function(name: "runtime.stackfree", frame: 48, code: [small, body]),
            Function(
                name: "runtime.sigtramp", frame: 48,
                code: [
                    .bytes([0x64, 0x4c, 0x8b, 0x34, 0x25, 0xf8, 0xff, 0xff, 0xff]),
                    .branch([0xe8], "runtime.sigtrampgo"), body,
                ]),
            Function(name: "runtime.sigtrampgo", frame: 64, code: [body]),
            Function(name: "runtime.shrinkstack", frame: 16, code: [small, body]),
            Function(name: "runtime.gcComputeStartingStackSize", frame: 16, code: [.storeOfStackSize, body]),
            Function(name: "runtime.sweepone", frame: 56, code: [small, body]),
            Function(
                name: "main.medium", frame: 3000,
                code: [
                    .check([0x4c, 0x8d, 0xa4, 0x24, 0x50, 0xf4, 0xff, 0xff, 0x4d, 0x3b, 0x66, 0x10], long: true), body,
                ]),
            Function(
                name: "main.large", frame: largeFrame,
                code: [
                    .bytes([0x49, 0x89, 0xe4, 0x49, 0x81, 0xec, 0xa8, 0x4d, 0, 0]), .wrapTest,
                    .check([0x4d, 0x3b, 0x66, 0x10], long: false), body,
                ]),
            Function(
                name: "main.assembly", frame: 16,
                code: [
                    .bytes([0x64, 0x4c, 0x8b, 0x34, 0x25, 0xf8, 0xff, 0xff, 0xff]), small, body,
                ]),
            Function(
                name: "runtime.systemstack", frame: 16,
                code: [.bytes([0x48, 0x8b, 0x58, 0x30, 0x48, 0x8b, 0x13]), body]),
            Function(name: "runtime.rt_sigaction", frame: 0, code: [.bytes([0x0f, 0x05, 0xc3])]),
            Function(name: "main.leaf", frame: 0, code: [.bytes([0xc3])]),
            // lock cmpxchg [rcx+0x394], edx; xchg [rax+0x394], ecx
            Function(
                name: "runtime.preemptone", frame: 8,
                code: [.bytes([0xf0, 0x0f, 0xb1, 0x91, 0x94, 3, 0, 0]), body]),
            Function(
                name: "runtime.doSigPreempt", frame: 8, code: [.bytes([0x87, 0x88, 0x94, 3, 0, 0]), body]),
            Function(name: "runtime.minit", frame: 8, code: [body]),
            Function(name: "runtime.mstart1", frame: 8, code: [.branch([0xe8], "runtime.minit"), body]),
        ]
    }

    /// The same with what growth by faults looks for besides.
    static var growing: SyntheticProgram {
        var program = SyntheticProgram()
        let (comparison, move): ([UInt8], [UInt8]) = ([0x48, 0x81, 0xfa, 0, 8, 0, 0], [0xbb, 0, 8, 0, 0])
        let body = Item.bytes([0x55, 0x48, 0x89, 0xe5, 0x5d, 0xc3])
        // cmp dword [rip+d], 0: of a byte of some function, which is the same in both.
        let comparesSetting: [Item] = [.branch([0x83, 0x3d], "runtime.morestack"), .bytes([0])]
        let additions: [String: [Item]] = [
            "runtime.malg": [.bytes([0x48, 0x8d, 0x91, 0xa0, 0x03, 0, 0])],
            "runtime.shrinkstack": [.bytes(comparison), .branch([0xe8], "runtime.copystack")],
            "runtime.gcComputeStartingStackSize": [.bytes(comparison + move)],
            "runtime.preemptone": comparesSetting,
        ]
        for (index, function) in program.functions.enumerated() {
            var place = 0
            if case .check? = function.code.first { place = 1 }
            program.functions[index].code.insert(contentsOf: additions[function.name] ?? [], at: place)
        }
        program.functions += [
            Function(name: "runtime.sighandler", frame: 8, code: comparesSetting + [body]),
            Function(name: "runtime.copystack", frame: 8, code: [body]),
            Function(name: "runtime.newstack", frame: 8, code: [.branch([0xe8], "runtime.copystack"), body]),
            Function(name: "runtime.freeStackSpans", frame: 8, code: [body]),
            Function(name: "runtime.exit", frame: 0, code: [body]),
        ]
        return program
    }

    // MARK: code

    private static let tailLength = 5

    /// Length of a function without padding.
    private func length(_ function: Function) -> Int {
        var hasCheck = false
        let body = function.code.reduce(0) { sum, item in
            switch item {
            case .bytes(let bytes): return sum + bytes.count
            case .branch(let opcode, _): return sum + opcode.count + 4
            case .check(let compare, let long):
                hasCheck = true
                return sum + compare.count + (long ? 6 : 2)
            case .storeOfStackSize: return sum + 10
            case .wrapTest: return sum + 2
            }
        }
        return body + (hasCheck ? Self.tailLength + 5 : 0)
    }

    private var addresses: [String: UInt64] {
        var next = Self.textAddress
        var found: [String: UInt64] = [:]
        for function in functions {
            found[function.name] = next
            next += UInt64((length(function) + 31) / 32 * 32)
        }
        return found
    }

    private func code() -> [UInt8] {
        let addresses = self.addresses
        var text: [UInt8] = []
        func distance(to target: UInt64, from end: UInt64) -> [UInt8] {
            bytes(UInt32(truncatingIfNeeded: target &- end))
        }
        for function in functions {
            let start = Self.textAddress + UInt64(text.count)
            let end = length(function)
            var code: [UInt8] = []
            var hasCheck = false
            for item in function.code {
                switch item {
                case .bytes(let bytes): code += bytes
                case .branch(let opcode, let name):
                    let next = start + UInt64(code.count + opcode.count + 4)
                    code += opcode + distance(to: addresses[name] ?? 0, from: next)
                case .check(let compare, let long):
                    hasCheck = true
                    code += compare
                    let next = code.count + (long ? 6 : 2)
                    let tail = end - Self.tailLength - 5 - next
                    code += long ? [0x0f, 0x86] + bytes(UInt32(tail)) : [0x76, UInt8(tail)]
                case .wrapTest:
                    code += [0x72, UInt8(end - Self.tailLength - 5 - code.count - 2)]
                case .storeOfStackSize:
                    let next = start + UInt64(code.count + 10)
                    code += [0xc7, 0x05] + distance(to: Self.stackSizeAddress, from: next) + bytes(UInt32(2048))
                }
            }
            if hasCheck {
                let call = start + UInt64(code.count + 5)
                code += [0xe8] + distance(to: addresses["runtime.morestack_noctxt"] ?? 0, from: call)
                code += [0xe9] + distance(to: start, from: call + 5)
            }
            while code.count % 32 != 0 { code.append(0xcc) }
            text += code
        }
        return text
    }

    // MARK: tables

    private func table(textSize: Int) -> [UInt8] {
        let addresses = self.addresses
        var names: [UInt8] = []
        var tables: [UInt8] = [0]
        var entries: [UInt8] = []
        var descriptions: [UInt8] = []
        for function in functions {
            let entry = bytes(UInt32((addresses[function.name] ?? 0) - Self.textAddress))
            let hasInlined = inlined != nil && function.name == "main.medium"
            entries += entry + bytes(UInt32(functions.count * 8 + 4 + descriptions.count))
            descriptions +=
                entry + bytes(UInt32(names.count)) + bytes(UInt32(0)) + bytes(UInt32(0)) + bytes(UInt32(tables.count))
                + [UInt8](repeating: 0, count: 8) + bytes(UInt32(hasInlined ? 3 : 0)) + bytes(UInt32(0))
                + bytes(function.startLine)
                + [0, (function.movesStackPointer ? 2 : 0) | (function.isAssembly ? 4 : 0), 0, hasInlined ? 4 : 0]
            names += Array(function.name.utf8) + [0]
            // From -1 to 0 for one byte, to the frame for the rest but the last byte, to 0.
            let length = UInt64(max(3, length(function)))
            if function.frame == 0 {
                tables += [2] + number(length)
            } else {
                tables += [2, 1] + number(UInt64(function.frame) * 2) + number(length - 2)
                tables += number(UInt64(function.frame) * 2 - 1) + [1]
            }
            tables.append(0)
            if hasInlined {
                let words: [UInt32] = [0, 0, UInt32(tables.count), .max, .max, .max, Self.listOffset]
                descriptions += words.flatMap { bytes($0) }
                // From -1 to 0 for all of it.
                tables += [2] + number(length) + [0]
            }
        }
        entries += bytes(UInt32(textSize))
        let header = 72
        var result: [UInt8] =
            bytes(UInt32(0xffff_fff1)) + [0, 0, 1, 8] + bytes(UInt64(functions.count)) + bytes(UInt64(1))
        result += bytes(UInt64(0)) + bytes(UInt64(header))
        result += bytes(UInt64(header)) + bytes(UInt64(header)) + bytes(UInt64(header + names.count))
        result += bytes(UInt64(header + names.count + tables.count))
        return result + names + tables + entries + descriptions
    }

    private func data(textSize: Int) -> [UInt8] {
        var data: [UInt8] = [0xff] + Array(" Go buildinf:".utf8) + [8, 2]
        data += [UInt8](repeating: 0, count: 16) + number(UInt64(version.utf8.count)) + Array(version.utf8)
        let text = "path\tmain\n" + settings.map { "build\t\($0)\n" }.joined()
        data += number(UInt64(text.utf8.count)) + Array(text.utf8)
        data += [UInt8](repeating: 0, count: 0x180 - data.count)
        let record = [
            Self.rodataAddress, 0, 0, Self.textAddress, Self.textAddress + UInt64(textSize), Self.textAddress,
        ]
        for word in record + (inlined == nil ? [] : [Self.stackSizeAddress]) { data += bytes(word) }
        data += [UInt8](repeating: 0, count: 0x200 - data.count)
        data += bytes(UInt32(2048)) + bytes(UInt32(0))
        if let inlined { data += bytes(kindOfInlined) + entry(inlined) }
        if let lookalike { data += bytes(UInt32(0)) + entry(lookalike) }
        return data
    }

    /// What follows the kind in the entry of an inlined function.
    private func entry(_ name: String) -> [UInt8] {
        let before = functions.prefix { $0.name != name }
        let line = functions.first { $0.name == name }?.startLine ?? 0
        return bytes(UInt32(before.reduce(0) { $0 + $1.name.utf8.count + 1 })) + bytes(UInt32(16)) + bytes(line)
    }

    /// The content of the file.
    func bytes() -> [UInt8] {
        let text = code()
        let rodata = table(textSize: text.count)
        let data = self.data(textSize: text.count)
        let start = 0x200
        let rodataOffset = (start + text.count + 15) / 16 * 16
        let dataOffset = (rodataOffset + rodata.count + 15) / 16 * 16
        func segment(_ kind: UInt32, _ flags: UInt32, _ offset: Int, _ address: UInt64, _ size: Int) -> [UInt8] {
            bytes(kind) + bytes(flags) + bytes(UInt64(offset)) + bytes(address) + bytes(address) + bytes(UInt64(size))
                + bytes(UInt64(size)) + bytes(UInt64(4096))
        }
        var file: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, system] + [UInt8](repeating: 0, count: 8)
        file += bytes(UInt16(2)) + bytes(machine) + bytes(UInt32(1)) + bytes(Self.textAddress) + bytes(UInt64(64))
        file += bytes(UInt64(0)) + bytes(UInt32(0)) + bytes(UInt16(64)) + bytes(UInt16(56)) + bytes(UInt16(4))
        file += bytes(UInt16(64)) + bytes(UInt16(0)) + bytes(UInt16(0))
        file += segment(4, 4, start, Self.textAddress, 0)
        file += segment(1, 5, start, Self.textAddress, text.count)
        file += segment(1, 4, rodataOffset, Self.rodataAddress, rodata.count)
        file += segment(1, 6, dataOffset, Self.dataAddress, data.count)
        for (offset, part) in [(start, text), (rodataOffset, rodata), (dataOffset, data)] {
            file += [UInt8](repeating: 0, count: offset - file.count) + part
        }
        return file
    }

    private func bytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }

    /// In groups of seven bits.
    private func number(_ number: UInt64) -> [UInt8] {
        var (rest, bytes) = (number, [UInt8]())
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
}
