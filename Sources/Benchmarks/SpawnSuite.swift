// One operation is: get a stack, run a body that does nothing, give the stack back.

import CPeers
import Experiments
import Faultline
import Measurement
import Report

public struct SpawnSuite: BenchSuite {
    public let name = "spawn"
    public let summary =
        "create, run and destroy: from the pool, as a coroutine; ucontext, threads, and the peers that are here"

    public func records(_ laboratory: Laboratory) throws -> [Record] {
        let pooled = MeasurementCase("pooled", body: spawnPooled)
        let peers = try PeerCases(.spawn, in: laboratory)
        let cases =
            [
                pooled, pooled.nullControl(), MeasurementCase("coroutine", body: spawnCoroutines),
                .peer("ucontext", fl_peer_ucontext_spawn), .peer("threads", fl_peer_thread_spawn),
            ] + peers.cases
        var comparisons = peers.comparisons(of: "pooled")
        if peers.has("boost-pooled") { comparisons.append(("coroutine", "boost-pooled")) }
        comparisons += [("pooled", "ucontext"), ("pooled", "threads")]
        return try peers.naming(
            Record.records(
                of: laboratory.measure(name, cases, laboratory.batches), suite: name, comparisons: comparisons))
    }
}

@inline(never)
private func spawnPooled(_ count: Int) throws {
    // Made once, as Boost's allocator is: a program that makes many stacks keeps what they are made from.
    let configuration = StackConfiguration()
    for _ in 0..<count { try withStack(configuration) {} }
}

@inline(never)
private func spawnCoroutines(_ count: Int) throws {
    let configuration = StackConfiguration()
    for _ in 0..<count {
        let coroutine = try Coroutine<Void, Void, Void>(configuration: configuration) { _, _ in }
        _ = try coroutine.resume()
    }
}
