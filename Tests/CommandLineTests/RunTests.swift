import Foundation
import Report
import TestNeeds
import Testing

/// Small inputs, by workload.
enum SmallInput {
    static let sizes = [
        "ackermann": "4", "fib": "18", "tak": "4", "nqueens": "6", "trees": "8", "closures": "14", "sort": "20000",
        "json": "nested:3000",
    ]

    private static let program = """
        ; expect: 610
        (define (fib n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2)))))
        (fib 15)
        """

    /// The arguments that give `workload` something small to do.
    static func arguments(_ workload: String, in folder: TemporaryFolder) throws -> [String] {
        switch workload {
        case "lisp": ["--input", try folder.file("program.scm", holding: program)]
        case "regex": ["--input", #filePath]
        default: ["--input", try #require(sizes[workload])]
        }
    }
}

struct RunTests {
    private static let workloads = [
        "json", "lisp", "regex", "ackermann", "fib", "tak", "nqueens", "trees", "closures", "sort",
    ]

    /// Checksum and summary of one run.
    private static func result(_ arguments: [String]) throws -> [ParameterValue?] {
        let ending = try Program.run(["run"] + arguments + ["--format", "json"])
        try #require(ending.status == 0, "\(arguments): \(ending.errors)")
        #expect(ending.errors == "")
        let records = try Document(json: ending.output).records
        #expect(records.map(\.metric) == ["time", "operations"])
        return ["checksum", "result"].map { records[0].parameters[ParameterName($0)] }
    }

    private static func compare(_ workload: String, _ strategies: [String]) throws {
        let folder = try TemporaryFolder()
        let arguments = try [workload] + SmallInput.arguments(workload, in: folder)
        let expected = try result(arguments + ["--strategy", "fixed", "--maximum", "62MiB"])
        #expect(!expected.contains(nil))
        for strategy in strategies {
            #expect(try result(arguments + ["--strategy", strategy]) == expected, "\(strategy)")
        }
    }

    @Test(arguments: workloads)
    func `a workload gives the result of a huge fixed stack`(workload: String) throws {
        try Self.compare(workload, ["fixed", "demand", "grows-down", "fault", "fault-move"])
    }

    @Test(arguments: workloads)
    func `a workload with checks gives the result of a huge fixed stack`(workload: String) throws {
        try Self.compare(workload, ["check-move", "check-segment", "check-fixed"])
    }

    @Test(arguments: ["plain", "checked", "padded"])
    func `every variant of the code runs on a plain strategy`(code: String) throws {
        for workload in ["fib", "json"] {
            let arguments = [workload, "--input", try #require(SmallInput.sizes[workload])]
            #expect(try Self.result(arguments + ["--code", code]) == Self.result(arguments), "\(workload)")
        }
    }

    @Test(arguments: ["fault", "fault-move"])
    func `100,000 nested arrays are parsed on a growing stack`(strategy: String) throws {
        let result = try Self.result(["json", "--input", "nested:100000", "--strategy", strategy])
        #expect(result[1] == "100,000 values, depth 100,000, 200,000 bytes")
    }

    @Test(arguments: ["check-move", "check-segment"])
    func `100,000 nested arrays are parsed by code with checks`(strategy: String) throws {
        let result = try Self.result(["json", "--input", "nested:100000", "--strategy", strategy])
        #expect(result[1] == "100,000 values, depth 100,000, 200,000 bytes")
    }

    /// A debug build takes more than 1 KiB for each level, so the limit is raised first.
    @Test func `100,000 nested arrays are parsed on grows-down within RLIMIT_STACK`() throws {
        let ending = try Program.shell(
            "ulimit -S -s 524288 && exec \"$0\" \"$@\"",
            ["run", "json", "--input", "nested:100000", "--strategy", "grows-down"])
        #expect(ending.errors == "")
        #expect(ending.output.contains("100,000 values, depth 100,000, 200,000 bytes"))
        #expect(ending.status == 0)
    }

    @Test(arguments: [
        ("fixed", "raise --maximum, or choose a strategy that grows"),
        ("demand", "raise --maximum, or choose a strategy that grows"),
        ("fault", "raise --maximum"), ("fault-move", "raise --maximum"),
    ])
    func `an overflow is one line with the limit and the remedy`(strategy: String, remedy: String) throws {
        try Self.overflow(strategy, remedy)
    }

    @Test(
        arguments: [
            ("check-move", "raise --maximum"), ("check-segment", "raise --maximum"),
            ("check-fixed", "raise --maximum, or choose a strategy that grows"),
        ])
    func `an overflow of code with checks is one line with the limit and the remedy`(strategy: String, remedy: String)
        throws
    {
        try Self.overflow(strategy, remedy)
    }

    @Test func `an overflow of grows-down names RLIMIT_STACK`() throws {
        let ending = try Program.shell(
            "ulimit -S -s 4096 && exec \"$0\" \"$@\"",
            ["run", "json", "--input", "nested:100000", "--strategy", "grows-down"])
        #expect(
            ending.errors
                == "error: json: stack overflow: the limit of 4194304 bytes (strategy 'grows-down') is reached; "
                + "'grows-down' is bounded by RLIMIT_STACK, now 4194304 bytes: raise it with ulimit -s, and --maximum "
                + "where you set it\n"
        )
        #expect(ending.output == "")
        #expect(ending.status == 1)
    }

    private static func overflow(_ strategy: String, _ remedy: String) throws {
        let ending = try Program.run(
            ["run", "json", "--input", "nested:200000", "--strategy", strategy, "--maximum", "1MiB"])
        #expect(
            ending.errors
                == "error: json: stack overflow: the limit of 1048576 bytes (strategy '\(strategy)') is reached; "
                + "\(remedy)\n"
        )
        #expect(ending.output == "")
        #expect(ending.status == 1)
    }

    @Test func `the table names the result and the configuration that was used`() throws {
        let ending = try Program.run(
            [
                "run", "nqueens", "--input", "6", "--strategy", "fault", "--guard", "prot-none", "--reservation",
                "8MiB", "--repeat", "3",
            ])
        let lines = ending.output.split(separator: "\n").map { $0.split(separator: " ", maxSplits: 1).map(String.init) }
        let rows = Dictionary(uniqueKeysWithValues: lines.map { ($0[0], $0[1].drop { $0 == " " }) })
        #expect(rows["result"] == "6 queens, 4 solutions")
        #expect(rows["time"]?.hasSuffix("median of 3 repetitions") == true)
        #expect(rows["code"] == "c, builtin")
        #expect(rows["strategy"] == "fault")
        #expect(rows["initial"] == "64KiB")
        #expect(rows["maximum"] == "6912KiB")
        #expect(rows["reservation"] == "8MiB")
        #expect(rows["guard"] == "prot-none")
        #expect(ending.status == 0)
    }
}
