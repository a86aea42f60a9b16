// The machine for readers: a row per fact that it told.

import Measurement

extension MachineFacts {
    /// What a reader must know of the machine.
    var summaryTable: TextTable {
        let facts: [(String, String?)] = [
            ("processor", processorModel),
            ("processors online", cores.map { "\($0)\(isVirtualized == true ? ", of a virtual machine" : "")" }),
            ("memory", totalMemory.map { QuantityFormatter.string(Double($0), .bytes) }),
            ("system", kernelRelease.map { "Linux \($0)" }),
            ("built by", swiftCompiler.map { "Swift \($0)\(isDebugBuild ? ", for debugging" : "")" }),
            ("built from", sourceRevision.map { "commit \($0)" }),
        ]
        var table = TextTable([.init("fact"), .init("value")])
        for (name, value) in facts { if let value { table.append([name, value]) } }
        return table
    }

    /// What is known of the machine.
    var table: TextTable {
        let facts: [(String, String?)] = [
            ("processor", processorModel), ("architecture", architecture), ("processors online", cores.map { "\($0)" }),
            ("virtual machine", isVirtualized.map { $0 ? "yes" : "no" }),
            ("hardware counters", hasHardwareCounters.map { $0 ? "yes" : "no" }),
            ("memory", totalMemory.map { QuantityFormatter.string(Double($0), .bytes) }),
            ("page size", pageSize.map { QuantityFormatter.string(Double($0), .bytes) }),
            ("kernel", kernelRelease.map { "Linux \($0)" }), ("C library", cLibrary),
            ("transparent huge pages", transparentHugepages),
            ("vm.overcommit_memory", overcommitMemory.map { "\($0)" }),
            ("vm.max_map_count", maxMapCount.map { QuantityFormatter.grouped(Double($0), decimals: 0) }),
            ("load average before the run", loadAverage.map { "\($0)" }),
            ("processors in use before it", busyProcessors.map { QuantityFormatter.grouped($0, decimals: 1) }),
            ("built by", swiftCompiler.map { "Swift \($0)\(isDebugBuild ? ", for debugging" : "")" }),
            ("built from", sourceRevision.map { "commit \($0)" }),
        ]
        var table = TextTable([.init("fact"), .init("value")])
        for (name, value) in facts { if let value { table.append([name, value]) } }
        for (name, version) in (compilers ?? [:]).sorted(by: { $0.key < $1.key }) { table.append([name, version]) }
        for (name, status) in (mitigations ?? [:]).sorted(by: { $0.key < $1.key }) { table.append([name, status]) }
        return table
    }
}
