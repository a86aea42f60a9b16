// How many functions of checked code have a check, and what the checks consist of. The instructions are recognized by
// their bytes, of which LLVM has few forms:
//
//     hot path      [lea -FRAME(%rsp), %r11]    8 bytes, for frames of 256 bytes and more
//                   cmp %fs:0x70, %rsp or %r11  9 bytes
//                   jbe COLD                    2 or 6 bytes; or ja BODY, with the cold path next
//     COLD:         mov $FRAME, %r10d           6 bytes
//                   mov $ARGUMENTS, %r11d       6 bytes
//                   call __morestack            5 bytes
//                   ret                         1 byte
//                   jmp BODY                    2 or 5 bytes
//
// Where the body is a few instructions, LLVM copies it in place of the last jump; the copy is not counted.
//
// A check whose cold path is none of these is an error: a census that guesses is none.

import ObjectCode
import Processes

extension CheckCensus {
    /// Reads the shared object of `code`: its own functions, without what the pipeline and the linker add.
    ///
    /// - Throws: `WorkloadError` when it is no such file, or has a check of a form that is not known.
    public init(of code: LoadedCode) throws(WorkloadError) {
        guard let path = code.path else {
            throw WorkloadError("\(code.workload): only code built at run time can be examined")
        }
        self = try WorkloadError.reporting { () throws(ProcessError) in try Self(path: path) }
    }

    init(path: String) throws(ProcessError) {
        let content = try Files.read(path)
        let functions: [ElfFile.Function]
        do throws(ElfError) {
            let file = try ElfFile(content)
            functions = try file.functions().filter { Self.isOwn($0.name) }
            self.init(functions: functions.count, textBytes: try file.section(".text").size)
        } catch {
            throw ProcessError("\(path) is not a 64-bit ELF file with a symbol table")
        }
        for function in functions {
            guard let hot = HotPath(function.code) else { continue }
            guard let cold = CodeSize(coldPath: function.code, at: hot.target, body: hot.end) else {
                throw ProcessError("\(path): the check of \(function.name) has an unknown form")
            }
            count(hot: hot.size, cold: cold)
        }
    }

    /// False of the hooks of the pipeline and what swiftrt.o brings along.
    private static func isOwn(_ name: String) -> Bool {
        !name.hasPrefix("__morestack") && !name.hasPrefix("swift_image") && !name.hasPrefix("_ZL")
    }
}

/// A number of four bytes with a sign.
private func displacement(_ code: ArraySlice<UInt8>) -> Int? {
    Int32(littleEndianBytes: code.prefix(4)).map(Int.init)
}

private struct HotPath {
    private static let direct: [UInt8] = [0x64, 0x48, 0x3b, 0x24, 0x25, 0x70, 0, 0, 0]
    private static let indirect: [UInt8] = [0x64, 0x4c, 0x3b, 0x1c, 0x25, 0x70, 0, 0, 0]
    private static let lea: [UInt8] = [0x4c, 0x8d, 0x9c, 0x24]

    var size: CodeSize
    /// The index of the first byte behind it.
    var end: Int
    /// The index of the cold path.
    var target: Int

    /// Nil if the code does not begin with a check.
    init?(_ code: ArraySlice<UInt8>) {
        var rest = code
        var instructions = 2
        if rest.starts(with: Self.lea), rest.dropFirst(8).starts(with: Self.indirect) {
            instructions = 3
            rest = rest.dropFirst(17)
        } else if rest.starts(with: Self.direct) {
            rest = rest.dropFirst(9)
        } else {
            return nil
        }
        if rest.first == 0x76, let offset = rest.dropFirst().first {
            rest = rest.dropFirst(2)
            target = rest.startIndex + Int(Int8(bitPattern: offset))
        } else if rest.starts(with: [0x0f, 0x86]), let offset = displacement(rest.dropFirst(2)) {
            rest = rest.dropFirst(6)
            target = rest.startIndex + offset
        } else if rest.first == 0x77, rest.count >= 2 {
            rest = rest.dropFirst(2)
            target = rest.startIndex
        } else if rest.starts(with: [0x0f, 0x87]), rest.count >= 6 {
            rest = rest.dropFirst(6)
            target = rest.startIndex
        } else {
            return nil
        }
        end = rest.startIndex
        size = CodeSize(instructions: instructions, bytes: end - code.startIndex)
    }
}

extension CodeSize {
    /// Nil if there is no cold path at `target`; `body` is where the jump at its end goes.
    fileprivate init?(coldPath code: ArraySlice<UInt8>, at target: Int, body: Int) {
        guard code.indices.contains(target) else { return nil }
        let path = code[target...]
        guard path.starts(with: [0x41, 0xba]), path.dropFirst(6).starts(with: [0x41, 0xbb]),
            path.dropFirst(12).first == 0xe8, path.dropFirst(17).first == 0xc3
        else { return nil }
        self.init(instructions: 4, bytes: 18)
        let rest = path.dropFirst(18)
        if rest.first == 0xeb, let offset = rest.dropFirst().first,
            rest.startIndex + 2 + Int(Int8(bitPattern: offset)) == body
        {
            self.init(instructions: 5, bytes: 20)
        } else if rest.first == 0xe9, let offset = displacement(rest.dropFirst()),
            rest.startIndex + 5 + offset == body
        {
            self.init(instructions: 5, bytes: 23)
        }
    }
}
