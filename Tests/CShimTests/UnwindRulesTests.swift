// Call frame information built by hand: the rules that hold at each address, and that damaged tables are refused
// without a read outside their object, whose end is guarded.
import CShimInternals
import Measurement
import Testing

/// One function's program, from its first address on.
private struct Function {
    var offset: Int  // of its code from the object's start; may be negative
    var length: UInt32
    var program: [UInt8]
}

/// An object that consists of .eh_frame_hdr, one CIE and an FDE for each function. Code lies below it.
private final class Object {
    let memory: GuardedBytes
    var object: fl_unwind_object

    static let code = -0x10000

    init(
        _ functions: [Function], common: [UInt8] = [0x0c, 7, 8, 0x90, 1], augmentation: String = "zR",
        data: [UInt8] = [0x1b], codeAlignment: UInt64 = 1, dataAlignment: UInt8 = 0x78
    ) {
        let header = 12 + 8 * functions.count
        var bytes = [UInt8](repeating: 0, count: header)
        func record(_ body: [UInt8]) -> Int {
            let at = bytes.count
            let padded = body + [UInt8](repeating: 0, count: (4 - body.count % 4) % 4)
            bytes += UInt32(padded.count).littleEndianBytes + padded
            return at
        }
        var entry: [UInt8] = [0, 0, 0, 0, 1] + Array(augmentation.utf8) + [0]
        entry += uleb(codeAlignment) + [dataAlignment, 16]
        if augmentation.hasPrefix("z") { entry += uleb(UInt64(data.count)) + data }
        let commonAt = record(entry + common)
        var table: [(code: Int32, record: Int32)] = []
        for function in functions {
            let at = bytes.count
            var body = UInt32(at + 4 - commonAt).littleEndianBytes
            body += Int32(function.offset - (at + 8)).littleEndianBytes + function.length.littleEndianBytes
            if augmentation.hasPrefix("z") { body.append(0) }
            table.append((Int32(function.offset), Int32(record(body + function.program))))
        }
        bytes[0] = 1
        bytes[1] = 0x1b
        bytes[2] = 0x03
        bytes[3] = 0x3b
        bytes.replaceSubrange(8..<12, with: UInt32(functions.count).littleEndianBytes)
        for (index, row) in table.sorted(by: { $0.code < $1.code }).enumerated() {
            let at = 12 + 8 * index
            bytes.replaceSubrange(at..<at + 8, with: row.code.littleEndianBytes + row.record.littleEndianBytes)
        }
        memory = GuardedBytes(bytes)
        object = fl_unwind_object(start: memory.address, end: memory.end, frame_header: memory.address)
    }

    func find(_ offset: Int) -> (result: fl_unwind_result, rules: fl_frame_rules) {
        var rules = fl_frame_rules()
        let result = fl_frame_rules_find(&object, memory.address &+ UInt(bitPattern: offset), &rules)
        return (result, rules)
    }

    func row(_ offset: Int) -> (register: UInt64, offset: Int64, rules: [Int: fl_register_rule])? {
        var found = find(offset)
        guard found.result == .FL_UNWIND_STEPPED else { return nil }
        let rules = withUnsafeBytes(of: &found.rules.row.registers) { bytes in
            (0..<17).map {
                bytes.load(fromByteOffset: $0 * MemoryLayout<fl_register_rule>.stride, as: fl_register_rule.self)
            }
        }
        let specified = rules.enumerated().filter { $0.element.kind != .FL_RULE_UNSPECIFIED }
        return (
            found.rules.row.cfa_register, found.rules.row.cfa_offset,
            Dictionary(uniqueKeysWithValues: specified.map { ($0.offset, $0.element) })
        )
    }
}

private let code = Object.code

/// push %rbp; mov %rsp, %rbp; …; pop %rbp; ret
private let usual: [UInt8] = [0x41, 0x0e, 16, 0x86, 2, 0x43, 0x0d, 6, 0x4c, 0x0c, 7, 8]

@Suite struct UnwindRulesTests {
    @Test func eachAddressHasTheRowThatHoldsThere() throws {
        let object = Object([Function(offset: code, length: 32, program: usual)])
        let rows: [(at: Int, register: UInt64, offset: Int64, keepsFramePointer: Bool)] = [
            (0, 7, 8, false), (1, 7, 16, true), (3, 7, 16, true), (4, 6, 16, true), (15, 6, 16, true), (16, 7, 8, true),
            (31, 7, 8, true),
        ]
        for expected in rows {
            let row = try #require(object.row(code + expected.at))
            #expect(row.register == expected.register && row.offset == expected.offset, "at \(expected.at)")
            #expect(row.rules[16]?.kind == .FL_RULE_OFFSET && row.rules[16]?.operand == -8)
            #expect((row.rules[6]?.operand == -16) == expected.keepsFramePointer)
        }
        #expect(object.find(code - 1).result == .FL_UNWIND_NO_ENTRY)
        #expect(object.find(code + 32).result == .FL_UNWIND_NO_ENTRY)
    }

    @Test func theTableIsSearchedToItsEnds() {
        let functions = (0..<50).map { number in
            Function(offset: code + 64 * number, length: 48, program: [0x0e] + uleb(UInt64(1_000 + number)))
        }
        let object = Object(functions.shuffled())
        for number in 0..<50 {
            #expect(object.row(code + 64 * number)?.offset == Int64(1_000 + number))
            #expect(object.row(code + 64 * number + 47)?.offset == Int64(1_000 + number))
            #expect(object.find(code + 64 * number + 48).result == .FL_UNWIND_NO_ENTRY)
        }
    }

    @Test(
        arguments: [
            ([0x83, 2], .FL_RULE_OFFSET, -16), ([0x05, 3, 2], .FL_RULE_OFFSET, -16),
            ([0x11, 3, 0x7e], .FL_RULE_OFFSET, 16),
            ([0x2f, 3, 2], .FL_RULE_OFFSET, 16), ([0x14, 3, 2], .FL_RULE_VALUE_OFFSET, -16),
            ([0x15, 3, 0x7e], .FL_RULE_VALUE_OFFSET, 16), ([0x07, 3], .FL_RULE_UNDEFINED, 0),
            ([0x08, 3], .FL_RULE_SAME_VALUE, 0), ([0x09, 3, 12], .FL_RULE_REGISTER, 12),
            ([0x83, 2, 0xc3], .FL_RULE_UNSPECIFIED, 0), ([0x83, 2, 0x06, 3], .FL_RULE_UNSPECIFIED, 0),
            ([0x2e, 8, 0x83, 1], .FL_RULE_OFFSET, -8), ([0x83, 2, 0x0a, 0x83, 3, 0x0b], .FL_RULE_OFFSET, -16),
        ] as [([UInt8], fl_rule_kind, Int64)])
    func anOperationSetsItsRule(program: [UInt8], kind: fl_rule_kind, operand: Int64) throws {
        let row = try #require(Object([Function(offset: code, length: 32, program: program)]).row(code))
        #expect((row.rules[3]?.kind ?? .FL_RULE_UNSPECIFIED) == kind)
        #expect((row.rules[3]?.operand ?? 0) == operand)
    }

    @Test(
        arguments: [
            ([0x41, 0x0e, 99], 1), ([0x02, 7, 0x0e, 99], 7), ([0x03, 1, 1, 0x0e, 99], 257),
            ([0x04, 1, 0, 1, 0, 0x0e, 99], 65_537),
        ] as [([UInt8], Int)])
    func anAdvanceMovesToTheNextRowThere(program: [UInt8], distance: Int) {
        let object = Object([Function(offset: 4 * code, length: 1 << 20, program: program)])
        #expect(object.row(4 * code + distance - 1)?.offset == 8)
        #expect(object.row(4 * code + distance)?.offset == 99)
        let scaled = Object([Function(offset: 16 * code, length: 1 << 20, program: program)], codeAlignment: 4)
        #expect(scaled.row(16 * code + 4 * distance - 1)?.offset == 8)
        #expect(scaled.row(16 * code + 4 * distance)?.offset == 99)
    }

    @Test func expressionsAreTakenForWhatTheyBelongTo() throws {
        let object = Object([
            Function(offset: code, length: 8, program: [0x0f, 2, 0x77, 8, 0x10, 3, 1, 0x30, 0x16, 12, 0])
        ])
        let found = object.find(code)
        #expect(found.result == .FL_UNWIND_STEPPED)
        let block = found.rules.row.cfa_expression
        #expect(UnsafePointer<UInt8>(bitPattern: block)!.pointee == 2)
        let rules = try #require(object.row(code)).rules
        #expect(rules[3]?.kind == .FL_RULE_EXPRESSION && rules[3]?.operand == Int64(block + 5))
        #expect(rules[12]?.kind == .FL_RULE_VALUE_EXPRESSION && rules[12]?.operand == Int64(block + 9))
    }

    @Test func rememberedRowsAreBounded() {
        func nested(_ depth: Int) -> [UInt8] {
            [UInt8](repeating: 0x0a, count: depth) + [0x0e, 77] + [UInt8](repeating: 0x0b, count: depth)
        }
        let deep = Object([Function(offset: code, length: 8, program: nested(8))])
        #expect(deep.row(code)?.offset == 8)
        let tooDeep = Object([Function(offset: code, length: 8, program: nested(9))])
        #expect(tooDeep.find(code).result == .FL_UNWIND_UNSUPPORTED)
        let unbalanced = Object([Function(offset: code, length: 8, program: [0x0b])])
        #expect(unbalanced.find(code).result == .FL_UNWIND_UNSUPPORTED)
    }

    @Test func programsAreBounded() {
        let long = [UInt8](repeating: 0x08, count: 0) + (0..<70_000).flatMap { _ in [0x08, 3] as [UInt8] }
        #expect(Object([Function(offset: code, length: 8, program: long)]).find(code).result == .FL_UNWIND_UNSUPPORTED)
    }

    @Test(
        arguments: [[0x17], [0x1d], [0x2d, 0], [0x3f], [0x0f, 100, 0x30], [0x10, 3, 0xff, 0xff, 0x7f]] as [[UInt8]])
    func whatItDoesNotKnowIsRefused(program: [UInt8]) {
        #expect(
            Object([Function(offset: code, length: 8, program: program)]).find(code).result == .FL_UNWIND_UNSUPPORTED)
    }

    @Test func augmentationsThatItKnowsAreRead() {
        let function = [Function(offset: code, length: 32, program: usual)]
        let plain = Object(function, augmentation: "zR")
        #expect(!plain.find(code).rules.is_signal_frame && plain.find(code).rules.return_register == 16)
        #expect(Object(function, augmentation: "zRS").find(code).rules.is_signal_frame)
        #expect(
            Object(function, augmentation: "zPLR", data: [0x03, 1, 2, 3, 4, 0x1b, 0x1b]).row(code + 1)?.offset == 16)
        for (unknown, data) in [("zX", [0x1b]), ("R", []), ("zP", [0x50]), ("zR", [])] as [(String, [UInt8])] {
            #expect(
                Object(function, augmentation: unknown, data: data).find(code).result == .FL_UNWIND_UNSUPPORTED,
                "\(unknown)")
        }
    }

    @Test func anObjectWithoutAHeaderHasNoEntry() {
        let object = Object([Function(offset: code, length: 32, program: usual)])
        object.object.frame_header = 0
        #expect(object.find(code).result == .FL_UNWIND_NO_ENTRY)
        object.object.frame_header = object.object.end
        #expect(object.find(code).result == .FL_UNWIND_UNSUPPORTED)
        object.object.frame_header = object.object.start - 1
        #expect(object.find(code).result == .FL_UNWIND_UNSUPPORTED)
        let empty = Object([])
        #expect(empty.find(code).result == .FL_UNWIND_NO_ENTRY)
    }

    @Test func aCutObjectIsRefused() {
        let object = Object([Function(offset: code, length: 32, program: usual)])
        for end in object.object.start..<object.memory.end {
            object.object.end = end
            #expect(object.find(code + 20).result == .FL_UNWIND_UNSUPPORTED)
        }
    }

    // The last bytes of the object are the last that can be read, so a read beyond it ends the process.
    @Test(arguments: UInt64(0)..<6) func damageIsRefusedOrGivesRulesAndNothingOutsideIsRead(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let functions = (0..<3).map { Function(offset: code + 64 * $0, length: 64, program: usual) }
        let sound = Object(functions)
        let bytes = (0..<sound.memory.count).map { sound.memory[$0] }
        for _ in 0..<20_000 {
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                sound.memory[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            let result = sound.find(code + Int.random(in: -8..<200, using: &random)).result
            #expect([.FL_UNWIND_STEPPED, .FL_UNWIND_NO_ENTRY, .FL_UNWIND_UNSUPPORTED].contains(result))
            for (index, byte) in bytes.enumerated() { sound.memory[index] = byte }
        }
    }
}
