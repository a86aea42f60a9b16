// What happens to coroutines when memory is used up, under each limit that can be met.

import CProbes
import Faultline
import Glibc
import Measurement
import Processes
import Workloads

extension Finding {
    /// How many of those that waited could not go on.
    static let lost = Finding("lost")
    /// Whether a stack could be made when there was memory again.
    static let again = Finding("again")
}

/// Uses stacks until memory is used up: under a limit of address space, in a group with a limit of memory, or without
/// overcommit.
struct ExhaustionExperiment: Experiment {
    let name = "exhaustion"

    /// Options: `address-space`, in bytes beyond what is mapped; `group`, a folder of a cgroup to enter; `limit`, in
    /// bytes of all stacks; `mode`, of overcommit, set meanwhile; `use`, in bytes of each stack; `reach`, how many
    /// bytes further down each stores one word; those of a stack.
    ///
    /// Where the mode cannot be set, `refused` says why, and nothing is `begun`.
    ///
    /// Others wait meanwhile. How many of them are `lost` is found, and whether a stack can be made `again` once those
    /// that filled the memory have gone.
    func run(_ options: ExperimentOptions, _ found: Found) throws {
        var configuration = try options.stackConfiguration()
        configuration.isIsolated = true
        let use = try Use(bytes: options.number("use"), reach: options.number("reach", or: 0))
        // Also before the first stack: what is reserved in another mode is not charged for in this one.
        let keeper: OvercommitKeeper?
        do {
            keeper = options.text("mode") == nil ? nil : try OvercommitKeeper(mode: options.number("mode"))
        } catch let refusal as OvercommitModeRefused {
            try found(.refused, refusal)
            Experiments.finish()
        }
        // Before the first stack, because what is reserved already is beyond the limit's reach.
        if options.text("address-space") != nil {
            let bytes = try ProcessMemory.current().addressSpace + options.number("address-space")
            var limit = rlimit(rlim_cur: rlim_t(bytes), rlim_max: rlim_t(bytes))
            guard setrlimit(__rlimit_resource_t(UInt32(RLIMIT_AS.rawValue)), &limit) == 0 else {
                throw MeasurementFailure("cannot limit the address space: \(ErrorNumber.text(errno))")
            }
        }
        if let group = options.text("group") {
            try Files.write("\(getpid())\n".utf8, to: "\(group)/cgroup.procs")
        }
        if options.text("limit") != nil { StackMemory.limit = try options.number("limit") }
        let bystanders = try (0..<Self.bystanders).map { try Self.waiting(configuration, $0) }
        var stacks: [Coroutine<Void, Void, Void>] = []
        stacks.reserveCapacity(Self.maximumStacks)
        try found(.begun, 1)
        do {
            while stacks.count < Self.maximumStacks { stacks.append(try Self.used(configuration, use)) }
            try found(.refused, 0)
        } catch {
            try found(.refused, 1)
            try found(.error, "\(error)".prefix { !$0.isNewline })
        }
        try found(.made, stacks.count)
        var lost = 0
        for (number, bystander) in bystanders.enumerated() {
            if case .finished(Self.sum(number, Self.depth) {})? = try? bystander.resume() { continue }
            lost += 1
        }
        try found(.lost, lost)
        stacks = []
        try found(.again, (try? Self.used(configuration, use)) == nil ? 0 : 1)
        keeper?.end()
        Experiments.finish()
    }

    private static let bystanders = 20
    private static let depth = 10

    private static func waiting(_ configuration: StackConfiguration, _ number: Int) throws -> Coroutine<Void, Void, Int>
    {
        let stack = try Coroutine<Void, Void, Int>(configuration: configuration) { co, _ in
            // It waits at the bottom; the sum needs every frame above.
            try sum(number, depth) { try co.suspend(()) }
        }
        _ = try stack.resume()
        return stack
    }

    @inline(never)
    private static func sum(_ number: Int, _ depth: Int, _ atBottom: () throws -> Void) rethrows -> Int {
        guard depth > 0 else {
            try atBottom()
            return number
        }
        return try number + sum(number + 1, depth - 1, atBottom)
    }

    /// What a coroutine does with its stack.
    private struct Use {
        let bytes, reach: Int
    }

    /// More than any of the limits allows; the machine's own memory must not be what ends it.
    private static let maximumStacks = 4_000

    @inline(never)
    private static func used(_ configuration: StackConfiguration, _ use: Use) throws -> Coroutine<Void, Void, Void> {
        let stack = try Coroutine<Void, Void, Void>(configuration: configuration) { co, _ in
            fl_probe_touch_stack(use.bytes)
            if use.reach > 0 { fl_probe_store_at(use.bytes + use.reach) }
            try co.suspend(())
        }
        _ = try stack.resume()
        return stack
    }
}
