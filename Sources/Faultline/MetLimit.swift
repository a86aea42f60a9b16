// Which limit the kernel refused a mapping for. It says no more than ENOMEM or EAGAIN, so the limits are looked at.
internal import CShim

#if canImport(Glibc)
    import Glibc
#endif

/// A limit of this process or machine that was met.
enum MetLimit: Hashable {
    case addressSpace, writableMemory, lockedMemory, mappings, commit

    /// Where less is left than this, that is why: two of the largest slots take 2 GiB.
    private static let scarce: UInt64 = 3 << 30
    /// Where fewer than one mapping in this number is left: a coroutine that met the limit has given its own back
    /// since.
    private static let scarceMappings: UInt64 = 100

    /// The limit that a call met which failed with `errno`, nil where none of them is near.
    init?(_ errno: Int32) {
        switch errno {
        // Of the calls that the shim makes only a mapping that mlockall has locked fails so.
        case EAGAIN where Self.isLimited(__RLIMIT_MEMLOCK): self = .lockedMemory
        case ENOMEM:
            let left = fl_room_look()
            if left.mappings < fl_capabilities_get().pointee.max_map_count / Self.scarceMappings {
                self = .mappings
                return
            }
            let bytes: [(MetLimit, UInt64)] = [
                (.addressSpace, left.address_space), (.writableMemory, left.data), (.commit, left.commit),
            ]
            guard let (limit, room) = bytes.min(by: { $0.1 < $1.1 }), room < Self.scarce else { return nil }
            self = limit
        default: return nil
        }
    }

    /// Names it, and says what helps against it.
    var remedy: String {
        switch self {
        case .addressSpace:
            "RLIMIT_AS allows \(Self.value(RLIMIT_AS)) bytes of address space: raise it (ulimit -v), or ask for "
                + "smaller stacks"
        case .writableMemory:
            "RLIMIT_DATA allows \(Self.value(RLIMIT_DATA)) bytes of writable memory: raise it (ulimit -d), or use "
                + "guard 'prot-none', with which only what is usable counts"
        case .lockedMemory:
            "mlockall locks what is mapped, and RLIMIT_MEMLOCK allows \(Self.value(__RLIMIT_MEMLOCK)) bytes of that: "
                + "raise it (ulimit -l), or run with CAP_IPC_LOCK"
        case .commit:
            "vm.overcommit_memory is 2, where every usable byte and all of a reservation with 'guard-pages' counts "
                + "towards CommitLimit: raise vm.overcommit_ratio or ask for smaller stacks"
        case .mappings: mappings
        }
    }

    // A stack with guard 'prot-none' takes two mappings; the remedy tells what is allowed and what helps.
    private var mappings: String {
        let capabilities = fl_capabilities_get().pointee
        let allowed = capabilities.max_map_count
        let other = capabilities.guard_install ? "use 'guard-pages'" : "run Linux 6.13, whose guards need none"
        return "each stack with guard 'prot-none' takes two mappings, so that vm.max_map_count \(allowed) allows about "
            + "\(allowed / 2): for \(allowed) stacks raise vm.max_map_count to \(2 * allowed + 1000), or \(other)"
    }

    private static func value(_ resource: __rlimit_resource) -> UInt64 {
        var limit = rlimit()
        return getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0 ? UInt64(limit.rlim_cur) : .max
    }

    private static func isLimited(_ resource: __rlimit_resource) -> Bool { value(resource) != .max }
}
