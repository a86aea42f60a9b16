import GoBinary
import Peers
import TestNeeds
import Testing

@testable import Experiments

/// Calls that are followed instruction by instruction, beside what was predicted of them.
@Suite("Stack marks") struct StackMarksTests {
    private func mark(_ name: String, _ marks: StackMarks) throws -> StackMarks.Mark {
        try #require(marks.marks.first { $0.function.name == name }, "\(name)")
    }

    @Test(.needs(.go)) func `no function of Go goes deeper than its bound, and many reach it`() throws {
        let toolchain = try #require(GoToolchain.installed().last)
        let marks = try MarkedProgram(toolchain, isThorough: false).marks()
        #expect(marks.exceeded.isEmpty, "\(marks.exceeded.map(\.function.name))")
        #expect(marks.bounded.count > 50)
        #expect(marks.reached.count > marks.bounded.count / 2 && marks.isWhole)
        // main.outer was called so that it takes its deepest way.
        let outer = try mark("main.outer", marks)
        #expect(outer.function.isBounded && outer.deepest == outer.function.need && outer.deepest > 300 * 8)
        let recursion = try mark("main.recursion", marks)
        #expect(recursion.function.doubts == .recursion && recursion.calls == 21)
        #expect(recursion.deepest > 10 * recursion.function.need)
    }

    @Test func `no function of C goes deeper than its bound`() throws {
        let marks = try MarkedProgram(kernel: "depths", size: 20).marks()
        #expect(marks.exceeded.isEmpty, "\(marks.exceeded.map(\.function.name))")
        for name in ["leaf", "large", "sum", "arguments", "forward", "choose", "outer"] {
            let found = try mark(name, marks)
            // All but the red zone, which the stack pointer does not tell.
            #expect(found.function.isBounded && found.deepest + 128 == found.function.need, "\(name)")
        }
        #expect(try mark("recursion", marks).function.doubts == .recursion)
        #expect(try mark("recursion", marks).deepest >= 20 * 8)
        #expect(try mark("variable", marks).function.doubts == .unknownFrame)
        // Recursions, some by pointers to functions.
        for kernel in MarkedProgram.kernels where ["sort", "closures"].contains(kernel.name) {
            let marks = try MarkedProgram(kernel: kernel.name, size: kernel.size).marks()
            #expect(marks.exceeded.isEmpty, "\(kernel.name): \(marks.exceeded.map(\.function.name))")
            #expect(!marks.bounded.isEmpty && marks.bounded.count < marks.marks.count)
        }
    }

    /// What was seen until then is kept where a part is enough.
    @Test(.needs(.go)) func `a call that takes too long is followed in part`() throws {
        let program = try MarkedProgram(try #require(GoToolchain.installed().last), isThorough: true)
        func marks(_ seconds: Int, takesPart: Bool) throws -> StackMarks {
            try StackMarks(
                of: program.path, program.arguments, program.analysis, from: program.start, seconds: seconds,
                takesPart: takesPart)
        }
        #expect(throws: MeasurementFailure.self) { try marks(1, takesPart: false) }
        // Where others use the processors it takes longer to come to the call.
        let part = try #require([1, 4, 16].lazy.compactMap { try? marks($0, takesPart: true) }.first)
        #expect(!part.isWhole && part.instructions > 0 && part.exceeded.isEmpty)
    }

    @Test func `a function that is not there, and a program that ends before, are errors`() throws {
        let program = try MarkedProgram(kernel: "fib", size: 3)
        #expect(throws: MeasurementFailure.self) {
            try StackMarks(of: program.path, ["3"], program.analysis, from: "nope")
        }
        // Without its argument it ends at once.
        #expect(throws: MeasurementFailure.self) {
            try StackMarks(of: program.path, [], program.analysis, from: program.start)
        }
        #expect(throws: MeasurementFailure.self) {
            try StackMarks(of: "/nonexistent", [], program.analysis, from: program.start)
        }
    }
}
