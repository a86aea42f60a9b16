internal import CShim

#if canImport(Glibc)
    import Glibc
#endif

/// What bounds the number of stacks in this process, in bytes unless said otherwise; nil where there is no bound or it
/// cannot be read.
public struct MachineLimits: Sendable, Hashable {
    /// Address space of the process (RLIMIT_AS) less what is in use.
    public var addressSpace: Int?
    /// Mappings that a process may have (`vm.max_map_count`).
    public var maxMapCount: Int?
    /// Mappings of this process.
    public var mappings: Int
    /// Memory of the machine that can be used without swapping (`MemAvailable`).
    public var memory: Int?
    /// Memory that the control groups of this process still allow (`memory.max` less `memory.current`).
    public var groupMemory: Int?
    /// `vm.overcommit_memory`: 0, 1 or 2.
    public var overcommitMode: Int?
    /// `CommitLimit` less `Committed_AS`, which binds in mode 2.
    public var commit: Int?

    /// Limits of another machine, or of this one with changes; nil is what no limit is known of.
    public init(
        addressSpace: Int? = nil, maxMapCount: Int? = nil, mappings: Int = 0, memory: Int? = nil,
        groupMemory: Int? = nil, overcommitMode: Int? = nil, commit: Int? = nil
    ) {
        self.addressSpace = addressSpace
        self.maxMapCount = maxMapCount
        self.mappings = mappings
        self.memory = memory
        self.groupMemory = groupMemory
        self.overcommitMode = overcommitMode
        self.commit = commit
    }

    /// The limits of this process, now.
    public static func current() -> MachineLimits {
        let memory = KernelFile("/proc/meminfo").fields
        let used = KernelFile("/proc/self/status").fields["VmSize"] ?? 0
        var limit = rlimit()
        let isLimited = getrlimit(__rlimit_resource_t(UInt32(RLIMIT_AS.rawValue)), &limit) == 0
        let commit = memory["CommitLimit"].flatMap { limit in memory["Committed_AS"].map { max(0, limit - $0) } }
        return MachineLimits(
            addressSpace: isLimited && limit.rlim_cur != rlim_t.max
                ? max(0, Int(clamping: limit.rlim_cur) - used) : nil,
            maxMapCount: KernelFile("/proc/sys/vm/max_map_count").number,
            mappings: KernelFile("/proc/self/maps").lineCount, memory: memory["MemAvailable"],
            groupMemory: ControlGroup.allowance(), overcommitMode: KernelFile("/proc/sys/vm/overcommit_memory").number,
            commit: commit)
    }
}

/// Control groups, version 2, or version 1's for memory.
enum ControlGroup {
    /// Bytes that the group of this process and those above it still allow, nil where none has a limit.
    ///
    /// - Parameter root: precedes each path, so that a test can lay out groups of its own.
    static func allowance(root: String = "") -> Int? {
        var minimum: Int?
        for line in KernelFile("\(root)/proc/self/cgroup").lines {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let files: (folder: String, limit: String, use: String)
            if parts[1].isEmpty {
                files = ("/sys/fs/cgroup", "memory.max", "memory.current")
            } else if parts[1].split(separator: ",").contains("memory") {
                files = ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes")
            } else {
                continue
            }
            // A path that is not visible from inside a container has no files, and its top has the container's.
            var names = parts[2].split(separator: "/")
            while true {
                let folder = ([root + files.folder] + names.map(String.init)).joined(separator: "/")
                if let limit = KernelFile("\(folder)/\(files.limit)").number,
                    let use = KernelFile("\(folder)/\(files.use)").number
                {
                    minimum = min(minimum ?? .max, max(0, limit - use))
                }
                guard names.popLast() != nil else { break }
            }
        }
        // Version 1 writes "no limit" as the largest multiple of a page.
        return minimum.flatMap { $0 < 1 << 60 ? $0 : nil }
    }
}
