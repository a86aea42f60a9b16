// The workloads whose only input is a size. Expected results come from closed formulas, tables and loops.

/// Reads the one input of a workload that takes a size.
func size(
    _ inputs: [String], of name: String, default standard: UInt64, in range: ClosedRange<UInt64>
) throws(WorkloadError) -> UInt64 {
    guard let text = inputs.first else { return standard }
    guard inputs.count == 1, let size = UInt64(text), range.contains(size) else {
        let given = inputs.joined(separator: " ")
        throw WorkloadError(
            "\(name): '\(given)' is not a size",
            remedy: "give one number from \(range.lowerBound) to \(range.upperBound)")
    }
    return size
}

/// Fibonacci numbers modulo 2^64, by a loop.
private func fibonacciNumber(_ n: UInt64) -> UInt64 {
    var (current, next): (UInt64, UInt64) = (0, 1)
    for _ in 0..<n { (current, next) = (next, current &+ next) }
    return current
}

/// A(3, n): tiny frames, deep recursion.
public struct AckermannWorkload: Workload {
    public let name = "ackermann"
    public let summary = "Ackermann's function A(3, n): tiny frames, 2^(n+3) calls deep"
    public let inputHelp = "n, a number from 0 to 14 (default 10)"
    public let languages: [CodeLanguage] = [.c, .swift]

    public init() {}

    public func prepare(inputs: [String]) throws(WorkloadError) -> PreparedWorkload {
        let n = try size(inputs, of: name, default: 10, in: 0...14)
        // A(3, n) = 2^(n+3) - 3; its calls are (128 * 4^n - 120 * 2^n + 9 n + 37) / 3.
        let value = (UInt64(1) << (n + 3)) - 3
        let calls = ((UInt64(128) << (2 * n)) - (UInt64(120) << n) + 9 * n + 37) / 3
        return PreparedWorkload(
            name: name, summary: "A(3, \(n)) = \(grouped(value)), \(grouped(calls)) calls", operations: calls,
            cases: [WorkloadCase(parameter: n, checksum: value)])
    }
}

/// Fibonacci numbers by definition.
public struct FibWorkload: Workload {
    public let name = "fib"
    public let summary = "Fibonacci numbers by definition: nothing but calls"
    public let inputHelp = "n, a number from 0 to 45 (default 36)"
    public let languages: [CodeLanguage] = [.c, .swift]

    public init() {}

    public func prepare(inputs: [String]) throws(WorkloadError) -> PreparedWorkload {
        let n = try size(inputs, of: name, default: 36, in: 0...45)
        let calls = 2 * fibonacciNumber(n + 1) - 1
        return PreparedWorkload(
            name: name, summary: "fib(\(n)) = \(grouped(fibonacciNumber(n))), \(grouped(calls)) calls",
            operations: calls, cases: [WorkloadCase(parameter: n, checksum: fibonacciNumber(n))])
    }
}

/// The same function through closures.
public struct ClosuresWorkload: Workload {
    public let name = "closures"
    public let summary = "an expression compiled to closures: an indirect call for each of its nodes"
    public let inputHelp = "n of the Fibonacci number to compute, from 0 to 40 (default 31)"
    public let languages: [CodeLanguage] = [.c, .swift]

    public init() {}

    public func prepare(inputs: [String]) throws(WorkloadError) -> PreparedWorkload {
        let n = try size(inputs, of: name, default: 31, in: 0...40)
        let evaluations = 2 * fibonacciNumber(n + 1) - 1
        return PreparedWorkload(
            name: name, summary: "fib(\(n)) = \(grouped(fibonacciNumber(n))), \(grouped(evaluations)) evaluations",
            operations: evaluations, cases: [WorkloadCase(parameter: n, checksum: fibonacciNumber(n))])
    }
}

/// Takeuchi's function.
public struct TakWorkload: Workload {
    public let name = "tak"
    public let summary = "Takeuchi's function tak(3k, 2k, k): three arguments, four calls"
    public let inputHelp = "k, a number from 1 to 12 (default 9)"
    public let languages: [CodeLanguage] = [.c]

    public init() {}

    public func prepare(inputs: [String]) throws(WorkloadError) -> PreparedWorkload {
        let k = try size(inputs, of: name, default: 9, in: 1...12)
        let (value, calls) = Self.evaluate(Int(3 * k), Int(2 * k), Int(k))
        return PreparedWorkload(
            name: name, summary: "tak(\(3 * k), \(2 * k), \(k)) = \(value), \(grouped(calls)) calls",
            operations: calls, cases: [WorkloadCase(parameter: k, checksum: UInt64(value))])
    }

    /// Value and number of calls, by dynamic programming on a work list: no recursion, each triple once.
    static func evaluate(_ x: Int, _ y: Int, _ z: Int) -> (value: Int, calls: UInt64) {
        struct Call: Hashable {
            var x, y, z: Int
        }
        var known: [Call: (value: Int, calls: UInt64)] = [:]
        var pending = [Call(x: x, y: y, z: z)]
        while let call = pending.last {
            if known[call] == nil, call.y >= call.x { known[call] = (call.z, 1) }
            if known[call] != nil {
                pending.removeLast()
                continue
            }
            let inner = [
                Call(x: call.x - 1, y: call.y, z: call.z), Call(x: call.y - 1, y: call.z, z: call.x),
                Call(x: call.z - 1, y: call.x, z: call.y),
            ]
            let results = inner.compactMap { known[$0] }
            guard results.count == 3 else {
                pending += inner.filter { known[$0] == nil }
                continue
            }
            let outer = Call(x: results[0].value, y: results[1].value, z: results[2].value)
            guard let result = known[outer] else {
                pending.append(outer)
                continue
            }
            known[call] = (result.value, results.reduce(1 + result.calls) { $0 + $1.calls })
        }
        return known[Call(x: x, y: y, z: z)]!
    }
}

/// Queens on a board.
public struct NQueensWorkload: Workload {
    public let name = "nqueens"
    public let summary = "queens on an n by n board by backtracking: recursion as deep as the board"
    public let inputHelp = "n, a number from 1 to 16 (default 13)"
    public let languages: [CodeLanguage] = [.c]
    /// Solutions for boards from 1 by 1: sequence A000170 of the OEIS.
    static let solutions: [UInt64] = [
        1, 0, 0, 2, 10, 4, 40, 92, 352, 724, 2680, 14200, 73712, 365_596, 2_279_184, 14_772_512,
    ]

    public init() {}

    public func prepare(inputs: [String]) throws(WorkloadError) -> PreparedWorkload {
        let n = try size(inputs, of: name, default: 13, in: 1...16)
        let solutions = Self.solutions[Int(n) - 1]
        return PreparedWorkload(
            name: name, summary: "\(n) queens, \(grouped(solutions)) solutions", operations: max(1, solutions),
            cases: [WorkloadCase(parameter: n, checksum: solutions)])
    }
}

/// Binary trees.
public struct TreesWorkload: Workload {
    public let name = "trees"
    public let summary = "binary trees allocated, counted and freed: many bushy ones, one long spine"
    public let inputHelp = "the depth of the largest tree, from 4 to 22 (default 16)"
    public let languages: [CodeLanguage] = [.c, .swift]

    public init() {}

    public func prepare(inputs: [String]) throws(WorkloadError) -> PreparedWorkload {
        let depth = try size(inputs, of: name, default: 16, in: 4...22)
        var hash = FNVHash()
        var total: UInt64 = 0
        for level in stride(from: 4, through: depth, by: 2) {
            let nodes = ((UInt64(2) << level) - 1) << (depth - level)
            hash.add(word: nodes)
            total += nodes
        }
        let (spine, lasting) = (depth * 500, (UInt64(2) << depth) - 1)
        hash.add(word: spine)
        hash.add(word: lasting)
        total += spine + lasting
        return PreparedWorkload(
            name: name, summary: "\(grouped(total)) nodes, depth \(grouped(spine))", operations: total,
            cases: [WorkloadCase(parameter: depth, checksum: hash.value, counts: [total])])
    }
}

/// Quicksort and merge sort.
public struct SortWorkload: Workload {
    public let name = "sort"
    public let summary = "quicksort of an array, merge sort of a list with a recursive merge (10,000 calls deep)"
    public let inputHelp = "the length of the array, from 0 to 100000000 (default 400000)"
    public let languages: [CodeLanguage] = [.c]

    public init() {}

    public func prepare(inputs: [String]) throws(WorkloadError) -> PreparedWorkload {
        let count = try size(inputs, of: name, default: 400_000, in: 0...100_000_000)
        // Marsaglia's xorshift64, as in Sources/Kernels/kernel.h, from the same start.
        var random = FNVHash().value
        var values: [UInt64] = []
        values.reserveCapacity(Int(count))
        for _ in 0..<count {
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            values.append(random)
        }
        let list = values.prefix(10_000).sorted()
        values.sort()
        var hash = FNVHash()
        for value in values { hash.add(word: value) }
        for value in list { hash.add(word: value) }
        return PreparedWorkload(
            name: name, summary: "\(grouped(count)) numbers sorted, \(grouped(list.count)) of them as a list",
            operations: max(1, count), cases: [WorkloadCase(parameter: count, checksum: hash.value)])
    }
}
