import Faultline
import Report
import TestNeeds
import Testing

@Suite(.serialized) struct PlanTests {
    private static func plan(
        _ count: Int, _ reservation: Int, _ guardKind: String, _ strategy: String, touched: Int?
    ) throws -> [String: Double] {
        let ending = try Program.run(
            [
                "plan", "--coroutines", "\(count)", "--reservation", "\(reservation)", "--guard", guardKind, "--format",
                "json", "--strategy", strategy,
            ] + (touched.map { ["--touched", "\($0)"] } ?? []))
        try #require(ending.status == 0, "\(ending.errors)")
        let records = try Document(json: ending.output).records.filter { $0.name == "coroutines" }
        return Dictionary(uniqueKeysWithValues: records.map { ($0.metric, $0.median) })
    }

    private static func compare(
        _ count: Int, _ reservation: Int, _ guardKind: String, _ strategy: String = "fault", touched: Int? = nil
    ) throws {
        let planned = try Self.plan(count, reservation, guardKind, strategy, touched: touched)
        let found = try Program.findings(
            [
                "stacks", "strategy=\(strategy)", "count=\(count)", "reservation=\(reservation)", "guard=\(guardKind)",
                "suspended=1",
            ] + (touched.map { ["touched=\($0)"] } ?? [])
        ).compactMapValues { Double($0) }
        try #require(found["made"] == Double(count))
        func figure(_ name: String) throws -> Double { try #require(found[name]) }
        func plan(_ name: String) throws -> Double { try #require(planned[name]) }
        func isWithin5PerCent(_ measured: Double, _ planned: Double) -> Bool { abs(measured / planned - 1) <= 0.05 }
        #expect(isWithin5PerCent(try figure("resident") + figure("page-tables"), try plan("memory")))
        #expect(isWithin5PerCent(try figure("page-tables"), try plan("page-tables")))
        // One page of the lowest level for each slot of 8 MiB, and hardly anything above.
        if reservation == 8 << 20, touched == nil { #expect(try figure("page-tables") <= 4200 * Double(count)) }
        #expect(isWithin5PerCent(try figure("address-space"), try plan("address-space")))
        // The kernel makes one mapping of arenas that it happened to put side by side, or beside the first stack's.
        let more = try figure("mappings") - plan("mappings")
        let arenas = try plan("mappings") - (guardKind == "guard-pages" ? 0 : 2 * Double(count))
        #expect(more <= 2 && (guardKind == "guard-pages" || more >= -arenas - 1))
    }

    private static let someSizes = [16, 19, 21, 22, 23, 25, 26, 28]

    @Test("10,000 stacks take what is planned", arguments: someSizes, ["guard-pages", "prot-none"])
    func tenThousand(logarithm: Int, guardKind: String) throws {
        try Need.check(guard: guardKind)
        for strategy in ["fault", "demand"] { try Self.compare(10_000, 1 << logarithm, guardKind, strategy) }
    }

    @Test(
        "10,000 stacks take what is planned, in slots of the other sizes", .long,
        arguments: Set(16...28).subtracting(someSizes).sorted(), ["guard-pages", "prot-none"])
    func tenThousandOthers(logarithm: Int, guardKind: String) throws {
        try tenThousand(logarithm: logarithm, guardKind: guardKind)
    }

    /// Slots and what is touched in each, in KiB; the smallest has room for 16.
    private static let touchedKiB: [(reservation: Int, touched: Int)] = [
        (64, 12), (256, 20), (1024, 20), (2048, 20), (4096, 100), (8192, 20), (8192, 100), (16_384, 100),
        (32_768, 20), (65_536, 20),
    ]

    @Test(
        "10,000 stacks take what is planned for what they touch", .long, arguments: touchedKiB,
        ["guard-pages", "prot-none"])
    func touched(size: (reservation: Int, touched: Int), guardKind: String) throws {
        try Need.check(guard: guardKind)
        try Self.compare(10_000, size.reservation << 10, guardKind, touched: size.touched << 10)
    }

    @Test(
        "1,000,000 stacks take what is planned", .long,
        // Most of the time passes in the kernel, whatever the program was built for: once is enough for 8 MiB. It takes
        // about 8.3 GiB, and some for the rest of the machine.
        .needs(.memory(gibibytes: 12)), .needs(.guardPages),
        arguments: isOptimized ? [64 << 10, 8 << 20] : [64 << 10])
    func million(reservation: Int) throws {
        try Self.compare(1_000_000, reservation, "guard-pages")
    }

    @Test("a plan says what fits and what does not, with the remedy") func table() throws {
        let small = try Program.run(["plan", "--coroutines", "10"])
        #expect(small.status == 0 && small.errors == "")
        #expect(small.output.contains("10 coroutines") && small.output.contains("possible here; the first limit is "))
        let large = try Program.run(["plan", "--coroutines", "900000000", "--guard", "prot-none"])
        #expect(large.status == 0 && large.errors == "")
        #expect(large.output.contains("\nnot here: vm.max_map_count ends it at "))
        #expect(large.output.contains("sysctl vm.max_map_count=18000"))
    }

    @Test("32 and 56 bits are arithmetic", arguments: [("32", 49_152.0), ("47", 0x1p31), ("56", 1e9)])
    func bits(bits: String, maximum: Double) throws {
        let ending = try Program.run([
            "plan", "--coroutines", "10", "--reservation", "64KiB", "--address-bits", bits, "--format", "json",
        ])
        let record = try Document(json: ending.output).records.first {
            $0.name == "addresses of \(bits) bits" && $0.metric == "coroutines"
        }
        #expect(try #require(record).median == min(maximum, 1e9))
    }

    @Test(
        "wrong usage is one line",
        arguments: [
            (["--coroutines", "0"], "0 coroutines"), (["--coroutines", "many"], "'many'"), ([], "--coroutines"),
            (["--coroutines", "1", "--address-bits", "48"], "48"),
            (["--coroutines", "1", "--reservation", "5KiB"], "5120"),
            (["--coroutines", "1", "--touched", "9MiB"], "9437184 touched bytes"),
            (["--coroutines", "1", "--touched=-1"], "-1"),
            (["--coroutines", "1", "--format", "prometheus"], "prometheus"),
        ])
    func usage(arguments: [String], named: String) throws {
        let ending = try Program.run(["plan"] + arguments)
        #expect(ending.status == 64)
        #expect(ending.output == "")
        #expect(ending.errors.split(separator: "\n").count == 1)
        #expect(ending.errors.contains(named), "\(ending.errors)")
    }
}
