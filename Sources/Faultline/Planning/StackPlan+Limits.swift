internal import CShim

extension StackPlan {
    /// Something that bounds the number of coroutines.
    public struct Limit: Sendable, Hashable {
        /// The name of the setting, where it is one, or of the resource.
        public let name: String
        /// What the plan takes: bytes, or a number of mappings or stacks.
        public let needed: Int
        /// What is available, in the same unit.
        public let available: Int
        /// The maximum number of such coroutines that it allows.
        public let coroutines: Int
        /// What helps where that is too few.
        public let remedy: String
        /// Whether ``needed`` and ``available`` are bytes.
        public let isBytes: Bool

        /// Whether the plan stays within it.
        public var isMet: Bool { needed <= available }
    }

    /// Bits of the addresses that Linux gives to programs of 32 bits (3 of 4 GiB), to programs of 64 bits, and to those
    /// that ask for five-level page tables.
    public static let addressBits = [32, 47, 56]

    /// Everything that bounds the number of coroutines on `machine` in addresses of `bits` bits, the tightest first.
    ///
    /// - Parameters:
    ///   - machine: what bounds the process, for instance ``MachineLimits/current()``.
    ///   - bits: one of ``addressBits``. This library runs with 47; the others are arithmetic.
    public func limits(on machine: MachineLimits, bits: Int = 47) -> [Limit] {
        var limits: [Limit] = []
        func add(
            _ name: String, _ available: Int?, isBytes: Bool = true, _ remedy: (_ needed: Int) -> String,
            _ quantity: (StackPlan) -> Int
        ) {
            guard let available else { return }
            let needed = quantity(self)
            limits.append(
                Limit(
                    name: name, needed: needed, available: available, coroutines: maximum(within: available, quantity),
                    remedy: remedy(needed), isBytes: isBytes))
        }
        add(
            "addresses of \(bits) bits", bits == 32 ? 3 << 30 : 1 << bits,
            { _ in "a smaller reservation, and stacks that move when they need more" }, \.slots)
        add("RLIMIT_AS", machine.addressSpace, { "ulimit -v unlimited, or \($0 >> 10) KiB more than now" }, \.slots)
        add(
            "vm.max_map_count", machine.maxMapCount.map { max(0, $0 - machine.mappings) }, isBytes: false,
            { needed in
                "sysctl vm.max_map_count=\(needed + machine.mappings)"
                    + (guardKind == .protNone ? ", or guard-pages (Linux 6.13)" : "")
            }, \.mappings)
        add("memory", machine.memory, { "\($0 >> 20) MiB of free memory" }, \.memory)
        add("memory of the control group", machine.groupMemory, { "memory.max \($0 >> 20) MiB larger" }, \.memory)
        if machine.overcommitMode == 2 {
            add(
                "commit limit", machine.commit, { "vm.overcommit_memory 0 or 1, or \($0 >> 20) MiB more to commit" },
                \.charged)
        }
        add(
            "stacks of this library", Int(fl_stacks_maximum()), isBytes: false, { _ in "several processes" },
            \.coroutines)
        return limits.sorted { ($0.coroutines, $0.name) < ($1.coroutines, $1.name) }
    }

    /// The maximum number of coroutines whose `quantity` is within `available`. Every quantity grows with the number,
    /// but not in proportion.
    private func maximum(within available: Int, _ quantity: (StackPlan) -> Int) -> Int {
        var (fits, tooMany) = (0, Self.maximumCoroutines + 1)
        while tooMany - fits > 1 {
            let middle = fits + (tooMany - fits) / 2
            if quantity(with(middle)) <= available { fits = middle } else { tooMany = middle }
        }
        return fits
    }
}
