// What binutils' disassembler makes of two programs, where they differ.

import Foundation
import Processes
import TestNeeds
import Testing
import Workloads

/// An instruction as objdump prints it.
struct DisassembledInstruction {
    let address: UInt64
    let length: Int
    let text: String

    var end: UInt64 { address + UInt64(length) }

    var doesNothing: Bool { text.contains("nop") || text == "xchg   %ax,%ax" }

    /// Where a jump leads; the prefix is there where a program has no symbols.
    var target: UInt64? {
        text.split(separator: " ").dropFirst().first.flatMap {
            UInt64($0.hasPrefix("0x") ? $0.dropFirst(2) : $0, radix: 16)
        }
    }

    /// "  401000:", "49 3b 66 10", "cmp 0x10(%r14),%rsp", between tabs; nil of another line.
    init?(_ line: Substring) {
        let parts = line.split(separator: "\t", maxSplits: 2)
        guard parts.count >= 2, let colon = parts[0].firstIndex(of: ":"),
            let address = UInt64(parts[0][..<colon].drop { $0 == " " }, radix: 16)
        else { return nil }
        self.address = address
        length = parts[1].split(separator: " ").count
        text = parts.count > 2 ? String(parts[2]) : ""
    }
}

/// A run of instructions that others took the place of. The disassembler's other instructions, with their addresses,
/// are the same in both programs.
struct Replacement {
    var old: [DisassembledInstruction] = []
    var new: [DisassembledInstruction] = []

    var isWithinBoundaries: Bool { old.first?.address == new.first?.address && old.last?.end == new.last?.end }

    /// Compares what objdump says of the section `.text`.
    static func all(_ original: String, _ changed: String) throws -> [Replacement] {
        let folder = try TemporaryFolder()
        // Not `diff` by itself: 1 is its answer when there are differences.
        let script = """
            objdump -d -w --section=.text "$1" >"$0/old" && objdump -d -w --section=.text "$2" >"$0/new" || exit 2
            diff --text "$0/old" "$0/new" >"$0/difference"; test $? = 1
            """
        try Subprocess.run("/bin/sh", ["-c", script, folder.path, original, changed], in: folder.path)
        let text = String(decoding: try content("\(folder.path)/difference"), as: UTF8.self)
        var replacements: [Replacement] = []
        for line in text.split(separator: "\n") {
            guard let instruction = DisassembledInstruction(line.dropFirst(2)) else {
                if line.first?.isNumber == true { replacements.append(Replacement()) }
                continue
            }
            if line.first == "<" {
                replacements[replacements.count - 1].old.append(instruction)
            } else {
                replacements[replacements.count - 1].new.append(instruction)
            }
        }
        // The names of the files.
        return replacements.filter { !$0.old.isEmpty || !$0.new.isEmpty }
    }
}
