import Foundation
import Measurement
import Testing

/// A folder that looks like the `/proc` and `/sys` of a machine.
private final class MadeUpMachine {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("machine-\(UUID().uuidString)")

    init(_ files: [String: String]) throws {
        for (path, text) in files {
            let file = root.appendingPathComponent(path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    var facts: MachineFacts { MachineFacts.read(SystemFiles(root: root.path)) }
}

struct MachineFactsTests {
    private static let x86: [String: String] = [
        "proc/cpuinfo": """
        processor\t: 0
        model name\t: Some Processor: 9000 @ 3.0GHz
        flags\t\t: fpu vme hypervisor lahf_lm

        processor\t: 1
        model name\t: Another
        """,
        "proc/meminfo": "MemTotal:       24684092 kB\nMemFree:  1 kB\n",
        "proc/loadavg": "1.25 0.50 0.10 1/100 12345\n",
        "proc/sys/kernel/osrelease": "6.12.0-generic\n",
        "proc/sys/vm/overcommit_memory": "2\n",
        "proc/sys/vm/max_map_count": "65530\n",
        "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n",
        "sys/devices/system/cpu/vulnerabilities/meltdown": "Not affected\n",
        "sys/devices/system/cpu/vulnerabilities/spectre_v2": "Mitigation: Retpolines\n",
        "sys/devices/system/cpu/vulnerabilities/itlb_multihit": "KVM: Mitigation: VMX disabled\n",
        "sys/devices/system/cpu/vulnerabilities/srso": "Vulnerable: no microcode\n",
        "sys/devices/system/cpu/vulnerabilities/other": "Unknown: No mitigations\n",
        "sys/bus/event_source/devices/software/type": "1\n",
    ]

    @Test func `a machine is read`() throws {
        let facts = try MadeUpMachine(Self.x86).facts
        #expect(facts.processorModel == "Some Processor: 9000 @ 3.0GHz")
        #expect(facts.isVirtualized == true)
        #expect(facts.totalMemory == 24_684_092 * 1024)
        #expect(facts.loadAverage == 1.25)
        #expect(facts.kernelRelease == "6.12.0-generic")
        #expect(facts.overcommitMemory == 2)
        #expect(facts.maxMapCount == 65530)
        #expect(facts.transparentHugepages == "madvise")
        #expect(facts.hasHardwareCounters == false)
        #expect(
            facts.mitigations == [
                "spectre_v2": "Mitigation: Retpolines", "itlb_multihit": "KVM: Mitigation: VMX disabled",
                "srso": "Vulnerable: no microcode", "other": "Unknown: No mitigations",
            ])
        #expect(facts.mitigationSummary == "2 mitigated, vulnerable to srso")
        #expect(
            facts.summary
                == "Some Processor: 9000 @ 3.0GHz, 24 GiB, Linux 6.12.0-generic, virtualized, "
                + "huge pages madvise, 2 mitigated, vulnerable to srso")
    }

    @Test func `a processor is read that gives numbers for its name, and its counters`() throws {
        let facts = try MadeUpMachine([
            "proc/cpuinfo": "processor : 0\nFeatures : fp asimd\nCPU implementer : 0x41\nCPU part : 0xd0c\n",
            "sys/bus/event_source/devices/armv8_pmuv3_0/type": "8\n",
        ]).facts
        #expect(facts.processorModel == "implementer 0x41 part 0xd0c")
        #expect(facts.isVirtualized == nil)
        #expect(facts.hasHardwareCounters == true)
    }

    @Test func `a machine that tells nothing has no facts`() throws {
        let facts = try MadeUpMachine([:]).facts
        #expect(facts == MachineFacts())
        #expect(facts.summary == "unknown machine")
    }

    @Test(arguments: [
        ("proc/meminfo", "MemTotal: lots kB"), ("proc/meminfo", "MemTotal:"),
        ("proc/meminfo", "MemTotal: 9223372036854775807 kB"), ("proc/loadavg", ""), ("proc/loadavg", "high"),
        ("sys/kernel/mm/transparent_hugepage/enabled", "always madvise"), ("proc/sys/vm/max_map_count", "many"),
        ("proc/cpuinfo", "\n\n:::\n"),
    ])
    func `what cannot be understood is absent`(path: String, text: String) throws {
        #expect(try MadeUpMachine([path: text]).facts == MachineFacts())
    }

    @Test(arguments: [(0.99, 2, false), (1.0, 2, false), (1.01, 2, true), (31, 64, false), (33, 64, true)])
    func `a machine is busy above half a process per core`(load: Double, cores: Int, isBusy: Bool) {
        var facts = MachineFacts()
        facts.loadAverage = load
        facts.cores = cores
        #expect(MachineFacts.warnings(about: facts).contains { $0.contains("busy") } == isBusy)
        facts.isDebugBuild = true
        #expect(MachineFacts.warnings(about: facts).contains { $0.contains("debug build") })
    }

    @Test(arguments: [(0.5, 2, false), (0.51, 2, true), (4, 64, false)])
    func `a sample of the processors in use counts more than the load average`(
        busy: Double, cores: Int, isBusy: Bool
    ) {
        var facts = MachineFacts()
        facts.loadAverage = 100
        facts.cores = cores
        facts.busyProcessors = busy
        #expect(MachineFacts.warnings(about: facts).contains { $0.contains("busy") } == isBusy)
    }

    @Test func `processors in use are what is not idle between two readings`() throws {
        func times(_ line: String) throws -> (all: Double, idle: Double)? {
            let machine = try MadeUpMachine(["proc/stat": line])
            return MachineFacts.processorTimes(SystemFiles(root: machine.root.path))
        }
        let before = try times("cpu  100 0 50 800 50 0 0 0 7 0\ncpu0 1 2 3 4 5\n")
        let after = try times("cpu  150 0 75 820 55 0 0 0 9 0\n")
        #expect(before?.all == 1000 && before?.idle == 850)
        #expect(MachineFacts.busyProcessors(from: before, to: after, of: 4) == 3)
        #expect(MachineFacts.busyProcessors(from: before, to: before, of: 4) == nil)
        #expect(MachineFacts.busyProcessors(from: nil, to: after, of: 4) == nil)
        #expect(try times("intr 1 2 3\n") == nil)
        #expect(try times("cpu  1 2\n") == nil)
    }

    @Test func `this machine tells at least what every Linux does`() throws {
        let facts = MachineFacts.current()
        #expect(try #require(facts.cores) >= 1)
        let pageSize = try #require(facts.pageSize)
        #expect(pageSize >= 4096 && pageSize.nonzeroBitCount == 1)
        #expect(try #require(facts.totalMemory) > 16 << 20)
        #expect(try #require(facts.kernelRelease).isEmpty == false)
        #expect(facts.swiftCompiler?.hasPrefix("6.") == true)
        #expect(facts.compilers == nil && facts.busyProcessors == nil)
        #if DEBUG
            #expect(facts.isDebugBuild && facts.warnings.contains { $0.contains("debug build") })
        #else
            #expect(!facts.isDebugBuild)
        #endif
    }

    @Test func `the commit is the one that is said`() async {
        await #expect(processExitsWith: .success) {
            setenv(MachineFacts.revisionVariable, "5c1bc4c-dirty", 1)
            precondition(MachineFacts.current().sourceRevision == "5c1bc4c-dirty")
            setenv(MachineFacts.revisionVariable, "", 1)
            precondition(MachineFacts.current().sourceRevision == nil)
        }
    }

    @Test func `commands that fail or are missing have no version`() {
        #expect(SystemFiles.firstLine(of: "printf 'one\\ntwo\\n'") == "one")
        #expect(SystemFiles.firstLine(of: "echo text; exit 3") == nil)
        #expect(SystemFiles.firstLine(of: "true") == nil)
        #expect(SystemFiles.firstLine(of: "no-such-command-at-all") == nil)
    }

    @Test func `absent facts are written as null and every fact is written`() throws {
        let data = try JSONEncoder().encode(MachineFacts())
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(Set(object.keys) == Set(MachineFacts.CodingKeys.allCases.map(\.rawValue)))
        #expect(object["cores"] is NSNull)
        #expect(try JSONDecoder().decode(MachineFacts.self, from: data) == MachineFacts())
    }
}
