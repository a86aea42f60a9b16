// One operation is a connection's life: a coroutine is made, suspends, is resumed when all others have been, uses 32
// KiB of stack, and ends. Ten thousand are alive at any time; a sample is timed once each of them has been replaced,
// when the memory that they take is there. A full run times ten million of each kind, all on one thread.
//
// A task has no stack: it borrows the thread's for what it calls, which stays in the nearest cache.

import CPeers
import Experiments
import Faultline
import FaultlineScheduler
import Measurement
import Peers
import Report

public struct ConnectionsSuite: BenchSuite {
    public let name = "connections"
    public let summary = "made, suspended, resumed, 32 KiB of stack used, ended; 10,000 alive; Go, Swift tasks"

    static let alive = 10_000
    /// The smallest slot with room for what a connection uses.
    private static let stack = StackConfiguration(reservation: 256 << 10)

    public func records(_ laboratory: Laboratory) throws -> [Record] {
        let alive = Self.alive
        let coroutine = MeasurementCase(selfTimed: "coroutine") { try Self.coroutines($0, alive: alive) }
        var cases = [
            coroutine, coroutine.nullControl(),
            MeasurementCase(selfTimed: "job") { try Self.jobs($0, alive: alive) },
            MeasurementCase(selfTimed: "task") { count in
                let sample = TaskPeer.connections(count, alive: alive) { keep(fl_peer_use_stack()) }
                guard sample.ended == count + 2 * alive else { throw MeasurementFailure("a task was lost") }
                return sample.nanoseconds
            },
        ]
        var comparisons: [(case: String, baseline: String)] = [("coroutine", "task"), ("job", "task")]
        var parameters: [ParameterName: ParameterValue] = [
            ParameterName("alive"): .int(alive), ParameterName("stack-bytes"): .int(32 << 10),
        ]
        if let peer = try laboratory.newestGoroutines() {
            cases.append(try .asking("goroutine", peer.program, "connections", alive))
            comparisons = [("coroutine", "goroutine"), ("job", "goroutine")] + comparisons
            parameters[.peer] = .string(peer.version)
        }
        var settings = laboratory.repetitions(laboratory.isQuick ? 10_000 : 100_000, rounds: 100)
        if laboratory.isQuick { settings.rounds = 11 }
        return try Record.records(
            of: laboratory.measure(name, cases, settings), suite: name, comparisons: comparisons,
            parameters: parameters)
    }

    private static func coroutines(_ count: Int, alive: Int) throws -> UInt64 {
        typealias Connection = Coroutine<Void, Void, Void>
        var ended = 0
        func open() throws -> Connection {
            let connection = try Connection(configuration: stack) { co, _ in
                try co.suspend(())
                keep(fl_peer_use_stack())
            }
            guard case .suspended = try connection.resume() else {
                throw MeasurementFailure("a connection ended before it was resumed")
            }
            return connection
        }
        func close(_ connection: Connection) throws {
            guard case .finished = try connection.resume() else {
                throw MeasurementFailure("a connection did not end when it was resumed")
            }
            ended += 1
        }
        var connections = try (0..<alive).map { _ in try open() }
        func replace(_ count: Int) throws {
            for number in 0..<count {
                try close(connections[number % alive])
                connections[number % alive] = try open()
            }
        }
        try replace(alive)
        let start = MeasurementClock.monotonic.now()
        try replace(count)
        let took = MeasurementClock.monotonic.now() - start
        for connection in connections { try close(connection) }
        guard ended == count + 2 * alive else { throw MeasurementFailure("a connection was lost") }
        return took
    }

    /// The same by the scheduler: a job waits for its channel.
    private static func jobs(_ count: Int, alive: Int) throws -> UInt64 {
        let tally = Tally()
        let took = try Scheduler.run(threads: 1) {
            @Sendable func open(_ gate: Channel<Int>) throws {
                try Scheduler.spawn(stack: stack) {
                    tally.started += 1
                    guard try gate.receive() == 1 else { return }
                    keep(fl_peer_use_stack())
                    tally.ended += 1
                }
            }
            let gates = (0..<alive).map { _ in Channel<Int>() }
            @Sendable func replace(_ count: Int) throws {
                for number in 0..<count {
                    let gate = gates[number % alive]
                    try gate.send(1)
                    try open(gate)
                    // Those that are ready run before this goes on, and so does the new one.
                    try Scheduler.yield()
                }
            }
            for gate in gates { try open(gate) }
            while tally.started < alive { try Scheduler.yield() }
            try replace(alive)
            let start = MeasurementClock.monotonic.now()
            try replace(count)
            let took = MeasurementClock.monotonic.now() - start
            guard tally.started == count + 2 * alive else { throw MeasurementFailure("fewer jobs waited than should") }
            for gate in gates { try gate.send(1) }
            return took
        }
        guard tally.ended == count + 2 * alive else { throw MeasurementFailure("a job was lost") }
        return took
    }

    // Safe to share: the run has one thread.
    private final class Tally: @unchecked Sendable {
        var started = 0
        var ended = 0
    }
}
