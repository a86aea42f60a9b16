import Glibc
import TestNeeds
import Testing

@testable import Faultline

/// What stacks take is compared with measured runs in CommandLineTests; here is the arithmetic.
@Suite("A plan for many stacks") struct StackPlanTests {
    private static let page = 4096

    @Test("a slot of 8 MiB takes a page, and a page of page table that it shares with the guard of the next one")
    func largeSlots() throws {
        let plan = try StackPlan(coroutines: 1000, configuration: StackConfiguration(reservation: 8 << 20))
        #expect(plan.slots == 1000 * 8 << 20)
        #expect(plan.resident == 1000 * Self.page)
        // One each and one for the guard of the first, then 1 per GiB, and 1 per 512 GiB.
        let guards = plan.guardKind == .guardPages ? 1 : 0
        #expect(plan.pageTables - plan.bookkeeping / 512 == (1000 + guards + 8 + 1) * Self.page)
    }

    @Test("32 slots of 64 KiB share a page of page table") func smallSlots() throws {
        let plan = try StackPlan(coroutines: 64_000, configuration: StackConfiguration(reservation: 64 << 10))
        #expect(plan.pageTables - plan.bookkeeping / 512 == (2000 + 4 + 1) * Self.page)
    }

    @Test("the more is touched, the more pages and tables", arguments: StackGuard.allCases)
    func touched(guardKind: StackGuard) throws {
        try Need.check(guard: guardKind.rawValue)
        let configuration = StackConfiguration(strategy: .fault, reservation: 64 << 20, guardKind: guardKind)
        var last = try StackPlan(coroutines: 10, configuration: configuration, touched: 1)
        #expect(last.touched == Self.page)
        for touched in [5000, 64 << 10, 1 << 20, 3 << 20, 9 << 20, 62 << 20] {
            let plan = try StackPlan(coroutines: 10, configuration: configuration, touched: touched)
            #expect(plan.resident == 10 * ((touched + 4095) & ~4095))
            #expect(plan.resident > last.resident && plan.pageTables >= last.pageTables)
            // The touched part alone needs that many, and no stack can need more than map its whole slot.
            #expect(plan.pageTables >= 10 * touched / 512)
            #expect(plan.pageTables <= 10 * (33 * Self.page) + 4 * Self.page + plan.bookkeeping / 512)
            last = plan
        }
    }

    @Test("a fixed stack is resident as a whole") func fixed() throws {
        let configuration = StackConfiguration(strategy: .fixed, maximum: 1 << 20)
        let plan = try StackPlan(coroutines: 3, configuration: configuration)
        #expect(plan.resident == 3 << 20)
    }

    @Test("pages without access take two mappings a stack") func mappings() throws {
        let none = try StackPlan(
            coroutines: 40_000, configuration: StackConfiguration(reservation: 64 << 10, guardKind: .protNone))
        #expect(none.mappings == 80_001)
    }

    @Test("guard pages take one mapping an arena", .needs(.guardPages)) func mappingsOfArenas() throws {
        let configuration = StackConfiguration(reservation: 64 << 10, guardKind: .guardPages)
        // An arena of 4 GiB holds 65,536 slots of 64 KiB; the second is twice as large, the fifth is the largest.
        let pages = try [1, 3, 7, 15, 31, 47, 63].map {
            try StackPlan(coroutines: $0 * 65_536, configuration: configuration).mappings
        }
        #expect(pages == [1, 2, 3, 4, 5, 6, 7])
        #expect(try StackPlan(coroutines: 65_537, configuration: configuration).addressSpace == 12 << 30)
    }

    @Test("what cannot be planned is refused in a line that names it") func refusals() {
        func refusal(_ count: Int, _ configuration: StackConfiguration = .init(), touched: Int = 1) -> String? {
            do {
                _ = try StackPlan(coroutines: count, configuration: configuration, touched: touched)
                return nil
            } catch StackError.invalidConfiguration(let text, _) {
                return text
            } catch {
                return "\(error)"
            }
        }
        #expect(refusal(0)?.hasPrefix("0 coroutines") == true)
        #expect(refusal(StackPlan.maximumCoroutines + 1)?.contains("use 1 to 1000000000") == true)
        #expect(refusal(1, touched: 0)?.contains("0 touched bytes") == true)
        #expect(refusal(1, touched: 8 << 20)?.contains("8388608 touched bytes") == true)
        #expect(refusal(1, StackConfiguration(reservation: 12345))?.contains("12345") == true)
        #expect(refusal(1, StackConfiguration(strategy: .growsDown))?.contains("grows-down") == true)
        #expect(refusal(StackPlan.maximumCoroutines, StackConfiguration(reservation: 1 << 30)) == nil)
    }

    @Test("every limit counts the coroutines that it allows, and the tightest comes first") func limits() throws {
        let configuration = StackConfiguration(strategy: .fault, reservation: 8 << 20, guardKind: .protNone)
        let plan = try StackPlan(coroutines: 100_000, configuration: configuration)
        let machine = MachineLimits(
            addressSpace: 100 << 30, maxMapCount: 65_530, mappings: 30, memory: 1 << 30, groupMemory: 512 << 20,
            overcommitMode: 2, commit: 1 << 30)
        let limits = plan.limits(on: machine)
        #expect(limits.map(\.coroutines) == limits.map(\.coroutines).sorted())
        func limit(_ name: String) throws -> StackPlan.Limit { try #require(limits.first { $0.name == name }) }
        #expect(try limit("RLIMIT_AS").coroutines == 12_800)
        let maps = try limit("vm.max_map_count")
        #expect(maps.coroutines == 32_749 && maps.needed == 200_002 && !maps.isMet && !maps.isBytes)
        #expect(maps.remedy.contains("vm.max_map_count=200032"))
        // 64 KiB usable at first is what mode 2 charges.
        #expect(try limit("commit limit").coroutines == 16_384)
        #expect(try limit("addresses of 47 bits").coroutines == 1 << 24)
        #expect(try limit("addresses of 47 bits").isMet)
        for name in ["memory", "memory of the control group"] {
            let memory = try limit(name)
            #expect(plan.with(memory.coroutines).memory <= memory.available)
            #expect(plan.with(memory.coroutines + 1).memory > memory.available)
        }
        let narrow = try #require(plan.limits(on: MachineLimits(), bits: 32).first)
        #expect(narrow.coroutines == 384 && narrow.needed == plan.slots)
        // What the kernel does not tell bounds nothing; mode 0 charges nothing.
        #expect(plan.limits(on: MachineLimits(overcommitMode: 0, commit: 1)).count == 2)
    }

    @Test("this machine has limits") func machine() {
        let limits = MachineLimits.current()
        #expect(limits.maxMapCount ?? 0 >= 1000)
        #expect((10..<100_000_000).contains(limits.mappings))
        #expect(limits.memory ?? 0 >= 1 << 20)
        #expect((0...2).contains(limits.overcommitMode ?? -1))
    }

    @Test(
        "the tightest of a process's control groups counts, in either version",
        arguments: [
            ("0::/a/b\n", "sys/fs/cgroup/a", "memory.max", "memory.current"),
            ("0::/a/b\n", "sys/fs/cgroup", "memory.max", "memory.current"),
            ("3:cpu,memory:/a\n", "sys/fs/cgroup/memory/a", "memory.limit_in_bytes", "memory.usage_in_bytes"),
        ])
    func controlGroups(groups: String, folder: String, limit: String, use: String) throws {
        let scratch = try TemporaryFolder()
        let root = scratch.path
        func write(_ path: String, _ text: String) throws {
            var folder = root
            for name in path.split(separator: "/").dropLast() {
                folder += "/\(name)"
                mkdir(folder, 0o700)
            }
            let file = open("\(root)/\(path)", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
            try #require(file >= 0 && text.withCString { Glibc.write(file, $0, strlen($0)) } == text.utf8.count)
            close(file)
        }
        #expect(ControlGroup.allowance(root: root) == nil)
        try write("proc/self/cgroup", groups)
        try write("\(folder)/\(limit)", "max\n")
        try write("\(folder)/\(use)", "1000\n")
        #expect(ControlGroup.allowance(root: root) == nil)
        try write("\(folder)/\(limit)", "9223372036854771712\n")
        #expect(ControlGroup.allowance(root: root) == nil)
        try write("\(folder)/\(limit)", "50000\n")
        #expect(ControlGroup.allowance(root: root) == 49_000)
        try write("\(folder)/\(use)", "60000\n")
        #expect(ControlGroup.allowance(root: root) == 0)
    }
}
