// How deep functions really go, beside what was predicted. One call of a program runs instruction by instruction
// (`fl_step_marks`); what is predicted is a bound, so a function that goes deeper shows an error of the prediction.

import CProbes
import Glibc
import GoBinary
import Measurement
import Peers
import Processes
import Report
import Workloads

/// What was seen of one call and of all that it called.
package struct StackMarks {
    /// A function that was called, and how deep it went.
    package struct Mark {
        package let function: StackAnalysis.Function
        package let calls: Int
        /// Bytes below its return address, of the deepest call.
        package let deepest: Int
    }

    /// Those of functions that were called and have returned, by ascending address.
    package let marks: [Mark]
    /// Instructions that were executed.
    package let instructions: Int
    /// Whether the call returned.
    package let isWhole: Bool

    /// Those with a predicted bound.
    package var bounded: [Mark] { marks.filter(\.function.isBounded) }
    /// Those whose bound is wrong.
    package var exceeded: [Mark] { bounded.filter { $0.deepest > $0.function.need } }
    /// Those whose bound is what a call took.
    package var reached: [Mark] { bounded.filter { $0.deepest == $0.function.need } }

    /// Functions that Go enters to panic: what a panic does to the stack is beyond a prediction.
    private static let ends: Set<String> = ["runtime.gopanic", "runtime.sigpanic", "runtime.asyncPreempt"]

    /// Follows the first call of the function `start`.
    ///
    /// - Parameters:
    ///   - analysis: Of the file at `path`, which is loaded where it says, and where `start` stays on its thread.
    ///   - seconds: After that many the program is ended.
    ///   - takesPart: Whether what returned until then, or until the program ended by itself, is enough.
    /// - Throws: ``MeasurementFailure``; ``TracingRefused`` where ptrace is not permitted.
    package init(
        of path: String, _ arguments: [String] = [], _ analysis: StackAnalysis, from start: String, seconds: Int = 300,
        takesPart: Bool = false
    ) throws {
        // Several names of one address cannot be told apart.
        var functions: [StackAnalysis.Function] = []
        for function in analysis.functions where functions.last?.address != function.address {
            functions.append(function)
        }
        guard let first = functions.lastIndex(where: { $0.name == start }) else {
            throw MeasurementFailure("\(path) has no function \(start)")
        }
        let entries = functions.map(\.address)
        let ends = functions.map { Self.ends.contains($0.name) }
        // One goroutine on one thread, whose stack is left alone by others.
        let environment = Spawn.environment(changing: [
            "GODEBUG": "asyncpreemptoff=1", "GOGC": "off", "GOMAXPROCS": "1", "GOTRACEBACK": "",
        ])
        var marks = [fl_step_mark](repeating: fl_step_mark(), count: entries.count)
        var instructions: UInt64 = 0
        let error = entries.withUnsafeBufferPointer { entries in
            ends.withUnsafeBufferPointer { ends in
                Self.withStrings([path] + arguments) { arguments in
                    Self.withStrings(environment) { environment in
                        var request = fl_step_request(
                            arguments: arguments, environment: environment, entries: entries.baseAddress!,
                            count: entries.count, ends: ends.baseAddress!, start: first,
                            stack_free: functions.first { $0.name == "runtime.stackfree" }?.address ?? 0,
                            seconds: UInt32(seconds))
                        return fl_step_marks(&request, &marks, &instructions)
                    }
                }
            }
        }
        if error == EPERM { throw TracingRefused(reason: ErrorNumber.text(error)) }
        isWhole = error == 0
        guard isWhole || takesPart && (error == ETIMEDOUT || error == ECHILD) && instructions > 0 else {
            throw MeasurementFailure("\(path): \(start) was not followed to its end: \(ErrorNumber.text(error))")
        }
        self.instructions = Int(instructions)
        self.marks = zip(functions, marks).filter { $0.1.calls > 0 }.map { function, mark in
            Mark(function: function, calls: Int(mark.calls), deepest: Int(mark.deepest))
        }
    }

    /// Passes an array of strings that ends with nil.
    private static func withStrings<Result>(
        _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers = strings.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        return body(&pointers)
    }
}

/// The programs whose call trees are followed.
package struct MarkedProgram {
    package let name: String
    package let path: String
    package let arguments: [String]
    package let start: String
    package let analysis: StackAnalysis

    /// The call tree of `depths.go`.
    package init(_ toolchain: GoToolchain, isThorough: Bool) throws {
        name = toolchain.version
        path = try toolchain.program(.depths).path
        arguments = isThorough ? ["thorough"] : []
        start = isThorough ? "main.thorough" : "main.measured"
        analysis = try Self.analysis(path)
    }

    /// A kernel in C of that size, or "depths", which calls in every way that compilers have.
    package init(kernel: String, size: UInt64) throws {
        // Without inlining there are calls to look at.
        let program =
            try kernel == "depths" ? .depths() : SizedProgram(try Workloads.named(kernel), inlining: .off)
        (name, path, arguments, start) = (kernel, program.path, ["\(size)"], program.symbol)
        analysis = try Self.analysis(path)
    }

    /// Kernels with sizes that take some ten thousand instructions.
    package static let kernels: [(name: String, size: UInt64)] = [
        ("depths", 20), ("ackermann", 3), ("closures", 8), ("fib", 12), ("nqueens", 5), ("sort", 50), ("tak", 3),
    ]

    /// Follows it.
    package func marks() throws -> StackMarks { try StackMarks(of: path, arguments, analysis, from: start) }

    /// The analysis of the program at `path`.
    ///
    /// - Throws: `ProcessError` where it is not understood.
    package static func analysis(_ path: String) throws(ProcessError) -> StackAnalysis {
        let content = try Files.read(path)
        do throws(GoBinaryError) {
            return try StackAnalysis(of: content)
        } catch {
            throw ProcessError("\(path): \(error)")
        }
    }
}
