// Reading the facts. Formats: proc(5), and Documentation/ABI/testing/sysfs-* of the kernel.

import Glibc

extension MachineFacts {
    /// More runnable processes per core than this, before the measurement starts, disturb it.
    public static let busyLoadPerCore = 0.5
    /// More processors in use than this share of them, before the measurement starts, disturb it.
    public static let busyShare = 0.25
    /// How long ``MachineFacts/busyProcessors`` is sampled, in microseconds: 25 or more ticks of the kernel's count.
    public static let busySample: UInt32 = 250_000

    /// The environment variable that tells ``MachineFacts/sourceRevision``; `scripts/reproduce` sets it.
    public static let revisionVariable = "FAULTLINE_REVISION"

    /// Reads the facts of this machine. Never fails: what cannot be read is `nil`.
    ///
    /// - Parameter compilers: Whether to ask the compilers on the search path for their versions, which starts a
    ///   process each, and to sample how busy the machine is before; together they take some tenths of a second.
    ///   ``MachineFacts/compilers`` and ``MachineFacts/busyProcessors`` are `nil` otherwise.
    public static func current(compilers: Bool = false) -> MachineFacts {
        var facts = read(SystemFiles())
        facts.cores = positive(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        facts.pageSize = positive(sysconf(Int32(_SC_PAGESIZE)))
        facts.architecture = compiledArchitecture
        facts.cLibrary = libraryVersion
        facts.swiftCompiler = compiledSwiftVersion
        facts.sourceRevision = getenv(revisionVariable).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
        facts.isDebugBuild = isCompiledForDebugging
        if compilers {
            let files = SystemFiles()
            let before = processorTimes(files)
            usleep(busySample)
            facts.busyProcessors = busyProcessors(from: before, to: processorTimes(files), of: facts.cores)
            facts.compilers = compilerVersions()
        }
        facts.warnings = warnings(about: facts)
        return facts
    }

    /// The facts that are found in files.
    package static func read(_ files: SystemFiles) -> MachineFacts {
        var facts = MachineFacts()
        let processor = files.text("/proc/cpuinfo").map(firstProcessor)
        facts.processorModel = processor.flatMap(model)
        facts.isVirtualized = processor?["flags"].map {
            $0.split(separator: " ").contains("hypervisor")
        }
        facts.kernelRelease = files.text("/proc/sys/kernel/osrelease")
        facts.totalMemory = files.fields("/proc/meminfo")["MemTotal"]
        facts.transparentHugepages =
            files.text("/sys/kernel/mm/transparent_hugepage/enabled").flatMap(bracketed)
        facts.overcommitMemory = files.number("/proc/sys/vm/overcommit_memory")
        facts.maxMapCount = files.number("/proc/sys/vm/max_map_count")
        facts.loadAverage = files.text("/proc/loadavg")
            .flatMap { $0.split(separator: " ").first }.flatMap { Double($0) }
        facts.mitigations = mitigations(files)
        // The processor's counters are a device named after it: "cpu" on x86 ("cpu_core" and "cpu_atom" on hybrids),
        // "armv8_..." on ARM. Software counters alone do not count.
        facts.hasHardwareCounters = files.names(in: "/sys/bus/event_source/devices").map { names in
            names.contains { $0.hasPrefix("cpu") || $0.hasPrefix("armv") }
        }
        return facts
    }

    /// What a reader should bear in mind about these facts.
    package static func warnings(about facts: MachineFacts) -> [String] {
        var warnings: [String] = []
        if let cores = facts.cores {
            // The load average remembers a minute, a build that has just ended among it; a sample knows better.
            if let busy = facts.busyProcessors {
                if busy > busyShare * Double(cores) {
                    let tenths = (10 * busy).rounded() / 10
                    warnings.append(
                        "the machine is busy: \(tenths) of \(cores) processors were in use before the run; wait until "
                            + "it is idle")
                }
            } else if let load = facts.loadAverage, load > busyLoadPerCore * Double(cores) {
                warnings.append(
                    "the machine is busy: load average \(load) on \(cores) cores; wait until it is idle")
            }
        }
        if facts.isDebugBuild {
            warnings.append("this is a debug build: its times mean little; build with -c release")
        }
        return warnings
    }

    /// What glibc says of itself: "glibc 2.36".
    private static var libraryVersion: String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { text in
            let length = confstr(Int32(_CS_GNU_LIBC_VERSION), text.baseAddress, text.count)
            return length > 0 && length <= text.count ? text.baseAddress.map { String(cString: $0) } : nil
        }
    }

    /// Ticks of all processors since the machine started, and those in which they had nothing to do (proc(5), `stat`:
    /// the fields after "cpu" are user, nice, system, idle, iowait, …).
    package static func processorTimes(_ files: SystemFiles) -> (all: Double, idle: Double)? {
        guard let line = files.lines("/proc/stat").first, line.hasPrefix("cpu ") else {
            return nil
        }
        // Time of guests is in that of users already.
        let ticks = line.split(separator: " ").dropFirst().prefix(8).compactMap { Double($0) }
        guard ticks.count >= 5 else { return nil }
        return (ticks.reduce(0, +), ticks[3] + ticks[4])
    }

    /// Processors in use between two readings; `nil` when one is missing or no tick lies between.
    package static func busyProcessors(
        from before: (all: Double, idle: Double)?, to after: (all: Double, idle: Double)?, of cores: Int?
    ) -> Double? {
        guard let before, let after, let cores, after.all > before.all else { return nil }
        let idle = (after.idle - before.idle) / (after.all - before.all)
        return Double(cores) * min(1, max(0, 1 - idle))
    }

    private static func positive(_ value: Int) -> Int? { value > 0 ? value : nil }

    /// The keys and values of the first processor of `/proc/cpuinfo`.
    private static func firstProcessor(_ text: String) -> [String: String] {
        var values: [String: String] = [:]
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            guard let colon = line.firstIndex(of: ":") else {
                if values.isEmpty { continue } else { break }
            }
            values[line[..<colon].trimmed] = line[line.index(after: colon)...].trimmed
        }
        return values
    }

    private static func model(_ processor: [String: String]) -> String? {
        if let name = processor["model name"], !name.isEmpty { return name }
        // ARM kernels give numbers instead of a name.
        guard let implementer = processor["CPU implementer"], let part = processor["CPU part"] else {
            return nil
        }
        return "implementer \(implementer) part \(part)"
    }

    /// The word in brackets: the one in force.
    private static func bracketed(_ text: String) -> String? {
        guard let open = text.firstIndex(of: "["), let close = text[open...].firstIndex(of: "]") else {
            return nil
        }
        return String(text[text.index(after: open)..<close])
    }

    private static func mitigations(_ files: SystemFiles) -> [String: String]? {
        let folder = "/sys/devices/system/cpu/vulnerabilities"
        guard let names = files.names(in: folder) else { return nil }
        var found: [String: String] = [:]
        for name in names {
            guard let status = files.text("\(folder)/\(name)"), status != "Not affected" else { continue }
            found[name] = status
        }
        return found
    }

    private static func compilerVersions() -> [String: String] {
        let commands = [
            "swiftc": "swiftc --version", "clang": "clang --version", "gcc": "gcc --version",
            "go": "go version", "valgrind": "valgrind --version",
        ]
        return commands.compactMapValues(SystemFiles.firstLine)
    }

    private static var compiledArchitecture: String? {
        #if arch(x86_64)
            "x86_64"
        #elseif arch(arm64)
            "aarch64"
        #else
            nil
        #endif
    }

    /// The language offers comparisons only; the package needs 6.2 or newer.
    private static var compiledSwiftVersion: String {
        #if compiler(>=6.5)
            "6.5 or newer"
        #elseif compiler(>=6.4)
            "6.4"
        #elseif compiler(>=6.3)
            "6.3"
        #else
            "6.2"
        #endif
    }

    /// Assertions are compiled in exactly when the build is not optimized.
    private static var isCompiledForDebugging: Bool {
        var isDebug = false
        assert(
            {
                isDebug = true
                return true
            }())
        return isDebug
    }
}
