// DWARF expressions built by hand: what each operation gives, and that damaged or deep ones are refused. Every program
// ends where nothing may be read.
import CShimInternals
import Glibc
import Measurement
import Testing

// Only read after it was made.
private nonisolated(unsafe) let stack: GuardedBytes = {
    let stack = GuardedBytes(4096)
    for index in 0..<stack.count / 8 {
        stack.start.storeBytes(of: 0x1000 + UInt(index), toByteOffset: 8 * index, as: UInt.self)
    }
    return stack
}()

private struct Outcome: Equatable, CustomStringConvertible {
    var result: UInt32
    var value: UInt
    var description: String { "result \(result), value 0x\(String(value, radix: 16))" }

    static func value(_ value: UInt) -> Outcome {
        Outcome(result: fl_unwind_result.FL_UNWIND_STEPPED.rawValue, value: value)
    }
    static let unsupported = Outcome(result: fl_unwind_result.FL_UNWIND_UNSUPPORTED.rawValue, value: 0)
    static let outOfBounds = Outcome(result: fl_unwind_result.FL_UNWIND_OUT_OF_BOUNDS.rawValue, value: 0)
}

/// Evaluates a block whose last byte is the last of its object.
private func evaluate(block: [UInt8], cfa: UInt? = nil) -> Outcome {
    let bytes = GuardedBytes(block)
    var object = fl_unwind_object(start: bytes.address, end: bytes.end, frame_header: 0)
    var view = fl_unwind_view()
    withUnsafeMutableBytes(of: &view.registers) {
        for number in 0..<17 { $0.storeBytes(of: UInt(0x100 * number), toByteOffset: 8 * number, as: UInt.self) }
    }
    view.low = stack.address
    view.high = stack.end
    view.cfa = cfa ?? 0
    view.has_cfa = cfa != nil
    var value: UInt = 0
    let result = fl_expression_evaluate(&object, bytes.address, &view, &value)
    return Outcome(result: result.rawValue, value: result == .FL_UNWIND_STEPPED ? value : 0)
}

private func evaluate(_ program: [UInt8], cfa: UInt? = nil) -> Outcome {
    evaluate(block: uleb(UInt64(program.count)) + program, cfa: cfa)
}

private let addressOperation: UInt8 = 0x03
private func address(_ value: UInt) -> [UInt8] { [addressOperation] + value.littleEndianBytes }

@Suite struct UnwindExpressionTests {
    @Test(
        arguments: [
            ([0x30], 0), ([0x4f], 31),  // lit0, lit31
            ([0x08, 0xff], 0xff), ([0x09, 0xff], UInt.max), ([0x0a, 0xff, 0xff], 0xffff),
            ([0x0b, 0xff, 0xff], UInt.max),
            ([0x0c, 1, 0, 0, 0x80], 0x8000_0001), ([0x0d, 1, 0, 0, 0x80], 0xffff_ffff_8000_0001),
            ([0x0e, 1, 2, 3, 4, 5, 6, 7, 8], 0x0807_0605_0403_0201), ([0x0f, 0, 0, 0, 0, 0, 0, 0, 0x80], 1 << 63),
            ([0x10, 0xe5, 0x8e, 0x26], 624_485), ([0x11, 0x80, 0x7f], UInt(bitPattern: -128)), ([0x11, 0x3f], 63),
            ([0x35, 0x12, 0x22], 10), ([0x35, 0x36, 0x13], 5), ([0x35, 0x36, 0x14, 0x1c], 1),  // dup, drop, over
            ([0x31, 0x32, 0x33, 0x15, 2], 1), ([0x35, 0x36, 0x16, 0x1c], 1),  // pick, swap
            ([0x31, 0x32, 0x33, 0x17, 0x13, 0x13], 3),  // rot
            ([0x31, 0x32, 0x33, 0x17], 2), ([0x36, 0x33, 0x1a], 2), ([0x36, 0x33, 0x1c], 3), ([0x36, 0x33, 0x1e], 18),
            ([0x31, 0x1f], UInt.max), ([0x30, 0x20], UInt.max), ([0x36, 0x33, 0x21], 7), ([0x36, 0x33, 0x22], 9),
            ([0x36, 0x23, 0x80, 1], 134), ([0x31, 0x4f, 0x24], 1 << 31), ([0x31, 0x08, 64, 0x24], 0),
            ([0x31, 0x1f, 0x08, 63, 0x25], 1), ([0x31, 0x1f, 0x08, 64, 0x25], 0),
            ([0x31, 0x1f, 0x08, 64, 0x26], UInt.max),
            ([0x36, 0x33, 0x27], 5), ([0x36, 0x36, 0x29], 1), ([0x30, 0x31, 0x1f, 0x2a], 1), ([0x30, 0x30, 0x2b], 0),
            ([0x31, 0x1f, 0x30, 0x2c], 1), ([0x31, 0x1f, 0x30, 0x2d], 1), ([0x36, 0x36, 0x2e], 0), ([0x31, 0x96], 1),
            ([0x76, 0x08], 0x608), ([0x77, 0x78], 0x6f8), ([0x80, 0x00], 0x1000), ([0x92, 0x07, 0x00], 0x700),
        ] as [([UInt8], UInt)])
    func anOperationGivesItsValue(program: [UInt8], expected: UInt) {
        #expect(evaluate(program) == .value(expected))
    }

    @Test func theCanonicalFrameAddressIsThereForRegistersOnly() {
        #expect(evaluate([], cfa: 0x77) == .value(0x77))
        #expect(evaluate([0x9c, 0x1c], cfa: 0x77) == .value(0))
        #expect(evaluate([0x9c]) == .unsupported)
    }

    @Test func theStackIsReadFromItsFirstWordToItsLast() {
        #expect(evaluate(address(stack.address) + [0x06]) == .value(0x1000))
        #expect(evaluate(address(stack.end - 8) + [0x06]) == .value(0x1000 + 511))
        for outside in [stack.address - 1, stack.end - 7, stack.end - 1, stack.end, 0, UInt.max, UInt.max - 7] {
            #expect(evaluate(address(outside) + [0x06]) == .outOfBounds)
        }
    }

    // Too few values, unknown registers, other operations, a number of eleven bytes.
    @Test(
        arguments: [
            [], [0x13], [0x06], [0x12], [0x31, 0x22], [0x31, 0x14], [0x31, 0x15, 1], [0x31, 0x16],
            [0x31, 0x32, 0x17],
            [0x70, 0], [0x71, 0], [0x78, 0], [0x81, 0], [0x8f, 0], [0x92, 0x11, 0], [0x92, 0x80, 0x80, 1, 0],
            [0x19], [0x1b], [0x1d], [0x28, 0, 0], [0x2f, 0, 0], [0x50], [0x90], [0x94, 8], [0xe0], [0xff],
            [0x10, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
        ] as [[UInt8]])
    func whatItCannotEvaluateIsRefused(program: [UInt8]) {
        #expect(evaluate(program) == .unsupported)
    }

    @Test func depthAndLengthAreBounded() {
        #expect(evaluate([UInt8](repeating: 0x35, count: 16)) == .value(5))
        #expect(evaluate([UInt8](repeating: 0x35, count: 17)) == .unsupported)
        #expect(evaluate([UInt8](repeating: 0x35, count: 15), cfa: 1) == .value(5))
        #expect(evaluate([UInt8](repeating: 0x35, count: 16), cfa: 1) == .unsupported)
        #expect(evaluate([0x35] + [UInt8](repeating: 0x96, count: 127)) == .value(5))
        #expect(evaluate([0x35] + [UInt8](repeating: 0x96, count: 128)) == .unsupported)
    }

    @Test func aCutProgramIsRefusedAndNothingBehindItIsRead() {
        let program: [UInt8] = [
            0x0e, 1, 2, 3, 4, 5, 6, 7, 8, 0x0c, 1, 2, 3, 4, 0x22, 0x10, 0x81, 0x01, 0x22, 0x76, 0x80, 0x01, 0x22,
        ]
        let block = uleb(UInt64(program.count)) + program
        for length in 1..<block.count { #expect(evaluate(block: Array(block.prefix(length))) == .unsupported) }
        #expect(evaluate(block: [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0x35]) == .unsupported)
        #expect(evaluate(block: [0x80]) == .unsupported)
    }

    @Test(arguments: UInt64(0)..<8) func noisePassesOrIsRefused(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let bytes = GuardedBytes(64)
        var view = fl_unwind_view()
        view.low = stack.address
        view.high = stack.end
        for _ in 0..<20_000 {
            let count = Int.random(in: 1...64, using: &random)
            let start = bytes.count - count
            for index in start..<bytes.count { bytes[index] = UInt8.random(in: 0...255, using: &random) }
            bytes[start] = UInt8.random(in: 0...64, using: &random)
            var object = fl_unwind_object(start: bytes.address + UInt(start), end: bytes.end, frame_header: 0)
            var value: UInt = 0
            let result = fl_expression_evaluate(&object, object.start, &view, &value)
            #expect([.FL_UNWIND_STEPPED, .FL_UNWIND_UNSUPPORTED, .FL_UNWIND_OUT_OF_BOUNDS].contains(result))
        }
    }
}
