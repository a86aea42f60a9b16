// What something that waits takes: many coroutines, tasks or threads, each at the same depth of the same request.

import CPeers
import Faultline
import Glibc
import Measurement
import Peers

struct WaitingExperiment: Experiment {
    let name = "waiting"

    enum Kind: String {
        case coroutine, task, thread
    }

    /// Options: `kind`; `count`; `depth` in frames of the handler; for coroutines those of ``StacksExperiment``; `parse`
    /// (1: each parses the document of a request first).
    func run(
        _ options: ExperimentOptions, _ found: (_ key: String, _ value: any CustomStringConvertible) throws -> Void
    ) throws {
        guard let kind: Kind = try options.choice("kind", or: nil) else { throw MeasurementFailure("no kind is named") }
        let count = try options.number("count")
        let depth = try options.number("depth", or: 0)
        var work: @Sendable () -> Void = {}
        if try options.number("parse", or: 0) != 0 { work = try RequestDocuments.parsing() }
        // One first, with all that the process needs once.
        var held: [AnyObject] = []
        held.append(contentsOf: try Self.wait(kind, 1, depth, work, options))
        let before = try ProcessMemory.current()
        let kernelBefore = try SystemNumbers.kibibytes(in: "/proc/meminfo")["KernelStack"] ?? 0
        held.append(contentsOf: try Self.wait(kind, count, depth, work, options))
        let after = try ProcessMemory.current()
        try found("count", count)
        try found("resident", after.resident - before.resident)
        try found("page-tables", after.pageTables - before.pageTables)
        if kind == .thread {
            // Of the whole machine, which is why there are many.
            let kernel = try SystemNumbers.kibibytes(in: "/proc/meminfo")["KernelStack"] ?? 0
            try found("kernel-stacks", max(0, kernel - kernelBefore))
        }
        withExtendedLifetime(held) {}
        Experiments.finish()
    }

    private static func wait(
        _ kind: Kind, _ count: Int, _ depth: Int, _ work: @escaping @Sendable () -> Void, _ options: ExperimentOptions
    ) throws -> [AnyObject] {
        switch kind {
        case .coroutine:
            let configuration = try options.stackConfiguration()
            return try (0..<count).map { _ in try suspended(configuration, depth, work) }
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

    @inline(never)
    private static func suspended(
        _ configuration: StackConfiguration, _ depth: Int, _ work: @escaping @Sendable () -> Void
    ) throws -> Coroutine<Void, Void, Int> {
        let coroutine = try Coroutine<Void, Void, Int>(configuration: configuration) { co, _ in
            work()
            return try RequestHandler.handle(depth) { try co.suspend(()) }
        }
        guard case .suspended = try coroutine.resume() else { throw MeasurementFailure("a coroutine did not wait") }
        return coroutine
    }
}

extension ExperimentOptions {
    /// The configuration that `strategy`, `initial`, `maximum`, `reservation`, `guard` and `mover` name.
    func stackConfiguration() throws -> StackConfiguration {
        func size(_ key: String) throws -> Int? { text(key) == nil ? nil : try number(key) }
        return StackConfiguration(
            strategy: try choice("strategy", or: .fault), initial: try size("initial"), maximum: try size("maximum"),
            reservation: try size("reservation"), guardKind: try choice("guard", or: nil),
            mover: try choice("mover", or: nil))
    }
}
