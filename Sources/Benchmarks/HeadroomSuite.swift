// One operation is a call of a recursive function that asks for headroom: where it is left, beside the same function
// that does not ask; where it is not, so that the call gets a stack; and a level of a recursion that is deeper than the
// thread's stack.

import Experiments
import Faultline
import Measurement
import Peers
import Report

public struct HeadroomSuite: BenchSuite {
    public let name = "headroom"
    public let summary = "a recursive call that asks for headroom: in place, on a new stack, deep; Rust's stacker"

    /// Calls of a recursion that fits in place: as many as in Sources/Peers/Programs/rust_peer.rs.
    private static let levels = 64
    /// Levels of a recursion that does not.
    private static let deepLevels = 200_000

    public func records(_ laboratory: Laboratory) throws -> [Record] {
        let inPlace = MeasurementCase("in-place") { try repeated($0, Self.levels, asking) }
        let calls = try PeerCases(.headroom, .plainCall, in: laboratory)
        var comparisons = [(case: inPlace.name, baseline: "plain")] + calls.comparisons(of: inPlace.name)
        if calls.has("rust-stacker") { comparisons.append(("rust-stacker", "rust-plain-call")) }
        let records = try calls.naming(
            Record.records(
                of: laboratory.measure(
                    name,
                    [
                        inPlace, inPlace.nullControl(),
                        MeasurementCase("plain") { try repeated($0, Self.levels, plain) },
                    ] + calls.cases, laboratory.batches),
                suite: name, comparisons: comparisons))
        guard StackSpace.remaining < unusual else {
            laboratory.note(
                "headroom / growing and level are left out: lower ulimit -s, this stack has all they ask for")
            return records
        }
        return try records
            + compared(
                "growing", MeasurementCase("growing", body: growing), .growingCall, laboratory.batches, laboratory)
            + compared(
                "deep", MeasurementCase("level") { try repeated($0, Self.deepLevels, asking) }, .level,
                laboratory.repetitions(Self.deepLevels, rounds: 31), laboratory)
    }

    private func compared(
        _ title: String, _ own: MeasurementCase, _ kind: PeerTask.Kind,
        _ settings: InterleavedMeasurement.Settings, _ laboratory: Laboratory
    ) throws -> [Record] {
        let peers = try PeerCases(kind, in: laboratory)
        return try peers.naming(
            Record.records(
                of: laboratory.measure("\(name): \(title)", [own] + peers.cases, settings), suite: name,
                comparisons: peers.comparisons(of: own.name)))
    }
}

/// What a level of the recursions asks for: as in Sources/Peers/Programs/rust_peer.rs.
private let headroom = 32 << 10
/// More than any thread has left, less than a grown stack has.
private let unusual = 256 << 20

/// Recursions of at most `levels` that together make `count` calls.
private func repeated(_ count: Int, _ levels: Int, _ recursion: (Int) throws -> Int) throws {
    var done = 0
    while done < count { done += try recursion(min(levels, count - done)) }
    guard done == count else { throw MeasurementFailure("headroom: \(done) calls instead of \(count)") }
}

/// Makes `levels` calls; returns their number.
@inline(never)
private func asking(_ levels: Int) throws -> Int {
    // An error that may be thrown keeps the compiler from making a loop of it.
    guard levels > 0 else { throw MeasurementFailure("headroom: no level to make") }
    return try withStackHeadroom(headroom) { levels == 1 ? 1 : try 1 + asking(levels - 1) }
}

/// The same without asking.
@inline(never)
private func plain(_ levels: Int) throws -> Int {
    guard levels > 0 else { throw MeasurementFailure("headroom: no level to make") }
    return levels == 1 ? 1 : try 1 + plain(levels - 1)
}

@inline(never)
private func growing(_ count: Int) throws {
    var sum = 0
    for number in 0..<count { sum &+= try withStackHeadroom(unusual) { number } }
    keep(sum)
}
