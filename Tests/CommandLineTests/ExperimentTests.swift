// The experiments that claims make in processes of their own: each does what its name says, at a small size.

import Faultline
import Foundation
import TestNeeds
import Testing

struct ExperimentTests {
    /// What an experiment found, by key.
    private static func findings(_ arguments: String...) throws -> [String: String] {
        try Program.findings(arguments)
    }

    private static func number(_ findings: [String: String], _ key: String) throws -> Int {
        try #require(findings[key].flatMap { Int($0) }, "\(key) of \(findings)")
    }

    @Test func `stacks are made and counted`() throws {
        let findings = try Self.findings("stacks", "count=200", "guard=prot-none", "reservation=8388608")
        #expect(findings["made"] == "200")
        // One accessible piece in each slot, and what lies between two of them.
        #expect(try (380...420).contains(Self.number(findings, "mappings")))
        #expect(try Self.number(findings, "resident") >= 200 * 4096)
    }

    @Test func `each kind of fault is raised as often as asked`() throws {
        let findings = try Self.findings("faults", "count=2", "seed=7")
        #expect(findings.count == 22)
        for (key, count) in findings {
            #expect(count == "2", "\(key)")
            #expect(!key.contains("!"), "\(key) did not end as it should")
        }
        #expect(findings["growth/growth"] == "2" && findings["nil-read/nil-dereference"] == "2")
    }

    @Test func `programs run on stacks that move, and what they had kept elsewhere is counted`() throws {
        let findings = try Self.findings("forwards", "workload=regex", "count=2")
        #expect(try Self.number(findings, "moves") >= 2 && Self.number(findings, "relocated") > 0)
        // Swift keeps no address of a stack elsewhere.
        #expect(findings["forwards"] == "0")
        #expect(try Program.run(["experiment", "forwards", "workload=nope", "count=1"]).errors.contains("nope"))
    }

    @Test func `what hibernates takes less than its page`() throws {
        let findings = try Self.findings(
            "waiting", "kind=coroutine", "count=2000", "strategy=fault-move", "hibernate=1", "wake=20")
        let inAll = try Self.number(findings, "resident") + Self.number(findings, "page-tables")
        #expect(inAll < 2000 * 4096 && inAll > 0)
        #expect(try Self.number(findings, "bookkeeping") < 2000 * 2000)
        #expect(try #require(Double(findings["wake-up"] ?? "")) > 0)
    }

    @Test func `what is idle hibernates while others are made`() throws {
        let making = ["waiting", "kind=coroutine", "count=5000", "strategy=fault-move", "idle=0"]
        // After every 1,024th, all that wait by then: the one that was just made does not yet.
        #expect(try Self.number(Program.findings(making), "hibernated") == 4095)
        #expect(try Self.number(Program.findings(making + ["sweeps=1"]), "hibernated") == 5000)
        let busy = ["waiting", "kind=coroutine", "count=3000", "strategy=fault-move", "idle=3600000", "sweeps=3"]
        #expect(try Self.number(Program.findings(busy), "hibernated") == 0)
    }

    // Unoptimized code keeps more of each coroutine on the heap.
    /// Resident pages and page tables, the objects and what the library keeps included, in slots of 64 KiB.
    @Test(
        .optimized, .needs(.memory(gibibytes: 2)),
        arguments: [("suspended", [], 4400), ("hibernated", ["hibernate=1"], 700)])
    func `a coroutine that waits takes at most that many bytes`(
        state: String, options: [String], maximum: Int
    ) throws {
        let count = 100_000
        let findings = try Program.findings(
            ["waiting", "kind=coroutine", "count=\(count)", "strategy=fault-move"] + options)
        let bytes = try Self.number(findings, "resident") + Self.number(findings, "page-tables")
        #expect(bytes <= maximum * count, "\(state): \(findings)")
    }

    @Test(arguments: ["coroutine", "task", "thread"]) func `what waits takes memory`(kind: String) throws {
        let findings = try Self.findings("waiting", "kind=\(kind)", "count=300", "depth=3")
        #expect(findings["count"] == "300")
        #expect(try Self.number(findings, "resident") > 300 * 100)
        #expect((findings["kernel-stacks"] != nil) == (kind == "thread"))
    }

    @Test(arguments: ["demand", "fault", "fault-move", "check-move", "check-segment"])
    func `a recursion looks at memory on its way down and back`(strategy: String) throws {
        let levels = 60_000
        let findings = try Self.findings(
            "stack-memory", "strategy=\(strategy)", "levels=\(levels)", "interval=1000", "maximum=\(64 << 20)")
        // Sixty on each way, and one at the start, at the end and when the stack was given back.
        let samples = try (0..<123).map { number in
            let words = try #require(findings["sample/\(number)"]).split(separator: " ").compactMap { Int($0) }
            try #require(words.count == 3)
            return (time: words[0], bytes: words[1], growths: words[2])
        }
        #expect(findings["sample/123"] == nil)
        #expect(zip(samples, samples.dropFirst()).allSatisfy { $0.time <= $1.time && $0.growths <= $1.growths })
        #expect(try Self.number(findings, "returned") == samples[121].time)
        let bottom = samples[61]
        #expect(bottom.bytes > levels * 64 && samples[122].bytes < bottom.bytes / 2)
        #expect(bottom.growths > 0 || strategy == "demand")
    }

    @Test func `deep requests grow small stacks and no large ones`() throws {
        let small = try Self.findings("requests", "count=28", "strategy=fault", "initial=4096")
        let large = try Self.findings("requests", "count=28", "strategy=fault", "initial=1048576")
        #expect(try Self.number(small, "growths") > 0)
        #expect(large["growths"] == "0")
        #expect(try Self.number(small, "p50") <= Self.number(small, "p99.9"))
    }

    @Test func `threads grow as many stacks as they should`() throws {
        let findings = try Self.findings(
            "contention", "threads=3", "phases=2", "strategy=fault", "initial=8192", "depths=8192,16384", "growths=2")
        #expect(findings["stores"] == "\(3 * 64 * 2)")
        for phase in 0..<2 {
            let elapsed = try Self.number(findings, "elapsed/\(phase)")
            let processor = try Self.number(findings, "processor-time/\(phase)")
            // What three threads can have had between begin and end: waiting for the others is no processor time.
            #expect(processor > 0 && elapsed > 0 && processor <= 3 * elapsed)
        }
        // A number of growths that does not fit is an error, and no time.
        let wrong = try Program.run([
            "experiment", "contention", "threads=1", "phases=1", "strategy=fault", "initial=8192", "depths=8192",
            "growths=2",
        ])
        #expect(wrong.status == 1 && wrong.output == "")
        #expect(wrong.errors == "error: 128 growths instead of 256\n")
    }

    @Test func `tasks on several threads descend by as many bytes as they should`() throws {
        let arguments = ["contention", "kind=task", "threads=2", "phases=2", "depths=1,2", "growths=0"]
        let findings = try Program.findings(arguments + ["bytes=65536"])
        #expect(findings["stores"] == "\(2 * 64 * 2)")
        #expect(try Self.number(findings, "elapsed/0") > 0 && Self.number(findings, "elapsed/1") > 0)
        let wrong = try Program.run(["experiment"] + arguments)
        #expect(wrong.status == 1 && wrong.errors == "error: the experiment needs bytes=NUMBER\n")
    }

    @Test func `a recursion says how deep it came and whether its process survives`() throws {
        let runaway = try Self.findings("recursion", "strategy=fault", "limit=\(1 << 20)")
        #expect(try Self.number(runaway, "overflow-bytes") > 1 << 19 && Self.number(runaway, "depth") > 1000)
        #expect(try runaway["value"] == nil && runaway["survives"] == "1" && Self.number(runaway, "growths") > 0)
        // Ackermann's function of 2 and 3 is 9.
        let finished = try Self.findings("recursion", "strategy=check-move", "limit=\(1 << 20)", "m=2", "n=3")
        #expect(finished["value"] == "9" && finished["overflow-bytes"] == nil)
    }

    @Test(arguments: ["demand", "fault-prot-none", "check-move-copy"])
    func `a growth waits for its tracer and is made twice`(kind: String) throws {
        // A byte on standard input is all that a tracer says.
        let traced = try Program.shell("printf x | \"$0\" experiment growth \"kind=$1\"", [kind])
        #expect(traced.status == 0 && traced.output == "" && traced.errors == "")
        let alone = try Program.run(["experiment", "growth", "kind=\(kind)"])
        #expect(alone.status == 1 && alone.errors == "error: this process is not traced\n")
    }

    @Test(arguments: [0, 1]) func `coroutines are resumed in turn`(staggered: Int) throws {
        let findings = try Self.findings("switching", "count=200", "turns=3", "staggered=\(staggered)")
        #expect(findings == ["resumed": "600"])
    }

    @Test func `memory below the stack pointer is given back`() throws {
        for (way, strategy) in [("release", "fault"), ("move", "fault-move"), ("hibernate", "fault")] {
            try shrinks(way, strategy)
        }
    }

    private func shrinks(_ way: String, _ strategy: String) throws {
        let findings = try Self.findings("shrink", "count=20", "bytes=262144", "way=\(way)", "strategy=\(strategy)")
        let used = try Self.number(findings, "use/after")
        #expect(used > 20 * 250_000)
        #expect(try Self.number(findings, "\(way)/after") < used / 4)
        #expect(try Self.number(findings, "use again/after") > used * 9 / 10)
        #expect(try Self.number(findings, "drain/after") < used / 10)
    }

    @Test func `every strategy is charged for`() throws {
        let findings = try Self.findings("overcommit")
        #expect(findings.keys.count { $0.hasSuffix("/made") } == 22)
        #expect(try Self.number(findings, "fault/prot-none/reserved") > 1 << 30)
        // Or the kernel would never give back what it charges for growth.
        #expect(try Self.number(findings, "grows-down/automatic/charged") > 0)
        #expect(try Self.number(findings, "fault/prot-none/charged-in-mode-2") < 64 << 20)
    }

    /// Only the mode that is in force already, because it is the whole machine's.
    @Test(.needs(.overcommit))
    func `the mode of overcommit is set back`() throws {
        func mode() throws -> String {
            try String(contentsOfFile: "/proc/sys/vm/overcommit_memory", encoding: .utf8).filter(\.isNumber)
        }
        let former = try mode()
        #expect(try Self.findings("overcommit-mode", "mode=\(former)") == ["former": former])
        #expect(try mode() == former)
    }

    @Test(arguments: [
        (["dance"], "unknown experiment 'dance'; choose from: stacks, "),
        (["stacks"], "the experiment needs count=NUMBER"),
        (["stacks", "100"], "experiments take key=value, not '100'"),
        (["stacks", "count=1", "guard=moat"], "guard cannot be 'moat'"),
    ])
    func `wrong arguments get one line`(arguments: [String], line: String) throws {
        let ending = try Program.run(["experiment"] + arguments)
        #expect(ending.status == 1 && ending.output == "")
        #expect(ending.errors.hasPrefix("error: \(line)"))
    }
}
