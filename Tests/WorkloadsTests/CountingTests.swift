import Processes
import TestNeeds
import Testing

@testable import Workloads

@Suite("Counting", .serialized)
struct CountingTests {
    @Test("counted instructions are those of the work, and checks add two for each call", .needs(.valgrind))
    func counts() throws {
        let counter = try ExecutionCounter()
        #expect(try counter.version().hasPrefix("valgrind-3."))
        let loader = CodeLoader()
        // A function that calls itself for every value above 1 executes at least an instruction for each call.
        let prepared = try TakWorkload().prepare(inputs: ["5"])
        let plain = try counter.count(prepared, loader.load(TakWorkload(), variant: .plain)).instructions
        let checked = try counter.count(prepared, loader.load(TakWorkload(), variant: .checked)).instructions
        let calls = (checked - plain) / 2
        #expect(calls > 0 && calls == calls.rounded() && calls <= Double(prepared.operations) + 1)
        #expect(plain > 4 * calls)
        // Counts do not vary.
        #expect(try counter.count(prepared, loader.load(TakWorkload(), variant: .plain)).instructions == plain)
    }

    @Test("code in Swift can be counted", .needs(.valgrind))
    func swift() throws {
        let prepared = try LispWorkload.prepare(programs: [("test", Array("(map (lambda (x) (* x x)) '(1 2 3))".utf8))])
        let code = try CodeLoader().load(LispWorkload(), variant: .plain)
        let first = try ExecutionCounter().count(prepared, code)
        #expect(first.instructions > 1000)
        #expect(try #require(first.instructionLines) > 10)
        // Hashing is not random where it is counted; addresses may be, where setarch is not allowed.
        let second = try ExecutionCounter().count(prepared, code)
        #expect(abs(second.instructions - first.instructions) < 0.02 * first.instructions)
    }

    @Test("a wrong result is an error, as is code that is no file", .needs(.valgrind))
    func wrongResults() throws {
        let counter = try ExecutionCounter()
        let wrong = PreparedWorkload(
            name: "fib", summary: "", operations: 1, cases: [WorkloadCase(parameter: 10, checksum: 56)])
        let code = try CodeLoader().load(FibWorkload(), variant: .plain)
        #expect(
            line { try counter.count(wrong, code) }.hasPrefix("valgrind exited with 2: counting_runner: wrong result"))
        let builtin = try CodeLoader().load(FibWorkload(), variant: .builtin)
        #expect(line { try counter.count(wrong, builtin) } == "fib: only code built at run time can be counted")
    }

    @Test("a profile has the count of each address, and what is below a call is not counted twice")
    func profile() throws {
        let profile = try InstructionProfile(
            """
            positions: instr
            fn=a
            0x1000 3
            0x1004 3
            cfn=b
            calls=3 0x2000
            0x1004 30
            0x1009 3
            fn=b
            0x2000 6
            0x1004 1
            """)
        #expect(profile.total == 16)
        #expect(profile.executed(in: 0x1000..<0x1008) == 7)
        #expect(profile.executed(in: 0x3000..<0x3008) == 0)
    }

    @Test(
        "what callgrind did not write is no profile",
        arguments: ["", "positions: line\n1 2", "positions: instr\n0xz 1"])
    func noProfile(_ text: String) {
        #expect(throws: ProcessError.self) { try InstructionProfile(text) }
    }

    @Test("any program can be profiled; one that fails is an error", .needs(.valgrind))
    func profileOfAProgram() throws {
        let environment = Spawn.environment(changing: [:])
        #expect(try InstructionProfile(of: "/bin/true", [], environment: environment, seconds: 60).total > 1000)
        #expect(
            line { try InstructionProfile(of: "/bin/false", [], environment: environment, seconds: 60) }
                .hasPrefix("valgrind exited with 1"))
    }

    @Test("without valgrind one line says what to install")
    func missing() {
        #expect(
            line { try ExecutionCounter(environment: CodeEnvironment(searchPath: "/nonexistent")).version() }
                == "instructions are not counted: install valgrind")
    }

    @Test("totals are found by name")
    func totals() throws {
        let totals = try Totals("desc: I1 cache\nevents: Ir Dr ILmr I1mr\nfn=main\n1 2 3 4\nsummary: 100 50 3 7\n")
        #expect(totals.instructions == 100 && totals.misses == 7 && totals.lines == 3)
        for text in ["events: Ir I1mr ILmr\n", "events: Ir I1mr ILmr\nsummary: 1\n", "events: Ir\nsummary: 1\n", ""] {
            #expect(line { try Totals(text) } == "cachegrind wrote no totals")
        }
    }
}
