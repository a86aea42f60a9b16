// Just enough of ELF and x86-64 to look at the prologues of a shared object. An oracle of its own: the code under
// test reads objects with ObjectCode, whose errors this must not share.

import Processes

@testable import Workloads

struct MachineCode {
    struct Function {
        var name: String
        var address: Int
        var code: ArraySlice<UInt8>

        /// `cmp %fs:0x70, %rsp`, or the same with %r11 behind `lea -N(%rsp), %r11`.
        var beginsWithCheck: Bool {
            let direct: [UInt8] = [0x64, 0x48, 0x3b, 0x24, 0x25, 0x70, 0, 0, 0]
            let indirect: [UInt8] = [0x64, 0x4c, 0x3b, 0x1c, 0x25, 0x70, 0, 0, 0]
            if code.starts(with: direct) { return true }
            return code.starts(with: [0x4c, 0x8d, 0x9c, 0x24]) && code.dropFirst(8).starts(with: indirect)
        }

        /// The 11 bytes of `data16 cs nopw 0x200(%rax,%rax,1)`.
        var beginsWithPadding: Bool {
            code.starts(with: [0x66, 0x2e, 0x66, 0x0f, 0x1f, 0x84, 0, 0, 2, 0, 0])
        }

        /// Whether a `call` goes to `target`. Looks at every byte, so it may in theory see one that is not there.
        func calls(_ target: Int) -> Bool {
            code.indices.dropLast(4).contains { index in
                guard code[index] == 0xe8 else { return false }
                let offset = (1...4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32(code[index + $1]) }
                return address + index - code.startIndex + 5 + Int(Int32(bitPattern: offset)) == target
            }
        }
    }

    /// All functions of the symbol table.
    let functions: [Function]
    /// Names of all sections.
    let sections: [String]

    init(_ path: String) throws {
        let file = try Files.read(path)
        func number(_ offset: Int, _ size: Int) -> Int {
            (0..<size).reversed().reduce(0) { $0 << 8 | Int(file[offset + $1]) }
        }
        func text(_ offset: Int) -> String {
            String(decoding: file[offset...].prefix { $0 != 0 }, as: UTF8.self)
        }
        // Section headers: name +0, type +4, address +16, offset +24, size +32, link +40.
        let table = number(40, 8)
        let headers = (0..<number(60, 2)).map { table + 64 * $0 }
        let names = number(headers[number(62, 2)] + 24, 8)
        sections = headers.map { text(names + number($0, 4)) }
        var functions: [Function] = []
        for header in headers where number(header + 4, 4) == 2 {
            let strings = number(headers[number(header + 40, 4)] + 24, 8)
            let (start, size) = (number(header + 24, 8), number(header + 32, 8))
            // Symbols: name +0, information +4, section +6, value +8, size +16.
            for symbol in stride(from: start, to: start + size, by: 24) where file[symbol + 4] & 15 == 2 {
                let section = number(symbol + 6, 2)
                let (address, length) = (number(symbol + 8, 8), number(symbol + 16, 8))
                guard section != 0, section < headers.count, length > 0 else { continue }
                let offset = address - number(headers[section] + 16, 8) + number(headers[section] + 24, 8)
                functions.append(
                    Function(
                        name: text(strings + number(symbol, 4)), address: address, code: file[offset..<offset + length])
                )
            }
        }
        self.functions = functions
    }

    /// Functions of the workload itself: not the hooks, not what the linker and the runtime's start-up object add.
    var own: [Function] {
        functions.filter {
            !$0.name.hasPrefix("__morestack") && !$0.name.hasPrefix("swift_image") && !$0.name.hasPrefix("_ZL")
        }
    }
}
