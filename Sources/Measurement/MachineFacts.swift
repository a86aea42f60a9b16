// What a reader must know of the machine to judge a measurement. A fact that the machine does not tell is `nil` and is
// written as `null`, so that its absence is visible.

/// The machine that a measurement ran on.
public struct MachineFacts: Sendable, Hashable, Codable {
    /// The processor's name for itself, for instance "AMD EPYC 9554".
    public var processorModel: String?
    /// The instruction set that this program was compiled for: "x86_64" or "aarch64".
    public var architecture: String?
    /// Processors online.
    public var cores: Int?
    /// The release of the kernel.
    public var kernelRelease: String?
    /// The C library that this program runs with, for instance "glibc 2.36".
    public var cLibrary: String?
    /// Bytes in a page.
    public var pageSize: Int?
    /// Bytes of memory that the kernel manages.
    public var totalMemory: Int?
    /// Transparent huge pages: "always", "madvise" or "never".
    public var transparentHugepages: String?
    /// `vm.overcommit_memory`: 0 heuristic, 1 always, 2 strict.
    public var overcommitMemory: Int?
    /// `vm.max_map_count`: how many mappings a process may have.
    public var maxMapCount: Int?
    /// Processor vulnerabilities that the kernel knows this machine to have, each with what is done about it; those
    /// that do not affect it are left out.
    public var mitigations: [String: String]?
    /// Runnable processes, averaged over the last minute before the facts were read.
    public var loadAverage: Double?
    /// How many processors were in use, on average over ``MachineFacts/busySample`` before the facts were read; `nil`
    /// where that was not sampled.
    public var busyProcessors: Double?
    /// Whether the machine is a virtual one.
    public var isVirtualized: Bool?
    /// Whether the kernel offers the processor's own event counters.
    public var hasHardwareCounters: Bool?
    /// The Swift compiler that built this program, to the minor version.
    public var swiftCompiler: String?
    /// The commit of the sources that this program was built from, for instance "5c1bc4c" or "5c1bc4c-dirty"; `nil`
    /// where whoever started it does not say (``MachineFacts/revisionVariable``).
    public var sourceRevision: String?
    /// Whether this program was built for debugging; its times then say little.
    public var isDebugBuild: Bool
    /// Compilers found on the search path, by command, with what they say of their version.
    public var compilers: [String: String]?
    /// What a reader should bear in mind: a busy machine, a debug build.
    public var warnings: [String]

    /// Facts that are all absent, for filling in.
    public init() {
        isDebugBuild = false
        warnings = []
    }

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case processorModel, architecture, cores, kernelRelease, cLibrary, pageSize, totalMemory
        case transparentHugepages, overcommitMemory, maxMapCount, mitigations, loadAverage
        case busyProcessors
        case isVirtualized, hasHardwareCounters, swiftCompiler, sourceRevision, isDebugBuild, compilers, warnings
    }

    // The synthesized encoding would leave absent facts out.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(processorModel, forKey: .processorModel)
        try container.encode(architecture, forKey: .architecture)
        try container.encode(cores, forKey: .cores)
        try container.encode(kernelRelease, forKey: .kernelRelease)
        try container.encode(cLibrary, forKey: .cLibrary)
        try container.encode(pageSize, forKey: .pageSize)
        try container.encode(totalMemory, forKey: .totalMemory)
        try container.encode(transparentHugepages, forKey: .transparentHugepages)
        try container.encode(overcommitMemory, forKey: .overcommitMemory)
        try container.encode(maxMapCount, forKey: .maxMapCount)
        try container.encode(mitigations, forKey: .mitigations)
        try container.encode(loadAverage, forKey: .loadAverage)
        try container.encode(busyProcessors, forKey: .busyProcessors)
        try container.encode(isVirtualized, forKey: .isVirtualized)
        try container.encode(hasHardwareCounters, forKey: .hasHardwareCounters)
        try container.encode(swiftCompiler, forKey: .swiftCompiler)
        try container.encode(sourceRevision, forKey: .sourceRevision)
        try container.encode(isDebugBuild, forKey: .isDebugBuild)
        try container.encode(compilers, forKey: .compilers)
        try container.encode(warnings, forKey: .warnings)
    }

    /// One line for a reader: processor, cores, memory, kernel, and what is known of their settings.
    public var summary: String {
        var parts: [String] = []
        if let processorModel { parts.append(processorModel) }
        if let cores { parts.append(cores == 1 ? "1 core" : "\(cores) cores") }
        if let totalMemory { parts.append("\((totalMemory + (1 << 29)) >> 30) GiB") }
        if let kernelRelease { parts.append("Linux \(kernelRelease)") }
        if isVirtualized == true { parts.append("virtualized") }
        if let transparentHugepages { parts.append("huge pages \(transparentHugepages)") }
        if let mitigationSummary { parts.append(mitigationSummary) }
        if let swiftCompiler { parts.append("Swift \(swiftCompiler)") }
        return parts.isEmpty ? "unknown machine" : parts.joined(separator: ", ")
    }

    /// How many vulnerabilities are mitigated, and the names of those that are not; `nil` when unknown.
    public var mitigationSummary: String? {
        guard let mitigations else { return nil }
        let open = mitigations.filter { $0.value.hasPrefix("Vulnerable") }.keys.sorted()
        // "KVM: Mitigation: ..." is one too; "Unknown: ..." is neither.
        let mitigated = "\(mitigations.values.count { $0.contains("Mitigation:") }) mitigated"
        return open.isEmpty ? mitigated : "\(mitigated), vulnerable to \(open.joined(separator: " and "))"
    }
}
