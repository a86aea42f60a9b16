// One operation is one resume and one suspend: to the other stack and back. Of `transfer` it is one hand-over from a
// coroutine to another.

import CPeers
import CSwitch
import Experiments
import Faultline
import Measurement
import Report

public struct SwitchSuite: BenchSuite {
    public let name = "switch"
    public let summary =
        "one resume and suspend: bare, the API; ucontext, threads, and the peers that are here; among up to 100,000"

    public func records(_ laboratory: Laboratory) throws -> [Record] {
        let api = MeasurementCase.api
        let peers = try PeerCases(.roundTrip, in: laboratory)
        let cases =
            [
                MeasurementCase("raw") { try rawRoundTrips($0) },
                api, api.nullControl(),
                MeasurementCase("api-fp-control") {
                    try apiRoundTrips($0, StackConfiguration(keepsFloatingPointControl: true))
                },
                MeasurementCase("transfer") { try transfers($0) },
                MeasurementCase("plain-call") { fl_peer_plain_calls(UInt64($0)) },
                .peer("ucontext", fl_peer_ucontext_round_trips), .peer("threads", fl_peer_thread_round_trips),
            ] + peers.cases
        var comparisons = peers.comparisons(of: "api")
        if peers.has("boost-fcontext") { comparisons.insert(("raw", "boost-fcontext"), at: 0) }
        comparisons += [("transfer", "raw"), ("api-fp-control", "api"), ("raw", "ucontext"), ("api", "ucontext")]
        let records = try Record.records(
            of: laboratory.measure(name, cases, laboratory.batches), suite: name, comparisons: comparisons)
        return try peers.naming(records) + SwitchingPopulations(suite: name).records(laboratory)
    }
}

extension MeasurementCase {
    /// What other suites compare with: as many of these as one of theirs takes.
    static var api: MeasurementCase { MeasurementCase("api") { try apiRoundTrips($0, StackConfiguration()) } }
}

// Functions of their own, because closures that are stored in a case might not be specialized.

/// Round trips through the public API.
@inline(never)
func apiRoundTrips(_ count: Int, _ configuration: StackConfiguration) throws {
    let coroutine = try Coroutine<Int, Int, Void>(configuration: configuration) { co, first in
        var input = first
        while true { input = try co.suspend(input &+ 1) }
    }
    var sum = 0
    for round in 0..<count {
        guard case .suspended(let output) = try coroutine.resume(round) else { break }
        sum &+= output
    }
    keep(sum)
}

/// Two coroutines hand over to each other until there have been that many transfers.
@inline(never)
private func transfers(_ count: Int) throws {
    typealias Player = Coroutine<Int, Void, Int>
    final class Pair { var players: [Player] = [] }
    let pair = Pair()
    for other in [1, 0] {
        pair.players.append(
            try Player { [unowned pair] co, first in
                let other = pair.players[other]
                var (left, made) = (first, 0)
                while left > 0 {
                    made += 1
                    left = try co.transfer(to: other, left - 1)
                }
                return made
            })
    }
    var made = 0
    func resume(_ player: Player, _ left: Int) throws {
        if case .finished(let own) = try player.resume(left) { made += own }
    }
    // The one that is left with none ends, as what was resumed; the other waits in its last transfer.
    try resume(pair.players[0], count)
    for player in pair.players where player.isResumable { try resume(player, 0) }
    guard made == count else { throw MeasurementFailure("switch / transfer: \(made) transfers instead of \(count)") }
}

/// Round trips by the switch alone, between this stack and one from the pool: nothing is recorded, checked or handed
/// over.
///
/// The coroutine is started and ended by the API; in between only the two contexts change hands. A fault in the body
/// meanwhile could not make room, because the library is not told which stack runs; the body does not go deeper than at
/// its start. Both sides tell it afterwards.
@inline(never)
func rawRoundTrips(_ count: Int) throws {
    var isLast = false
    try withUnsafeMutablePointer(to: &isLast) { isLast in
        let coroutine = try Coroutine<Void, Void, Void> { co, _ in
            guard let fiber = fl_fiber_running() else { preconditionFailure("a coroutine runs") }
            let (own, resumer) = contexts(of: fiber)
            SwitchedFiber.current = fiber
            // No input is handed over below, which this reports by throwing.
            _ = try? co.suspend(())
            while !isLast.pointee { _ = fl_switch(own, resumer) }
            fl_fiber_note_running(fiber)
        }
        let running = fl_fiber_running()
        _ = try coroutine.resume()
        guard let fiber = SwitchedFiber.current else { preconditionFailure("the body has run") }
        let (own, resumer) = contexts(of: fiber)
        for _ in 0..<count { _ = fl_switch(resumer, own) }
        fl_fiber_note_running(running)
        isLast.pointee = true
        _ = try coroutine.resume()
    }
}

/// How the body tells its fiber to the stack that started it; both are of one thread.
private enum SwitchedFiber {
    nonisolated(unsafe) static var current: UnsafeMutablePointer<fl_fiber>?
}

private typealias Context = UnsafeMutablePointer<fl_context>

/// Where the coroutine continues and where its resumer does. The stack grows in place, so the frame stays where it is.
private func contexts(of fiber: UnsafeMutablePointer<fl_fiber>) -> (own: Context, resumer: Context) {
    guard let frame = fiber.pointee.frame else { preconditionFailure("a coroutine has an outermost frame") }
    // The first members of both (CSwitch.h asserts their offsets).
    return (
        UnsafeMutableRawPointer(fiber).assumingMemoryBound(to: fl_context.self),
        UnsafeMutableRawPointer(frame).assumingMemoryBound(to: fl_context.self)
    )
}
