// Inputs for measuring the code itself, again and again: the same work as the default inputs do, in some milliseconds,
// or in less where every instruction is simulated.

import Processes

/// Short inputs of every workload.
public enum ShortRuns {
    /// How long a run may take.
    public enum Length: Sendable {
        /// Some milliseconds: long against reading a clock, short against what others on the machine do.
        case timed
        /// Some millions of instructions, for a simulator that is 50 times slower than the processor.
        case counted
    }

    /// Sizes of the workloads that take one: for times and for counts.
    private static let sizes: [String: (timed: UInt64, counted: UInt64)] = [
        "ackermann": (8, 6), "fib": (31, 25), "tak": (8, 6), "nqueens": (11, 9), "trees": (13, 9), "closures": (26, 20),
        "sort": (40_000, 10_000), "quickjs": (150, 10), "lua": (200, 8), "zstd": (500_000, 100_000), "cmark": (6, 1),
    ]

    /// Prepares a short input for `workload`.
    ///
    /// - Throws: `WorkloadError` as `Workload.prepare` does.
    public static func prepare(
        _ workload: any Workload, _ length: Length, environment: CodeEnvironment = CodeEnvironment()
    ) throws(WorkloadError) -> PreparedWorkload {
        let isTimed = length == .timed
        switch workload {
        case is JSONWorkload:
            let documents = try SyntaxDump.documents(environment).sorted { $0.bytes.count < $1.bytes.count }
            guard let smallest = documents.first else { throw WorkloadError("json: there is no syntax tree") }
            if isTimed { return try JSONWorkload.prepare(documents: Array(documents.prefix(2))) }
            return try JSONWorkload.prepare(documents: [("a part of a syntax tree", beginning(of: smallest.bytes))])
        case is LispWorkload:
            return try LispWorkload.prepare(programs: [
                (
                    "a short program",
                    Array(
                        (isTimed
                            ? StandardProgram.text(fibonacci: 8, count: 50, queens: 5, depth: 1000)
                            : StandardProgram.text(fibonacci: 4, count: 5, queens: 3, depth: 50)).utf8)
                )
            ])
        case is RegexWorkload:
            var text = EmbeddedFile.sources.flatMap(\.bytes).prefix(isTimed ? 24_000 : 3_000)
            // Not in the middle of a character.
            text = text[...(text.lastIndex(of: UInt8(ascii: "\n")) ?? 0)]
            return try RegexWorkload.prepare(texts: [("the beginning of the sources", Array(text))])
        case let workload as CallSizeWorkload:
            // At two instructions a cycle, a dozen for the call and three cycles a nanosecond: about 3 ms.
            let calls = 18_000_000 / (workload.instructions + 12)
            return try workload.prepare(inputs: [String(isTimed ? calls : calls / 50)])
        case is CallChainWorkload:
            // Some nanoseconds each.
            return try workload.prepare(inputs: [isTimed ? "1000000" : "50000"])
        default:
            guard let size = sizes[workload.name] else {
                throw WorkloadError("\(workload.name) has no short input in ShortRuns.swift")
            }
            return try workload.prepare(inputs: [String(isTimed ? size.timed : size.counted)])
        }
    }

    /// The first declarations of a syntax tree, some ten kilobytes of them, as a complete document: clang ends each in
    /// a line that is indented by four, and a tree by two more lines.
    private static func beginning(of tree: [UInt8]) -> [UInt8] {
        let end = Array("\n    },\n".utf8)
        let minimum = 20_000
        guard tree.count > minimum,
            let cut = tree.indices.dropFirst(minimum).first(where: { tree[$0...].starts(with: end) })
        else { return tree }
        return tree[..<cut] + Array("\n    }\n  ]\n}\n".utf8)
    }
}
