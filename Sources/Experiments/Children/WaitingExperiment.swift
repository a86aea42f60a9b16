// What something that waits takes: many coroutines, tasks or threads, each at the same depth of the same request.

import CPeers
import Faultline
import Glibc
import Measurement
import Peers

extension Finding {
    static let count = Finding("count")
    static let kernelStacks = Finding("kernel-stacks")
    /// What the library and the allocator keep, in bytes.
    package static let bookkeeping = Finding("bookkeeping")
    /// How many have hibernated.
    static let hibernated = Finding("hibernated")
    /// The median, in nanoseconds.
    package static let wakeUp = Finding("wake-up")
}

package struct WaitingExperiment: Experiment {
    package let name = "waiting"

    package enum Kind: String {
        case coroutine, task, thread
    }

    /// Options: `kind`; `count`; `depth` in frames of the handler; for coroutines those of ``StacksExperiment``;
    /// `parse` (1: each parses the document of a request first), `hibernate` (1: each hibernates as soon as it waits)
    /// and `wake` (how many of them, evenly spread, are resumed one by one and hibernate again; their median time is
    /// found). By policy: `idle` in milliseconds and `budget` in bytes, with `sweeps` beside those that follow the
    /// making.
    package func run(_ options: ExperimentOptions, _ found: Found) throws {
        guard let kind: Kind = try options.choice("kind", or: nil) else { throw MeasurementFailure("no kind is named") }
        let count = try options.number("count")
        let depth = try options.number("depth", or: 0)
        var work: @Sendable () -> Void = {}
        if try options.number("parse", or: 0) != 0 { work = try RequestDocuments.parsing() }
        // One first, with all that the process needs once.
        var held: [AnyObject] = []
        held.append(contentsOf: try Self.wait(kind, 1, depth, work, options))
        if let policy = try options.hibernationPolicy() { try policy.apply() }
        let mappingsBefore = try ProcessMemory.mappings()
        let before = try ProcessMemory.current()
        let kernelBefore = SystemFiles().fields("/proc/meminfo")["KernelStack"] ?? 0
        let waiting = try Self.wait(kind, count, depth, work, options)
        for _ in 0..<(try options.number("sweeps", or: 0)) { HibernationPolicy.sweep() }
        let after = try ProcessMemory.current()
        try found(.count, count)
        try found(.resident, after.resident - before.resident)
        try found(.pageTables, after.pageTables - before.pageTables)
        if kind == .thread {
            // Of the whole machine, which is why there are many.
            let kernel = SystemFiles().fields("/proc/meminfo")["KernelStack"] ?? 0
            try found(.kernelStacks, max(0, kernel - kernelBefore))
        }
        try found(.mappings, try ProcessMemory.mappings() - mappingsBefore)
        if kind == .coroutine {
            let coroutines = waiting.compactMap { $0 as? Waiting }
            try found(.bookkeeping, Self.bookkeeping(count))
            try found(.hibernated, coroutines.count { $0.isHibernated })
            let wake = try options.number("wake", or: 0)
            if wake > 0 { try found(.wakeUp, try Self.wakeUp(wake, of: coroutines)) }
        }
        withExtendedLifetime((held, waiting)) {}
        Experiments.finish()
    }

    private static func wait(
        _ kind: Kind, _ count: Int, _ depth: Int, _ work: @escaping @Sendable () -> Void, _ options: ExperimentOptions
    ) throws -> [AnyObject] {
        switch kind {
        case .coroutine:
            let configuration = try options.stackConfiguration()
            let hibernates = try options.number("hibernate", or: 0) != 0
            // One body for all, so that what it captures is counted once.
            let body: Waiting.Body = { co, _ in
                work()
                return try RequestHandler.handle(depth) { while true { try co.suspend(()) } }
            }
            return try Waiting.suspended(count, configuration, (), hibernates, body)
        case .task:
            let waiting = TaskPeer.suspend(count, depth: depth, work: work)
            guard waiting.count == count else { throw MeasurementFailure("\(waiting.count) of \(count) tasks wait") }
            return [waiting]
        case .thread:
            var error: Int32 = 0
            let made = fl_peer_threads_wait(UInt64(count), &error)
            guard made == UInt64(count) else {
                throw MeasurementFailure("only \(made) of \(count) threads: \(ErrorNumber.text(error))")
            }
            return []
        }
    }

    private typealias Waiting = Coroutine<Void, Void, Int>

    /// What the library and the allocator keep of all of them, in bytes: control blocks, objects and stored stacks.
    private static func bookkeeping(_ count: Int) -> Int {
        // Two words that every object has and the coroutine's one; malloc adds one and rounds up to 16 bytes.
        let object = (4 * MemoryLayout<Int>.size + 15) & ~15
        return count * (StackPool.controlBytes + object) + HibernationStore.usage.committed
    }

    /// The median time in nanoseconds of a resume that restores a stack, until the coroutine waits again.
    private static func wakeUp(_ count: Int, of coroutines: [Waiting]) throws -> Double {
        let clock = MeasurementClock.monotonic
        var times: [Double] = []
        for n in 0..<count {
            let coroutine = coroutines[n * (coroutines.count / count)]
            guard coroutine.isHibernated else { throw MeasurementFailure("a coroutine did not hibernate") }
            let begin = clock.now()
            guard case .suspended = try coroutine.resume() else { throw MeasurementFailure("a coroutine ended") }
            times.append(Double(clock.now() - begin))
            try coroutine.hibernate()
        }
        return try Statistics.median(times)
    }
}

extension Coroutine {
    /// Coroutines that have begun and wait. In a function that is as generic as the class `body` is passed on as it is:
    /// code that knows the types wraps it in a closure of its own at each call, and that would be measured too.
    fileprivate static func suspended(
        _ count: Int, _ configuration: StackConfiguration, _ input: Input, _ hibernates: Bool, _ body: @escaping Body
    ) throws -> [Coroutine] {
        try (0..<count).map { _ in
            let coroutine = try Coroutine(configuration: configuration, body: body)
            guard case .suspended = try coroutine.resume(input) else {
                throw MeasurementFailure("a coroutine did not wait")
            }
            if hibernates { try coroutine.hibernate() }
            return coroutine
        }
    }
}

extension ExperimentOptions {
    /// The policy that `idle` and `budget` name, nil where neither is given.
    fileprivate func hibernationPolicy() throws -> HibernationPolicy? {
        let policy = HibernationPolicy(
            idle: text("idle") == nil ? nil : .milliseconds(try number("idle")),
            residentBudget: text("budget") == nil ? nil : try number("budget"))
        return policy == HibernationPolicy() ? nil : policy
    }

    /// The configuration that `strategy`, `initial`, `maximum`, `reservation`, `guard` and `mover` name.
    func stackConfiguration() throws -> StackConfiguration {
        func size(_ key: String) throws -> Int? { text(key) == nil ? nil : try number(key) }
        return StackConfiguration(
            strategy: try choice("strategy", or: .fault), initial: try size("initial"), maximum: try size("maximum"),
            reservation: try size("reservation"), guardKind: try choice("guard", or: nil),
            mover: try choice("mover", or: nil))
    }
}
