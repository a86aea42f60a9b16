// How often each instruction of a program was executed, by valgrind's callgrind. The program is run as it is: nothing
// of it has to be built here.

import Processes

/// Executed instructions of one process, by address.
package struct InstructionProfile: Hashable, Sendable {
    /// All of them, those of the kernel left out.
    package private(set) var total = 0.0
    private var counts: [UInt64: Double] = [:]

    /// Executed instructions whose addresses are in `range`.
    package func executed(in range: Range<UInt64>) -> Double {
        // Ranges here are those of a few instructions.
        range.reduce(0) { $0 + (counts[$1] ?? 0) }
    }

    /// Runs `executable` with every instruction counted, which takes some 50 times as long as the program alone, or
    /// until `seconds` have passed.
    ///
    /// - Throws: `ProcessError` where valgrind is missing or cannot run the program to its end.
    package init(
        of executable: String, _ arguments: [String], environment: [String], seconds: Double,
        in code: CodeEnvironment = CodeEnvironment(), isUnwanted: () -> Bool = { false }
    ) throws(ProcessError) {
        let folders = code.searchPath.split(separator: ":")
        guard let valgrind = folders.lazy.map({ "\($0)/valgrind" }).first(where: Files.isExecutable) else {
            throw ProcessError("instructions are not counted: install valgrind")
        }
        let text = try ContentCache(preferring: code.cacheFolder).withWorkFolder { folder throws(ProcessError) in
            let counts = "\(folder)/counts"
            let finished = try Subprocess.finish(
                valgrind,
                [
                    "--tool=callgrind", "--dump-instr=yes", "--dump-line=no", "--compress-pos=no",
                    "--callgrind-out-file=\(counts)", "--", executable,
                ] + arguments, environment: environment, seconds: seconds, isUnwanted: isUnwanted)
            guard finished.ending == .exited(0) else {
                let line = finished.errors.split(separator: "\n").last { !$0.hasSuffix("== ") } ?? "no message"
                throw ProcessError("valgrind \(finished.ending): \(line)")
            }
            return String(decoding: try Files.read(counts), as: UTF8.self)
        }
        try self.init(text)
    }

    /// Reads what callgrind wrote: a line "0xADDRESS COUNT" for each instruction, and after each line "calls=" one more
    /// that tells what was executed below that call, which is no instruction of its own.
    init(_ text: String) throws(ProcessError) {
        var isBelowCall = false
        var knowsPositions = false
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
            if line.starts(with: "0x".utf8) {
                defer { isBelowCall = false }
                if isBelowCall { continue }
                let words = line.split(separator: UInt8(ascii: " "))
                guard words.count == 2, let address = UInt64(Substring(words[0].dropFirst(2)), radix: 16),
                    let count = Double(Substring(words[1]))
                else { throw ProcessError("callgrind wrote '\(Substring(line))'") }
                counts[address, default: 0] += count
                total += count
            } else if line.starts(with: "calls=".utf8) {
                isBelowCall = true
            } else if line.elementsEqual("positions: instr".utf8) {
                knowsPositions = true
            }
        }
        guard knowsPositions, total > 0 else { throw ProcessError("callgrind wrote no counts by address") }
    }
}
