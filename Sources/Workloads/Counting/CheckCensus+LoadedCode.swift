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

import Processes

/// Totals over the functions of one piece of checked code.
public struct PrologueCensus: Hashable, Sendable {
    /// The functions of the code itself, without what the pipeline and the linker add.
    public private(set) var functions = 0
    /// Those that begin with a check.
    public private(set) var checks = 0
    /// Instructions of all checks when they pass.
    public private(set) var hotInstructions = 0
    /// Bytes of them.
    public private(set) var hotBytes = 0
    /// Instructions of all checks that are executed only when a check fails.
    public private(set) var coldInstructions = 0
    /// Bytes of them.
    public private(set) var coldBytes = 0
    /// All code, in bytes.
    public private(set) var textBytes = 0

    /// Reads the shared object of `code`.
    ///
    /// - Throws: `WorkloadError` when it is no such file, or has a check of a form that is not known.
    public init(of code: LoadedCode) throws(WorkloadError) {
        guard let path = code.path else {
            throw WorkloadError("\(code.workload): only code built at run time can be examined")
        }
        self = try WorkloadError.reporting { () throws(ProcessError) in try Self(path: path) }
    }

    init(path: String) throws(ProcessError) {
        let object = try ObjectFile(path)
        textBytes = object.textSize
        for function in object.functions where Self.isOwn(function.name) {
            functions += 1
            guard let hot = HotPath(function.code) else { continue }
            guard let cold = ColdPath(function.code, at: hot.target, body: hot.end) else {
                throw ProcessError("\(path): the check of \(function.name) has an unknown form")
            }
            checks += 1
            hotInstructions += hot.instructions
            hotBytes += hot.bytes
            coldInstructions += cold.instructions
            coldBytes += cold.bytes
        }
    }

    /// The hooks of the pipeline and what swiftrt.o brings along are nobody's work.
    private static func isOwn(_ name: String) -> Bool {
        !name.hasPrefix("__morestack") && !name.hasPrefix("swift_image") && !name.hasPrefix("_ZL")
    }
}

/// A number of four bytes with a sign.
private func displacement(_ code: ArraySlice<UInt8>) -> Int? {
    guard code.count >= 4 else { return nil }
    let value = code.prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    return Int(Int32(bitPattern: value))
}

private struct HotPath {
    private static let direct: [UInt8] = [0x64, 0x48, 0x3b, 0x24, 0x25, 0x70, 0, 0, 0]
    private static let indirect: [UInt8] = [0x64, 0x4c, 0x3b, 0x1c, 0x25, 0x70, 0, 0, 0]
    private static let lea: [UInt8] = [0x4c, 0x8d, 0x9c, 0x24]

    var instructions = 2
    var bytes: Int
    /// The index of the first byte behind it.
    var end: Int
    /// The index of the cold path.
    var target: Int

    /// Nil if the code does not begin with a check.
    init?(_ code: ArraySlice<UInt8>) {
        var rest = code
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
        bytes = end - code.startIndex
    }
}

private struct ColdPath {
    var instructions: Int
    var bytes: Int

    /// Nil if there is no such code at `target`; `body` is where the jump at its end goes.
    init?(_ code: ArraySlice<UInt8>, at target: Int, body: Int) {
        guard code.indices.contains(target) else { return nil }
        let path = code[target...]
        guard path.starts(with: [0x41, 0xba]), path.dropFirst(6).starts(with: [0x41, 0xbb]),
            path.dropFirst(12).first == 0xe8, path.dropFirst(17).first == 0xc3
        else { return nil }
        (instructions, bytes) = (4, 18)
        let rest = path.dropFirst(18)
        if rest.first == 0xeb, let offset = rest.dropFirst().first,
            rest.startIndex + 2 + Int(Int8(bitPattern: offset)) == body
        {
            (instructions, bytes) = (5, 20)
        } else if rest.first == 0xe9, let offset = displacement(rest.dropFirst()),
            rest.startIndex + 5 + offset == body
        {
            (instructions, bytes) = (5, 23)
        }
    }
}
