// A C function of a chosen size that is called again and again: what a check costs against the work of a call. The
// source is made here, for each size, so that the compiler sees nothing but the call and the work.
//
// The function calls itself some levels deep, as real calls nest: a loop around one call whose return address is read
// as soon as it is written takes one time or twice that, by the luck of the processor's predictors. Its work is single
// instructions of one cycle in two chains that do not wait for each other: two instructions a cycle, which is what much
// real code comes to.

/// Calls of a function that executes as many instructions of work as it was made for.
public struct CallSizeWorkload: Workload, CodeSourceProvider {
    /// The instructions of a call: from next to none, by steps of about the square root of ten, to 1,000.
    public static let sizes = [1, 3, 10, 30, 100, 300, 1000]

    public let name: String
    public let summary: String
    public let inputHelp = "how many calls, from 1 to 1000000000 (default 1000000)"
    public let languages: [CodeLanguage] = [.c]
    /// The instructions of work in each call, besides those of the call itself.
    public let instructions: Int

    /// - Precondition: `instructions` is positive.
    public init(instructions: Int) {
        precondition(instructions > 0, "a call without work would be optimized away")
        self.instructions = instructions
        name = "call\(instructions)"
        summary = "calls of a function of \(instructions) instructions"
    }

    /// Levels of calls: fewer than return addresses that a processor predicts (16 and more).
    static let depth: UInt64 = 12

    public func prepare(inputs: [String]) throws(WorkloadError) -> PreparedWorkload {
        let calls = try size(inputs, of: name, default: 1_000_000, in: 1...1_000_000_000)
        // Each call adds the number of its instructions: 1 for each of the first chain, 3 for each of the second.
        let (first, second) = (UInt64(instructions + 1) / 2, UInt64(instructions) / 2)
        let made = (calls + Self.depth - 1) / Self.depth * Self.depth
        return PreparedWorkload(
            name: name, summary: "\(grouped(made)) calls of \(instructions) instructions", operations: made,
            cases: [WorkloadCase(parameter: made / Self.depth, checksum: made &* (first &+ 3 &* second))])
    }

    func codeSource() -> CodeSource {
        .repeating("sum = work(sum, \(Self.depth));", name, functions: work)
    }

    private var work: String {
        let pairs = instructions / 2
        let last = instructions % 2 == 1 ? "leaq 1(%0), %0\\n" : ""
        return """
            __attribute__((noinline)) static uint64_t work(uint64_t first, uint64_t depth) {
                uint64_t second = 0;
                if (depth > 1) first = work(first, depth - 1);
                __asm__ volatile(
                    ".rept \(pairs)\\n leaq 1(%0), %0\\n leaq 3(%1), %1\\n .endr\\n\(last)"
                    : "+r"(first), "+r"(second));
                return first + second;
            }
            """
    }
}
