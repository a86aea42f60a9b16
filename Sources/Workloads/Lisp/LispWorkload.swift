// The Scheme workload: the program of StandardProgram.swift, or programs that users name.

import Glibc
import Processes

/// A Scheme interpreter that runs a real program.
public struct LispWorkload: Workload {
    public let name = "lisp"
    public let summary = "a Scheme interpreter: calls of the program are calls of the interpreter"
    public let inputHelp =
        "Scheme files; '; expect: VALUE' in one names its result (default: an evaluator in itself, and more)"
    public let languages: [CodeLanguage] = [.swift]

    public init() {}

    public func prepare(inputs: [String]) throws(WorkloadError) -> PreparedWorkload {
        guard !inputs.isEmpty else {
            return try Self.prepare(programs: [("the standard program", Array(StandardProgram.text.utf8))])
        }
        var programs: [(label: String, bytes: [UInt8])] = []
        for input in inputs { programs.append((input, try WorkloadError.input(input))) }
        return try Self.prepare(programs: programs)
    }

    /// Prepares programs that are in memory; `label` is what messages call them.
    ///
    /// A program that says `; expect: VALUE` in a line of its own must come to that value. The checksum of every
    /// program is taken from a run on a thread with a stack of 1 GiB.
    public static func prepare(
        programs: [(label: String, bytes: [UInt8])]
    ) throws(WorkloadError) -> PreparedWorkload {
        var cases: [WorkloadCase] = []
        var (calls, depth): (UInt64, UInt64) = (0, 0)
        var values: [String] = []
        for program in programs {
            let input = InputBytes(program.bytes)
            let run = try ReferenceRun.run(input)
            guard run.status == 0 else { throw WorkloadError("\(program.label): \(run.message)") }
            if let expected = expectation(program.bytes), expected != run.message {
                throw WorkloadError(
                    "\(program.label): the result is \(run.message), not \(expected) as the file expects")
            }
            calls += run.counts[0]
            depth = max(depth, run.counts[1])
            values.append(run.message)
            cases.append(
                WorkloadCase(label: program.label, input: input, checksum: run.checksum, counts: run.counts))
        }
        return PreparedWorkload(
            name: "lisp",
            summary: "\(values.joined(separator: ", ")): \(grouped(calls)) calls, depth \(grouped(depth))",
            operations: calls, cases: cases)
    }

    private static func expectation(_ program: [UInt8]) -> String? {
        let prefix = "; expect: "
        for line in program.split(separator: 0x0a) where line.starts(with: prefix.utf8) {
            return String(decoding: line.dropFirst(prefix.utf8.count), as: UTF8.self)
        }
        return nil
    }
}

/// A run of the code inside this program on a thread with a large stack: the reference for all other stacks.
private final class ReferenceRun {
    private static let stackSize = 1 << 30

    private let input: InputBytes
    private(set) var checksum: UInt64 = 0
    private(set) var status: UInt64 = 0
    private(set) var counts: [UInt64] = []
    private(set) var message = ""

    private init(_ input: InputBytes) {
        self.input = input
    }

    static func run(_ input: InputBytes) throws(WorkloadError) -> ReferenceRun {
        let run = ReferenceRun(input)
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, stackSize)
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, &attributes,
            { argument in
                Unmanaged<ReferenceRun>.fromOpaque(argument!).takeUnretainedValue().work()
                return nil
            }, Unmanaged.passUnretained(run).toOpaque())
        guard failure == 0 else {
            throw WorkloadError("lisp: cannot create a thread with a stack of 1 GiB: \(Files.reason(failure))")
        }
        pthread_join(thread, nil)
        return run
    }

    private func work() {
        let outcome = UnsafeMutableRawPointer.allocate(byteCount: 256, alignment: 8)
        defer { outcome.deallocate() }
        outcome.initializeMemory(as: UInt8.self, repeating: 0, count: 256)
        checksum = runSchemeCode(input.start, input.count, 0, outcome)
        status = outcome.load(as: UInt64.self)
        counts = [1, 2].map { outcome.load(fromByteOffset: 8 * $0, as: UInt64.self) }
        message = OutcomeMessage.read(outcome)
    }
}
