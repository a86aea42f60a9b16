import Testing

/// Whatever is wrong with the arguments gets one line on standard error and exit code 64, and nothing else.
struct ErrorTests {
    private static let workloads = "json, lisp, regex, ackermann, fib, tak, nqueens, trees, closures, sort"
    private static let strategies =
        "automatic, fixed, demand, grows-down, fault, fault-move, check-move, check-segment, check-fixed"
    private static let sizes =
        "is not a size: write plain bytes (4096) or a whole number with KiB, MiB or GiB (16KiB, 8MiB, 1GiB)"
    private static let jsonInput =
        "JSON files, or nested:N for N nested arrays (default: clang's syntax tree of the C kernels)"

    private static let names: [([String], String)] = [
        (
            ["bogus"],
            "unknown command 'bogus'; choose from: run, reproduce, claims, report, bench, stats, faults, plan, go, show"
        ),
        (["--bogus"], "Unknown option '--bogus'; see 'faultline --help'"),
        (["run"], "Missing expected argument '<workload>'; see 'faultline run --help'"),
        (["run", "nope"], "unknown workload 'nope'; choose from: \(workloads)"),
        (["run", "a\nb"], "unknown workload 'a b'; choose from: \(workloads)"),
        (["run", "a\u{1B}b"], "unknown workload 'a?b'; choose from: \(workloads)"),
        (["stats", "nope"], "unknown workload 'nope'; choose from: \(workloads)"),
        (["run", "fib", "extra"], "Unexpected argument 'extra'; see 'faultline run --help'"),
        (["run", "fib", "--bogus"], "Unknown option '--bogus'; see 'faultline run --help'"),
        (["run", "fib", "--input"], "Missing value for '--input <file>'; see 'faultline run --help'"),
        (
            ["run", "fib", "--strategy", "x"],
            "The value 'x' is invalid for '--strategy <strategy>'. Please provide one of the following: \(strategies)"
        ),
        (
            ["run", "fib", "--guard", "x"],
            "The value 'x' is invalid for '--guard <guard>'. Please provide one of 'prot-none' and 'guard-pages'."
        ),
        (
            ["run", "fib", "--format", "prometheus"],
            "The value 'prometheus' is invalid for '--format <format>'. Please provide one of 'table' and 'json'."
        ),
        (
            ["--generate-completion-script", "x"],
            "Can't generate completion scripts for 'x'. Please use --generate-completion-script=<shell> with one of: "
                + "zsh bash fish"
        ),
    ]

    private static let values: [([String], String)] = [
        (["run", "fib", "--initial", "5x"], "The value '5x' is invalid for '--initial <size>': '5x' \(sizes)"),
        (["run", "fib", "--maximum", "-1"], "Missing value for '--maximum <size>'; see 'faultline run --help'"),
        (["run", "fib", "--maximum", "0"], "--maximum of 0 bytes is out of range; use 1 to 1072431104"),
        (["run", "fib", "--maximum", "10GiB"], "--maximum of 10737418240 bytes is out of range; use 1 to 1072431104"),
        (
            ["run", "fib", "--reservation", "3MiB"],
            "--reservation of 3145728 bytes is not a slot size; use a power of two from 64KiB to 1GiB"
        ),
        (
            ["run", "fib", "--reservation", "64KiB"],
            "--reservation 64KiB has no room for the 256KiB that containing an overflow takes; choose 512KiB or more"
        ),
        (
            ["run", "fib", "--strategy", "fault", "--initial", "1MiB", "--maximum", "64KiB"],
            "--initial of 1048576 bytes exceeds the maximum of 65536 bytes"
        ),
        (["run", "fib", "--repeat", "0"], "The value '0' is invalid for '--repeat <n>': give a number from 1"),
        (["run", "fib", "--repeat", "x"], "The value 'x' is invalid for '--repeat <n>': give a number from 1"),
        (["run", "fib", "--input", "99"], "fib: '99' is not a size; give one number from 0 to 45"),
        (
            ["run", "json", "--input", "nested:"],
            "json: 'nested:' has no depth; write nested:N with N from 1 to 100000000"
        ),
        (
            ["run", "json", "--input", "/nonexistent"],
            "cannot read /nonexistent: No such file or directory; --input takes: \(jsonInput)"
        ),
        (
            ["run", "json", "--input", "/dev/null"],
            "/dev/null is not JSON at byte 0: the text ends too early; --input takes: \(jsonInput)"
        ),
        (
            ["faults", "nope"],
            "unknown kind of fault 'nope'; choose from: growth, overflow-contained, overflow, other-guard, "
                + "below-stack, stale-forwarded, stale, headroom, lost-signal, nil-read, nil-write, nil-call, "
                + "nil-contained, read-only, execute-data, non-canonical, non-canonical-stack, kernel-address, "
                + "truncated-file, sent-kill, sent-raise, forced-unwrap"
        ),
    ]

    private static let combinations: [([String], String)] = [
        (
            ["run", "fib", "--strategy", "check-move", "--code", "plain"],
            "strategy 'check-move' makes room only for code with checks, which --code plain has not; leave --code out, "
                + "or choose the strategy fault"
        ),
        (
            ["run", "fib", "--strategy", "fault-move", "--mover", "uffdio-move", "--guard", "prot-none"],
            "--mover 'uffdio-move' needs guard 'guard-pages', which is not what this stack has; choose 'copy' or "
                + "'mremap'"
        ),
    ]

    @Test(arguments: names + values + combinations)
    func `wrong usage gets one line`(arguments: [String], line: String) throws {
        try Self.expect(Program.run(arguments), "error: \(line)\n", status: 64)
    }

    /// Each option with the strategies that use it; on all others it is an error.
    @Test(arguments: [
        ("initial", "64KiB", ["grows-down", "fault", "fault-move", "check-move", "check-segment"]),
        ("reservation", "8MiB", ["automatic", "fixed", "demand", "fault", "check-fixed"]),
        (
            "guard", "prot-none",
            ["automatic", "fixed", "demand", "fault", "fault-move", "check-move", "check-segment", "check-fixed"]
        ),
        ("mover", "copy", ["fault-move", "check-move"]),
    ])
    func `an option that the strategy does not use is an error`(
        option: String, value: String, users: [String]
    ) throws {
        for strategy in Self.strategies.split(separator: ", ").map(String.init) where !users.contains(strategy) {
            let ending = try Program.run(["run", "fib", "--strategy", strategy, "--\(option)", value])
            try Self.expect(
                ending,
                "error: strategy '\(strategy)' does not use --\(option); leave it out, or choose a strategy that does: "
                    + users.joined(separator: ", ") + "\n", status: 64)
        }
    }

    @Test func `a maximum beyond RLIMIT_STACK is an error for grows-down`() throws {
        let ending = try Program.shell(
            "ulimit -S -s 4096 && exec \"$0\" \"$@\"",
            ["run", "fib", "--strategy", "grows-down", "--maximum", "8MiB"])
        try Self.expect(
            ending,
            "error: --maximum of 8388608 bytes exceeds RLIMIT_STACK (4194304 bytes), which bounds 'grows-down'; raise "
                + "it with ulimit -s\n", status: 64)
    }

    @Test func `results that cannot be written are a failure`() throws {
        let ending = try Program.shell("exec \"$0\" run fib --input 5 >/dev/full")
        try Self.expect(
            ending,
            "faultline: cannot write to standard output: No space left on device; write the results to a place that "
                + "has room for them\n", status: 1)
    }

    @Test func `a reader that has enough ends the program silently`() throws {
        let ending = try Program.shell("\"$0\" run fib --input 5 | true")
        try Self.expect(ending, "", status: 0)
    }

    private static func expect(
        _ ending: Program, _ errors: String, status: Int32, _ location: SourceLocation = #_sourceLocation
    ) throws {
        #expect(ending.errors == errors, sourceLocation: location)
        #expect(ending.output == "", sourceLocation: location)
        #expect(ending.status == status, sourceLocation: location)
    }
}
