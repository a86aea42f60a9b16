// "Go 1.22's stkbucket cuts an allocation of a stack from 89 to 21 ns (2 KB) and from 152 to 33 ns (8 KB)."
//
// As written: Go's own allocator of stacks in 1.21 and in 1.22, in processes of their own. What both call `stkbucket`
// finds the record of a stack trace in a profile; their sources say whether the allocator differs, and decide where
// times are not told apart. How much free stacks per processor save at all is beside it: Go built with `stackNoCache`,
// and this library's stacks with its pool and without.

import Experiments
import Faultline
import Glibc
import Measurement
import Peers
import Processes
import Report

extension Metric {
    /// Functions of Go's stack allocator whose text differs from that of the version before.
    static let changedFunctions = Metric("changed-functions", .count)
}

extension Figure {
    static func before(_ size: String) -> Figure { Figure("\(size) before Go 1.22", .nanoseconds) }
    static func since(_ size: String) -> Figure { Figure("\(size) since Go 1.22", .nanoseconds) }
    static func step(_ size: String) -> Figure { Figure("\(size), time since Go 1.22 to before", .ratio) }
    /// The version before against itself.
    static func again(_ size: String) -> Figure { Figure("\(size), time before Go 1.22 again", .ratio) }
}

public struct StackPooling: Claim {
    public init() {}

    public let identifier = "stack-pool"
    public let saidBy = "an article on runtime.stackalloc and Go 1.22"
    public let statement =
        "The stkbucket of Go 1.22 cuts the allocation of a stack from 89 to 21 ns (2 KB) and from 152 to 33 ns (8 KB)."
    public let claimed = [
        ClaimedFigure(.before("2 KB"), 89), ClaimedFigure(.since("2 KB"), 21, tolerance: Self.tolerance),
        ClaimedFigure(.before("8 KB"), 152), ClaimedFigure(.since("8 KB"), 33, tolerance: Self.tolerance),
    ]
    public let experiments = [
        "allocate and free one stack with the allocator of Go 1.21, once more with it, and with that of Go 1.22, in a "
            + "process for each round; compare the source of both",
        "the same with the newest Go as it is and built without its per-processor free stacks",
        "get, run and give back a stack of this library, by size: from its pool, from it after a quiet time, when the "
            + "pages have gone, and without it",
        "the same with Boost's pool and without, and with a goroutine",
    ]

    public let plotted = PlottedNames(
        [.time], [.peer, .bytes], cases: [Self.pooled, Self.unpooled],
        values: [ParameterValue.thisLibrary.description])

    /// The cases of an allocation by the version before the step and by the one with it.
    static let (before, since) = ("before", "since")
    /// The version before once more: what differs is no step.
    static let again = before + CaseSuffix.again
    private static let versions = [
        (name: before, minor: "go1.21."), (name: again, minor: "go1.21."), (name: since, minor: "go1.22."),
    ]
    /// Functions of runtime/stack.go that serve stacks.
    private static let allocator = [
        "stackalloc", "stackfree", "stackpoolalloc", "stackpoolfree", "stackcacherefill", "stackcacherelease",
    ]
    private static let source = "runtime/stack.go"
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
        if let newest = laboratory.go.last { records += try go(newest, laboratory) }
        records += try others(laboratory)
        return try step(laboratory) + records
    }

    /// The version before what is claimed and the one with it.
    private func step(_ laboratory: Laboratory) throws -> [Record] {
        let toolchains = Self.versions.map { version in
            laboratory.everyGo.last { $0.version.hasPrefix(version.minor) }
        }
        var subjects: [ProcessSubject] = []
        for (version, toolchain) in zip(Self.versions, toolchains) {
            guard let toolchain, let program = try laboratory.program(.stacks, toolchain) else {
                laboratory.missing(
                    "\(version.minor.dropLast()) is not measured: run scripts/reproduce, which installs it")
                return []
            }
            subjects += Self.goSizes.map {
                ProcessSubject(version.name, program, "stackpair 200000 \($0)", [.bytes: .int($0)])
            }
        }
        let rounds = try ProcessRounds(subjects, rounds: laboratory.processes, claim: identifier, laboratory)
        let sizes = Self.goSizes.count
        return try rounds.records(suite: identifier, .time) { $0[0] / 200_000 }
            + rounds.ratios(suite: identifier, to: { $0 < sizes ? nil : $0 % sizes }, of: { $0[0] }).map { record in
                var record = record
                if record.name == Self.again { record.parameters[.nullControl] = true }
                return record
            }
            + changes([toolchains.first, toolchains.last].compactMap { $0 ?? nil }, laboratory)
    }

    /// How many functions of the allocator were changed.
    private func changes(_ toolchains: [GoToolchain], _ laboratory: Laboratory) -> [Record] {
        let texts = toolchains.map { toolchain in
            let source = (try? Files.read("\(toolchain.root)/src/\(Self.source)")) ?? []
            return Self.allocator.map { Self.function($0, in: String(decoding: source, as: UTF8.self)) }
        }
        guard texts.count == 2, !texts.joined().contains(nil) else {
            laboratory.missing("the sources of the allocator are not compared: a version of Go has none")
            return []
        }
        let changed = zip(texts[0], texts[1]).count { $0 != $1 }
        return [
            record(
                Self.since, .changedFunctions, exactly: Double(changed),
                [.peer: .string(toolchains[1].version), .functions: .int(Self.allocator.count)])
        ]
    }

    /// The text of a function of Go.
    static func function(_ name: String, in source: String) -> Substring? {
        guard let start = source.firstRange(of: "\nfunc \(name)(")?.lowerBound,
            let end = source[start...].firstRange(of: "\n}\n")?.lowerBound
        else { return nil }
        return source[start..<end]
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
            let pooled = try MeasurementCase.asking(Self.pooled, cached, "stackpair", size)
            let result = try laboratory.measure(
                "\(identifier): \(toolchain.version)",
                [pooled, pooled.nullControl(), try .asking(Self.unpooled, uncached, "stackpair", size)],
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

    /// The claimed times are those of a machine; how much less one takes than the other carries over.
    private static let tolerance = 0.25

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        var measured: [MeasuredFigure] = []
        var statements: [Statement] = []
        for (name, bytes) in [("2 KB", 2048), ("8 KB", 8192)] {
            let which: [ParameterName: ParameterValue] = [.bytes: .int(bytes)]
            for (version, figure) in [(Self.before, Figure.before(name)), (Self.since, .since(name))] {
                measured.append(MeasuredFigure(figure, try evidence.estimate(version, metric: .time, where: which)))
            }
            let ratio = try evidence.estimate(
                Self.since, metric: .ratio, where: which.merging([.baseline: .string(Self.before)]) { $1 })
            guard
                let null = evidence.find(
                    Self.again, metric: .ratio, where: which.merging([.baseline: .string(Self.before)]) { $1 })
            else { throw MissingEvidence("no null control of Go's allocator at \(name)") }
            let step = claimed(.since(name)).high! / claimed(.before(name)).low!
            let figure = Figure.step(name)
            measured += [MeasuredFigure(figure, ratio), MeasuredFigure(.again(name), null)]
            let verdict = ratio.verdict(
                on: ClaimedFigure(figure, low: nil, high: step, tolerance: Self.tolerance), null: null)
            statements.append(
                Statement(
                    "\(name) takes \(ratio.text()) of the time before (the same version again \(null.text())), "
                        + "claimed \(step.text())",
                    holds: verdict == .notMeasurable ? nil : verdict == .confirmed,
                    isWithinNull: verdict == .notDistinguishable))
        }
        measured += pools(evidence)
        var reason = Statement.text(statements)
        let decided = Statement.conjunction(statements)
        guard let changed = evidence.all(Self.since, metric: .changedFunctions).first else {
            return Judgement(decided, measured: measured, reason: reason)
        }
        let functions = changed.parameters[.functions]?.description ?? "?"
        reason += "; of \(functions) functions of the allocator \(Int(changed.median)) were changed"
        // That a time cannot be told from the same says nothing of a step. That the code is the same says that there is
        // none: what is claimed is that a version changed it.
        guard changed.high == 0, statements.allSatisfy(\.isWithinNull) else {
            return Judgement(decided, measured: measured, reason: reason)
        }
        return Judgement(
            .refuted, measured: measured,
            reason: "the sources are the same in both versions, and the times as far as can be told: \(reason)")
    }

    /// What pools save, here and in Go.
    private func pools(_ evidence: Evidence) -> [MeasuredFigure] {
        evidence.all(metric: .ratio, where: [.baseline: .string(Self.unpooled)]).compactMap { record in
            guard record.parameters[.nullControl] == nil, let peer = record.parameters[.peer] else { return nil }
            let size = record.parameters[.bytes]?.whole.map { ", \(ByteSize(bytes: $0))" } ?? ""
            return MeasuredFigure(
                Figure("\(peer)\(size), \(record.name == Self.pooled ? "pooled" : record.name) to without", .ratio),
                record.estimate)
        }
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
