// What runs on a stack. This module knows nothing of stacks: the caller runs a prepared workload wherever it likes.

internal import Kernels
import Processes

/// Why a workload cannot be prepared or built, or that its result is wrong: one line that names the remedy.
public struct WorkloadError: Error, CustomStringConvertible, Sendable {
    private let problem: String
    package let remedy: String?

    /// The line.
    public var description: String { remedy.map { "\(problem); \($0)" } ?? problem }

    package init(_ problem: String, remedy: String? = nil) {
        (self.problem, self.remedy) = (problem, remedy)
    }

    /// Does `work`, whose error becomes one of this module.
    package static func reporting<Result>(
        _ work: () throws(ProcessError) -> Result
    ) throws(WorkloadError) -> Result {
        do throws(ProcessError) {
            return try work()
        } catch {
            throw WorkloadError(error.problem, remedy: error.remedy)
        }
    }

    /// The contents of an input file.
    static func input(_ path: String) throws(WorkloadError) -> [UInt8] {
        try reporting { () throws(ProcessError) in try Files.read(path) }
    }
}

/// The language of a workload's code.
public enum CodeLanguage: String, CaseIterable, Sendable {
    case c
    case swift
}

/// How a workload's code is compiled.
public enum CodeVariant: String, CaseIterable, Sendable {
    /// As part of the program, with the program's own flags.
    case builtin
    /// At run time, optimized, without prologue checks.
    case plain
    /// Like `plain`, with a stack check in the prologue of each function (the IR attribute "split-stack").
    case checked
    /// Like `plain`, with a no-op of the check's length in each prologue.
    case padded
}

/// A program that recurses on real input.
public protocol Workload: Sendable {
    /// What users call it.
    var name: String { get }
    /// One line for help texts.
    var summary: String { get }
    /// What `inputs` may be, one line for help texts.
    var inputHelp: String { get }
    /// The languages it is written in; the first is the default.
    var languages: [CodeLanguage] { get }

    /// Reads the inputs, or the default input if there are none, and computes the expected result independently of the
    /// code that `PreparedWorkload.run` will run. May take many times longer than a run.
    func prepare(inputs: [String]) throws(WorkloadError) -> PreparedWorkload
}

/// A workload with its input in memory and its expected result known.
public struct PreparedWorkload: Sendable {
    /// The name of the workload.
    public let name: String
    /// What a run does, such as "1,234,567 values, depth 48".
    public let summary: String
    /// Units of work in a run: values parsed, calls made, nodes allocated (Sources/Workloads/README.md).
    public let operations: UInt64
    let cases: [WorkloadCase]

    /// Does the work once on the calling stack and compares the result with the expected one.
    ///
    /// Allocates one block of 256 bytes besides what the code itself does, and prints nothing.
    /// - Throws: `WorkloadError` if the code belongs to another workload or reports a failure, or the result is wrong.
    public func run(_ code: LoadedCode) throws(WorkloadError) -> WorkloadResult {
        guard code.workload == name else {
            throw WorkloadError("the code of \(code.workload) cannot run \(name)", remedy: "load the code of \(name)")
        }
        let outcome = UnsafeMutablePointer<fl_workload_outcome>.allocate(capacity: 1)
        defer { outcome.deallocate() }
        var checksum: UInt64 = 0
        for index in cases.indices {
            let input = cases[index].input
            UnsafeMutableRawPointer(outcome).initializeMemory(
                as: UInt8.self, repeating: 0, count: MemoryLayout<fl_workload_outcome>.size)
            let hash = code.entry(input.start, input.count, cases[index].parameter, outcome)
            try cases[index].verify(hash, outcome, workload: name)
            checksum = checksum &* 31 &+ hash
        }
        return WorkloadResult(checksum: checksum, summary: summary, operations: operations)
    }
}

/// What a verified run amounts to.
public struct WorkloadResult: Hashable, Sendable {
    /// The same for every variant and stack.
    public let checksum: UInt64
    /// What was done, such as "1,234,567 values, depth 48".
    public let summary: String
    /// Units of work done.
    public let operations: UInt64
}

/// One call of a workload's code.
struct WorkloadCase: Sendable {
    /// What messages call this input, such as a file's path; empty if there is none.
    var label = ""
    var input = InputBytes([])
    var parameter: UInt64 = 0
    var checksum: UInt64
    /// Expected counts, from the first.
    var counts: [UInt64] = []

    /// This case with the checksum of a run of `code` whose counts are as expected.
    func completed(by code: LoadedCode) throws(WorkloadError) -> WorkloadCase {
        let outcome = UnsafeMutablePointer<fl_workload_outcome>.allocate(capacity: 1)
        defer { outcome.deallocate() }
        UnsafeMutableRawPointer(outcome).initializeMemory(
            as: UInt8.self, repeating: 0, count: MemoryLayout<fl_workload_outcome>.size)
        var completed = self
        completed.checksum = code.entry(input.start, input.count, parameter, outcome)
        try completed.verify(completed.checksum, outcome, workload: code.workload)
        return completed
    }

    /// Does nothing but compare unless the result is wrong.
    fileprivate func verify(
        _ hash: UInt64, _ outcome: UnsafeMutablePointer<fl_workload_outcome>, workload: String
    ) throws(WorkloadError) {
        let raw = UnsafeRawPointer(outcome)
        guard outcome.pointee.status == 0 else {
            throw failure(workload, OutcomeMessage.read(raw))
        }
        guard hash == checksum else {
            throw failure(workload, "wrong result: checksum \(hash), expected \(checksum)")
        }
        for index in counts.indices {
            let count = raw.load(fromByteOffset: 8 + 8 * index, as: UInt64.self)
            guard count == counts[index] else {
                throw failure(workload, "wrong result: count \(index) is \(count), expected \(counts[index])")
            }
        }
    }

    @inline(never)
    private func failure(_ workload: String, _ reason: String) -> WorkloadError {
        WorkloadError(label.isEmpty ? "\(workload): \(reason)" : "\(workload): \(label): \(reason)")
    }
}

enum OutcomeMessage {
    /// The text in a `fl_workload_outcome`.
    static func read(_ outcome: UnsafeRawPointer) -> String {
        String(cString: (outcome + 40).assumingMemoryBound(to: CChar.self))
    }
}

/// Input that stays where it is: code gets its address.
final class InputBytes: @unchecked Sendable {
    // Safe to share: written once, here, and read only afterwards.
    private let buffer: UnsafeMutableBufferPointer<UInt8>

    init(_ bytes: some Collection<UInt8>) {
        buffer = .allocate(capacity: bytes.count)
        _ = buffer.initialize(from: bytes)
    }

    deinit {
        buffer.deallocate()
    }

    var start: UnsafePointer<UInt8>? { UnsafePointer(buffer.baseAddress) }
    var count: Int { buffer.count }
    var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(buffer) }
}

/// Numbers for people.
func grouped(_ number: some BinaryInteger) -> String {
    var result = ""
    for (index, digit) in String(number).reversed().enumerated() {
        if index > 0, index % 3 == 0, digit != "-" { result.append(",") }
        result.append(digit)
    }
    return String(result.reversed())
}
