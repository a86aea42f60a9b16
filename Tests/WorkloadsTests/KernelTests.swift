import Testing

@testable import Workloads

@Suite("Kernels")
struct KernelTests {
    /// Small sizes, so that unoptimized code is quick.
    static let sizes = [
        "ackermann": "5", "fib": "20", "tak": "6", "nqueens": "8", "trees": "9", "closures": "15", "sort": "5000",
    ]

    @Test("builtin code in each language has the expected result", arguments: sizes.keys.sorted())
    func builtin(_ name: String) throws {
        let workload = try Workloads.named(name)
        let prepared = try workload.prepare(inputs: [Self.sizes[name]!])
        for language in workload.languages {
            let code = try CodeLoader().load(workload, language: language, variant: .builtin)
            let result = try prepared.run(code)
            #expect(result.operations == prepared.operations)
            #expect(result.operations > 0)
        }
    }

    @Test("known values are computed")
    func knownValues() throws {
        #expect(TakWorkload.evaluate(18, 12, 6) == (7, 63_609))
        #expect(try AckermannWorkload().prepare(inputs: ["3"]).summary == "A(3, 3) = 61, 2,432 calls")
        #expect(try FibWorkload().prepare(inputs: ["30"]).summary == "fib(30) = 832,040, 2,692,537 calls")
        #expect(try NQueensWorkload().prepare(inputs: ["8"]).summary == "8 queens, 92 solutions")
    }

    @Test("nothing and a single element are sorted", arguments: ["0", "1", "2"])
    func smallSorts(_ size: String) throws {
        let workload = SortWorkload()
        _ = try workload.prepare(inputs: [size]).run(CodeLoader().load(workload, variant: .builtin))
    }

    @Test("sizes out of range are errors", arguments: ["", "-1", "x", "99999999999", "31"])
    func wrongSize(_ size: String) {
        #expect(
            line { try NQueensWorkload().prepare(inputs: [size]) }
                == "nqueens: '\(size)' is not a size; give one number from 1 to 16")
    }

    @Test("a wrong result is an error")
    func wrongResult() throws {
        let prepared = PreparedWorkload(
            name: "fib", summary: "", operations: 1, cases: [WorkloadCase(parameter: 10, checksum: 56)])
        let code = try CodeLoader().load(FibWorkload(), variant: .builtin)
        #expect(line { try prepared.run(code) } == "fib: wrong result: checksum 55, expected 56")
        let counted = PreparedWorkload(
            name: "fib", summary: "", operations: 1, cases: [WorkloadCase(parameter: 10, checksum: 55, counts: [1])])
        #expect(line { try counted.run(code) } == "fib: wrong result: count 0 is 0, expected 1")
        let failing = PreparedWorkload(
            name: "trees", summary: "", operations: 1, cases: [WorkloadCase(parameter: 99, checksum: 0)])
        let trees = try CodeLoader().load(TreesWorkload(), variant: .builtin)
        #expect(line { try failing.run(trees) } == "trees: trees: the depth must be 4 to 30")
        #expect(line { try failing.run(code) } == "the code of fib cannot run trees; load the code of trees")
    }

    @Test("an unknown name lists the valid ones")
    func unknownName() {
        #expect(
            line { try Workloads.named("jsn").name }
                == "unknown workload 'jsn'; choose from: json, lisp, regex, ackermann, fib, tak, nqueens, trees, "
                + "closures, sort"
        )
    }

    @Test("numbers are grouped")
    func grouping() {
        #expect(
            [0, 999, 1000, 1_234_567, -100, -1000].map { grouped($0) } == [
                "0", "999", "1,000", "1,234,567", "-100", "-1,000",
            ])
    }
}
