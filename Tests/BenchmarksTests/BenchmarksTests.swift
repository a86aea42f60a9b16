// The benchmark's contract with its readers: which records exist and what they look like. Times are for information,
// so nothing here compares one with a bound.

import Foundation
import Measurement
import Processes
import Report
import TestNeeds
import Testing
import Workloads

/// What one run of the built program wrote and how it ended.
private struct Run {
    var output = ""
    var errors = ""
    var status: Int32 = 0

    init(_ arguments: [String], environment: [String: String] = [:]) throws {
        let finished = try Subprocess.finish(
            BuiltPrograms.path(of: "faultline"), arguments, environment: Spawn.environment(changing: environment),
            seconds: 240)
        guard case .exited(let status) = finished.ending else {
            Issue.record("faultline \(arguments) \(finished.ending)")
            return
        }
        (self.status, output, errors) = (status, finished.output, finished.errors)
    }

    func document() throws -> Document {
        #expect(status == 0, "\(errors)")
        #expect(errors.isEmpty)
        return try Document(json: output)
    }
}

extension Document {
    /// The ratio of the row of the issue's table.
    fileprivate func ratio(_ suite: String, _ name: String, _ baseline: String) -> Record? {
        records.first {
            $0.suite == suite && $0.name == name && $0.metric == Metric.ratio.name
                && $0.parameters[.baseline] == .string(baseline)
        }
    }

    fileprivate func expectRatio(_ suite: String, _ name: String, _ baseline: String) {
        guard let record = ratio(suite, name, baseline) else {
            Issue.record("no ratio of \(suite) / \(name) against \(baseline); notes: \(notes)")
            return
        }
        #expect(record.unit == .ratio)
        #expect(record.median > 0 && record.samples > 1)
    }
}

// Serialized: benchmarks disturb each other, and a test that takes the machine is enough at a time.
@Suite(.serialized) struct BenchTests {
    // Runs that several tests read.
    private static let switchAndGrowth = Result { try Run(quick("switch", "growth")).document() }
    private static let spawnMoveAndTrap = Result { try Run(quick("spawn", "move", "trap")).document() }
    private static let callsOfEachKind = Result { try Run(quick("generator", "growable", "headroom")).document() }
    private static let connections = Result { try Run(quick("connections")).document() }
    private static let memory = Result { try Run(quick("memory")).document() }
    private static let contention = Result { try Run(quick("contention")).document() }

    private static func quick(_ suites: String...) -> [String] {
        ["bench"] + suites + ["--quick", "--format", "json"]
    }

    @Test(.long) func switchAndGrowthHaveTheRowsOfTheTable() throws {
        let document = try Self.switchAndGrowth.get()
        #expect(Set(document.records.map(\.suite)) == ["switch", "growth"])
        document.expectRatio("switch", "api-fp-control", "api")
        document.expectRatio("switch", "transfer", "raw")
        document.expectRatio("growth", "fault-first-touch", "demand")
        document.expectRatio("growth", "fault-second-touch", "array")
        document.expectRatio("growth", "deep-second", "thread")
        document.expectRatio("growth", "deep-resident", "thread")
        for record in document.records {
            #expect(record.low <= record.median && record.median <= record.high, "\(record.suite)/\(record.name)")
            // A simulated cache may hold everything.
            #expect(record.median > 0 || record.metric == "first-level-misses", "\(record.suite)/\(record.name)")
        }
        for size in [2, 100, 10_000, 100_000] {
            document.expectRatio("switch", "api-\(size)", "unstaggered-\(size)")
        }
    }

    @Test(.long, .needs(.boost)) func switchesAreComparedWithBoost() throws {
        let document = try Self.switchAndGrowth.get()
        document.expectRatio("switch", "api", "boost-fcontext")
        document.expectRatio("switch", "raw", "boost-fcontext")
    }

    @Test(.long, .needs(.valgrind)) func cacheMissesAreSimulated() throws {
        let simulated = try Self.switchAndGrowth.get().records.filter { $0.metric == "first-level-misses" }
        #expect(simulated.map(\.name) == [2, 32, 100].flatMap { ["api-\($0)", "unstaggered-\($0)"] })
    }

    @Test func timesAndRatiosAreUnambiguous() throws {
        let document = try Self.spawnMoveAndTrap.get()
        let keys = document.records.map {
            "\($0.suite)/\($0.name)/\($0.metric)/\($0.parameters[.baseline]?.description ?? "")"
        }
        let repeated = Dictionary(grouping: keys) { $0 }.filter { $0.value.count > 1 }.keys
        #expect(repeated.isEmpty, "\(repeated.sorted())")
    }

    @Test func containedOverflowsAreComparedWithTheirDemandFaults() throws {
        try Self.spawnMoveAndTrap.get().expectRatio("trap", "contained-overflow", "demand-descent")
    }

    @Test(.needs(.boost)) func pooledStacksAreComparedWithBoost() throws {
        try Self.spawnMoveAndTrap.get().expectRatio("spawn", "pooled", "boost-pooled")
    }

    @Test(.needs(.uffdioMove)) func movesOfPagesAreComparedWithCopies() throws {
        try Self.spawnMoveAndTrap.get().expectRatio("move", "page-move-1MiB", "copy")
    }

    @Test func callsAreComparedWithASwitchAndWithPlainOnes() throws {
        let document = try Self.callsOfEachKind.get()
        #expect(Set(document.records.map(\.suite)) == ["generator", "growable", "headroom"])
        document.expectRatio("generator", "element", "api")
        document.expectRatio("growable", "call", "api")
        for depth in [64, 65, 200, 1000] { document.expectRatio("growable", "nested-\(depth)", "nested-1") }
        document.expectRatio("headroom", "in-place", "plain")
        for name in ["growing", "level"] {
            #expect(document.records.contains { $0.suite == "headroom" && $0.name == name && $0.metric == "time" })
        }
    }

    @Test(.needs(.rustCrates)) func generatorsAndHeadroomAreComparedWithRust() throws {
        let document = try Self.callsOfEachKind.get()
        document.expectRatio("generator", "element", "rust-generator")
        document.expectRatio("headroom", "in-place", "rust-stacker")
        document.expectRatio("headroom", "growing", "rust-stacker-growing")
        document.expectRatio("headroom", "level", "rust-stacker-level")
        let version = document.ratio("headroom", "in-place", "rust-stacker")?.parameters[ParameterName("baseline-peer")]
        #expect(version?.description.contains("stacker 0.") == true)
    }

    /// By names of cases, with what they need.
    private static let fibers: [(name: String, need: Need)] = [
        ("boost-fiber", .boostFiber), ("pth", .pth), ("rust-generator", .rustCrates), ("goroutine", .go),
        ("java-virtual-threads", .virtualThreads), ("greenlet", .greenlet),
    ]

    @Test(.long, arguments: fibers.map(\.name)) func switchesAndSpawnsAreComparedWithPeers(_ name: String) throws {
        try #require(Self.fibers.first { $0.name == name }).need.check()
        try Self.switchAndGrowth.get().expectRatio("switch", "api", name)
        try Self.spawnMoveAndTrap.get().expectRatio("spawn", "pooled", name)
    }

    @Test(.long) func connectionsAreComparedWithTasks() throws {
        let document = try Self.connections.get()
        for name in ["coroutine", "job"] { document.expectRatio("connections", name, "task") }
    }

    @Test(.long, .needs(.go)) func connectionsAreComparedWithGoroutines() throws {
        let document = try Self.connections.get()
        for name in ["coroutine", "job"] { document.expectRatio("connections", name, "goroutine") }
    }

    private static let numbersOfThreads = [1, 2, 4, 8, 16]

    private func threads(_ name: String, _ metric: String, _ baseline: String? = nil) throws -> [Int] {
        try Self.contention.get().records.compactMap { record in
            guard record.name == name, record.metric == metric,
                record.parameters[.baseline] == baseline.map({ .string($0) }),
                case .int(let threads)? = record.parameters[ParameterName("threads")]
            else { return nil }
            #expect(record.median > 0 && record.samples > 1, "\(name)")
            return threads
        }
    }

    @Test(
        .long,
        arguments: ["guard-pages", "prot-none", "uffdio-move", "mremap", "copy", "demand", "computation", "task"])
    func contentionIsMeasuredOnEachNumberOfThreads(_ name: String) throws {
        try Need.check(guard: name, mover: name)
        #expect(try Set(Self.contention.get().records.map(\.suite)) == ["contention"])
        #expect(try threads(name, "time") == Self.numbersOfThreads)
        #expect(try threads(name, Metric.ratio.name, "1 thread") == Array(Self.numbersOfThreads.dropFirst()))
    }

    @Test(.long, .needs(.guardPages)) func contentionIsComparedWithTasksAndWithItself() throws {
        #expect(try threads("guard-pages", Metric.ratio.name, "task") == Self.numbersOfThreads)
        #expect(try threads("guard-pages null", Metric.ratio.name, "guard-pages") == Self.numbersOfThreads)
        #expect(try threads("guard-pages null", "time").isEmpty)
    }

    @Test(.long, .needs(.go)) func contentionIsComparedWithGoroutines() throws {
        #expect(try threads("copy", Metric.ratio.name, "goroutine") == Self.numbersOfThreads)
    }

    private func bytes(_ name: String, _ metric: String) throws -> Double {
        let document = try Self.memory.get()
        let record = try #require(
            document.records.first { $0.name == name && $0.metric == metric }, "\(name): \(document.notes)")
        #expect(record.suite == "memory" && record.unit == .bytes)
        #expect(record.parameters[ParameterName("count")] == 20_000)
        return record.median
    }

    @Test(
        .long,
        arguments: [
            "suspended-8MiB", "suspended-64KiB-slot", "hibernated", "hibernated-by-policy", "task", "goroutine",
        ])
    func memoryHasWhatOneTakesAndItsParts(_ name: String) throws {
        if name == "goroutine" { try Need.go.check() }
        let (whole, resident) = (try bytes(name, "bytes-per-coroutine"), try bytes(name, "resident"))
        // Each is a median of its own.
        #expect(abs(whole - resident - (try bytes(name, "page-tables"))) < 0.05 * whole)
        if name.contains("-") || name == "hibernated" {
            let bookkeeping = try bytes(name, "bookkeeping")
            #expect(bookkeeping > 0 && bookkeeping <= resident)
        }
    }

    // A slot of 64 KiB shares its page tables with 31 others, and what hibernates has no page.
    @Test(.long) func smallSlotsSharePageTablesAndWhatHibernatesHasNoPage() throws {
        #expect(try bytes("suspended-8MiB", "page-tables") > 10 * bytes("suspended-64KiB-slot", "page-tables"))
        #expect(
            try bytes("hibernated", "bytes-per-coroutine") < bytes("suspended-64KiB-slot", "bytes-per-coroutine") / 2)
    }

    @Test func peersThatAreMissingAreSkippedWithANote() throws {
        let run = try Run(["bench", "spawn", "--quick", "--format", "json"], environment: ["PATH": "/nonexistent"])
        let document = try run.document()
        #expect(document.notes.contains { $0.contains("Boost") && $0.contains("libboost-context-dev") })
        #expect(!document.records.contains { $0.name.hasPrefix("boost") })
        #expect(document.records.contains { $0.name == "pooled" && $0.metric == "time" })
    }

    @Test func aSuiteThatCannotBeMeasuredIsAnErrorOfOneLine() throws {
        let run = try Run(["bench", "checks", "--quick"], environment: ["PATH": "/nonexistent"])
        #expect(run.status == 1)
        #expect(run.output.isEmpty)
        #expect(run.errors.split(separator: "\n").count == 1)
        #expect(run.errors.contains("clang"))
    }

    @Test func anUnknownSuiteListsTheValidOnes() throws {
        let run = try Run(["bench", "swich"])
        #expect(run.status == 64)
        #expect(run.output.isEmpty)
        let suites =
            "switch, spawn, generator, growable, headroom, growth, move, trap, checks, memory, connections, contention"
        #expect(run.errors.contains("unknown suite 'swich'; choose from: \(suites)"))
    }

    @Test func prometheusIsNoFormatOfMeasurements() throws {
        let run = try Run(["bench", "--format", "prometheus"])
        #expect(run.status == 64)
        #expect(run.output.isEmpty)
        #expect(run.errors.contains("table") && run.errors.contains("json"))
    }
}
