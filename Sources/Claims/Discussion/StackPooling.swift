// "Free stacks in buckets by size cut an allocation from 89 to 21 ns (2 KB) and from 152 to 33 ns (8 KB)."
//
// What Go has is no bucket by that name (the article's `stkbucket` is in no version of its source) but free stacks of
// each size per processor; built with `stackNoCache`, it falls back to those that all processors share. Beside it: this
// library's stacks with its pool and without, and other allocators.

import Experiments
import Faultline
import Glibc
import Measurement
import Peers
import Report

extension Figure {
    static func withPool(_ size: String) -> Figure { Figure("\(size) with a pool", .nanoseconds) }
    static func withoutPool(_ size: String) -> Figure { Figure("\(size) without a pool", .nanoseconds) }
}

public struct StackPooling: Claim {
    public init() {}

    public let identifier = "stack-pool"
    public let saidBy = "an article on runtime.stackalloc and Go 1.22"
    public let statement =
        "Free stacks in buckets by size cut an allocation from 89 to 21 ns (2 KB) and from 152 to 33 ns (8 KB)."
    public let claimed = [
        ClaimedFigure(.withoutPool("2 KB"), 89), ClaimedFigure(.withPool("2 KB"), 21),
        ClaimedFigure(.withoutPool("8 KB"), 152), ClaimedFigure(.withPool("8 KB"), 33),
    ]
    public let experiments = [
        "allocate and free one stack with Go's own allocator, as it is and built without its per-processor free stacks",
        "get, run and give back a stack of this library, by size: from its pool, from it after a quiet time, when the "
            + "pages have gone, and without it",
        "the same with Boost's pool and without, and with a goroutine",
    ]

    public let plotted = PlottedNames(
        [.time], [.peer, .bytes], cases: [Self.pooled, Self.unpooled],
        values: [ParameterValue.thisLibrary.description],
        figures: ["2 KB", "8 KB"].flatMap { [.withPool($0), .withoutPool($0)] })

    /// The cases of a stack from a pool, and of one without.
    private static let (pooled, unpooled) = ("pooled", "unpooled")
    /// The first use of a stack that the pool kept without its pages.
    static let afterQuiet = "after a quiet time"
    /// Bytes usable at first. What is claimed of 2 KB is asked of the smallest stack that pages allow.
    static let sizes = [4 << 10, 8 << 10, 16 << 10, 64 << 10]
    /// What Go's allocator is asked for.
    static let goSizes = [2 << 10, 8 << 10]
    /// The smallest slot whose room holds them.
    private static func configuration(_ size: Int) -> StackConfiguration {
        StackConfiguration(strategy: .fault, initial: size, reservation: size <= 16 << 10 ? 64 << 10 : 8 << 20)
    }

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        var records: [Record] = []
        for size in Self.sizes {
            let configuration = Self.configuration(size)
            let pooled = MeasurementCase(Self.pooled) { try spawn($0, configuration) }
            let result = try laboratory.measure(
                "\(identifier): \(size) bytes",
                [
                    pooled, pooled.nullControl(),
                    MeasurementCase(selfTimed: Self.afterQuiet) { try spawnAfterQuiet($0, configuration) },
                    MeasurementCase(Self.unpooled, setup: StackPool.drain) { try spawnWithoutPool($0, configuration) },
                ], laboratory.batches)
            records += try Record.records(
                of: result, suite: identifier,
                comparisons: [(Self.pooled, Self.unpooled), (Self.afterQuiet, Self.unpooled)],
                parameters: [.peer: .thisLibrary, .bytes: .int(size)])
        }
        for toolchain in laboratory.go { records += try go(toolchain, laboratory) }
        records += try others(laboratory)
        return records
    }

    private func go(_ toolchain: GoToolchain, _ laboratory: Laboratory) throws -> [Record] {
        try laboratory.step("\(identifier): building with \(toolchain.version)")
        let (cached, uncached): (Conversation, Conversation)
        do throws(PeerUnavailable) {
            cached = try start(toolchain.program(.stacks))
            uncached = try start(toolchain.program(.uncachedStacks))
        } catch {
            laboratory.missing("Go's allocator is not measured: \(error)")
            return []
        }
        var records: [Record] = []
        for size in Self.goSizes {
            let pooled = try MeasurementCase.asking(Self.pooled, cached, "stackalloc", size)
            let result = try laboratory.measure(
                "\(identifier): \(toolchain.version)",
                [pooled, pooled.nullControl(), try .asking(Self.unpooled, uncached, "stackalloc", size)],
                laboratory.batches)
            records += try Record.records(
                of: result, suite: identifier, comparisons: [(Self.pooled, Self.unpooled)],
                parameters: [.peer: .string(toolchain.version), .bytes: .int(size)])
        }
        let result = try laboratory.measure(
            "\(identifier): goroutines", [try .asking(WaitingSubject.goroutine, cached, "spawn")], laboratory.batches)
        return records
            + (try Record.records(
                of: result, suite: identifier, parameters: [.peer: .string(toolchain.version), .bytes: 2048]))
    }

    private func start(_ program: PeerProgram) throws(PeerUnavailable) -> Conversation {
        do throws(PeerFailure) { return try program.converse() } catch { throw PeerUnavailable("\(error)") }
    }

    private func others(_ laboratory: Laboratory) throws -> [Record] {
        guard let boost = try laboratory.running(.boostContext) else { return [] }
        let result = try laboratory.measure(
            "\(identifier): Boost",
            [
                .performing(Peer.boostPooled, by: boost, as: Self.pooled),
                .performing(Peer.boostProtected, by: boost, as: Self.unpooled),
            ], laboratory.batches)
        return try Record.records(
            of: result, suite: identifier, comparisons: [(Self.pooled, Self.unpooled)],
            parameters: [.peer: .string(boost.version)])
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        // What was claimed is about Go's allocator; where there is none, the nearest sizes of this library stand in.
        let versions = evidence.all(Self.pooled, metric: .time).compactMap(\.goVersion)
        let peer = versions.last.map { ParameterValue.string($0) } ?? .thisLibrary
        var measured: [MeasuredFigure] = []
        var ratios: [Estimate] = []
        var text: [String] = []
        for (name, bytes) in [("2 KB", peer == .thisLibrary ? 4096 : 2048), ("8 KB", 8192)] {
            let which: [ParameterName: ParameterValue] = [.peer: peer, .bytes: .int(bytes)]
            for (pool, figure) in [(Self.unpooled, Figure.withoutPool(name)), (Self.pooled, .withPool(name))] {
                measured.append(MeasuredFigure(figure, try evidence.estimate(pool, metric: .time, where: which)))
            }
            var baseline = which
            baseline[.baseline] = .string(Self.unpooled)
            let ratio = try evidence.estimate(Self.pooled, metric: .ratio, where: baseline)
            measured.append(MeasuredFigure(Figure("\(name), time with a pool to without", .ratio), ratio))
            ratios.append(ratio)
            text.append("\(name): \(ratio.text()) of the time without (claimed \(claimedRatio(name).text()))")
        }
        for size in Self.sizes {
            let own: [ParameterName: ParameterValue] = [
                .peer: .thisLibrary, .bytes: .int(size), .baseline: .string(Self.unpooled),
            ]
            for (name, figure) in [(Self.pooled, "with"), (Self.afterQuiet, Self.afterQuiet)] {
                guard let ratio = evidence.find(name, metric: .ratio, where: own) else { continue }
                measured.append(
                    MeasuredFigure(Figure("this library, \(size >> 10) KiB, \(figure) to without", .ratio), ratio))
            }
        }
        let reason = "\(peer): \(text.joined(separator: "; "))"
        if ratios.allSatisfy({ $0.low >= 1 }) { return Judgement(.refuted, measured: measured, reason: reason) }
        // The claimed times are those of a machine; how much a pool saves carries over.
        let asMuch = zip(["2 KB", "8 KB"], ratios).allSatisfy { $1.high <= 1.25 * claimedRatio($0) }
        return Judgement(
            asMuch ? .confirmed : .depends, measured: measured,
            reason: asMuch ? reason : "a pool saves less than claimed, or not at each size: \(reason)")
    }

    private func claimedRatio(_ size: String) -> Double {
        claimed(.withPool(size)).high! / claimed(.withoutPool(size)).low!
    }
}

@inline(never)
private func spawn(_ count: Int, _ configuration: StackConfiguration) throws {
    for _ in 0..<count { try withStack(configuration) {} }
}

/// Nanoseconds of the uses alone: what gives the pages back between them is not timed.
@inline(never)
private func spawnAfterQuiet(_ count: Int, _ configuration: StackConfiguration) throws -> UInt64 {
    StackPool.drain()
    // The first look notes what there is, the second gives its pages back.
    func giveBack() { for _ in 0..<2 { StackPool.trim(quiet: .zero) } }
    try withStack(configuration) {}
    let before = try pageFaults()
    var took: UInt64 = 0
    for _ in 0..<count {
        giveBack()
        let start = MeasurementClock.monotonic.now()
        try withStack(configuration) {}
        took += MeasurementClock.monotonic.now() - start
    }
    guard try pageFaults() - before >= count else { throw MeasurementFailure("a stack of the pool kept its pages") }
    return took
}

/// Pages that the kernel has supplied to this thread.
private func pageFaults() throws -> Int {
    var usage = rusage()
    // RUSAGE_THREAD, which is a macro.
    guard getrusage(1, &usage) == 0 else {
        throw MeasurementFailure("page faults cannot be counted: \(ErrorNumber.text(errno))")
    }
    return usage.ru_minflt
}

@inline(never)
private func spawnWithoutPool(_ count: Int, _ configuration: StackConfiguration) throws {
    for _ in 0..<count {
        try withStack(configuration) {}
        StackPool.drain()
    }
}
