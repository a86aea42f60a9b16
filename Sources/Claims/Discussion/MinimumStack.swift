// "The least stack doubles from 2 to 4 KB, so memory doubles for small goroutines."
//
// It is said of Go: goroutines of its newest version on stacks made of pages, without checks, against the same as they
// are, decide. Beside them goroutines that were deep once, which only a stack that shrinks gives back, and this
// library's stacks.

import Experiments
import Faultline
import GoBinary
import Measurement
import Report

extension Figure {
    static let smallGoroutine = Figure("a small goroutine", .bytes)
    static let smallStack = Figure("a small stack made of pages", .bytes)
    static let memoryAgainstGoroutines = Figure("memory against goroutines", .ratio)
    static let memoryOnceDeep = Figure("memory against goroutines, deep once, then parked", .ratio)
}

public struct MinimumStack: Claim {
    public init() {}

    public let identifier = "minimum-stack"
    public let saidBy = "golang-nuts, November 2025"
    public let statement = "The least stack doubles from 2 to 4 KB, so memory doubles for small goroutines."
    // 2 and 4 KB are what the stacks are given, not what is measured, which holds what else a goroutine takes.
    public let claimed = [ClaimedFigure(.memoryAgainstGoroutines, 2, tolerance: 0.1)]
    public let experiments = [
        "20,000 coroutines that wait, in the full run 100,000 and 1,000,000, in slots of 8 MiB and 64 KiB: resident "
            + "memory and page tables of one",
        "the same hibernated, where the memory of one is in a compact store",
        "the same for goroutines of each version of Go as it is and without stack checks, Swift tasks, and fewer "
            + "threads",
        "goroutines of the newest Go that used 32 KiB of their stacks once before they wait, after six collections",
    ]

    public let plotted = PlottedNames(
        [.memory, .resident, .pageTables, .kernel], [.count, .guard, .peer, .slot],
        cases: [WaitingSubject.goroutine, WaitingSubject.task, WaitingSubject.thread])

    /// What a million take at most, in bytes each.
    private static let bytesOfOne = 9_000
    private static let hibernated = "hibernated coroutine"
    /// Goroutines that used 32 KiB once, as they are and without checks.
    static let (onceDeep, onceDeepUnchecked) = ("goroutine, deep once", "goroutine without checks, deep once")
    private static let (frames, collections) = (119, 6)

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        let programs = try laboratory.goStackPrograms()
        let unchecked = try programs.compactMap {
            try laboratory.unchecked($0, initial: PatchedPrograms.initialOfWaiting)
        }
        func subjects(_ count: Int) throws -> [WaitingSubject] {
            var subjects: [WaitingSubject] = []
            for (slot, kind, maximum) in [
                (8 << 20, StackGuard.guardPages, Int.max), (64 << 10, .guardPages, .max), (8 << 20, .protNone, 30_000),
                (64 << 10, .protNone, 30_000),
            ] where count < 1_000_000 || kind == .guardPages {
                let configuration = StackConfiguration(reservation: slot, guardKind: kind)
                guard try laboratory.offers(configuration, for: "memory of coroutines with '\(kind.rawValue)'") else {
                    continue
                }
                subjects.append(
                    .own(
                        WaitingSubject.coroutine, kind: .coroutine, count: min(count, maximum),
                        ["reservation=\(slot)", "guard=\(kind.rawValue)"],
                        parameters: [.slot: .int(slot), .guard: .string(kind.rawValue), .peer: .thisLibrary]))
            }
            let small = StackConfiguration(strategy: .faultMove)
            if try small.effective().guardKind == .guardPages {
                subjects.append(
                    .own(
                        Self.hibernated, kind: .coroutine, count: count, ["strategy=fault-move", "hibernate=1"],
                        parameters: [.slot: .int(64 << 10), .guard: "guard-pages", .peer: .thisLibrary]))
            } else {
                laboratory.missing("hibernated coroutines are not measured: they need MADV_GUARD_INSTALL (Linux 6.13)")
            }
            subjects.append(.own(WaitingSubject.task, kind: .task, count: count, parameters: [.peer: "swift"]))
            subjects += programs.map { .go($0, count: count) }
            if count < 1_000_000 {
                subjects += unchecked.map { .go($0, count: count, initial: PatchedPrograms.initialOfWaiting) }
                if let program = programs.last, let copy = unchecked.last, copy.version == program.version {
                    let few = min(count, 20_000)
                    for (name, program) in [(Self.onceDeep, program), (Self.onceDeepUnchecked, copy)] {
                        subjects.append(
                            .parked(
                                name, program, count: few, frames: Self.frames, collections: Self.collections,
                                mayFail: true))
                    }
                }
                subjects.append(.own(WaitingSubject.thread, kind: .thread, count: min(count / 10, 5_000)))
            }
            return subjects
        }
        var records = try measured(subjects(laboratory.isQuick ? 20_000 : 100_000), laboratory)
        if !laboratory.isQuick {
            if laboratory.hasRoom(for: 1_000_000, WaitingSubject.coroutine, ofBytes: Self.bytesOfOne) {
                records += try measured(subjects(1_000_000), laboratory, rounds: 1)
            }
        }
        return records
    }

    private func measured(
        _ all: [WaitingSubject], _ laboratory: Laboratory, rounds: Int? = nil
    ) throws -> [Record] {
        let measured = zip(all, try laboratory.samples(all, rounds: rounds ?? (laboratory.isQuick ? 3 : 7)))
            .filter { !$0.1.isEmpty }
        let (subjects, samples) = (measured.map(\.0), measured.map(\.1))
        var records: [Record] = []
        for (subject, own) in zip(subjects, samples) {
            records += try subject.records(suite: identifier, own, seed: laboratory.seed)
        }
        // Against the newest Go, or what has lost its checks against what it was, round by round.
        guard let newest = subjects.lastIndex(where: { $0.name == WaitingSubject.goroutine }) else { return records }
        for (index, subject) in subjects.enumerated() where index != newest {
            let own = subjects.firstIndex {
                $0.name == WaitingSubject.goroutine && $0.parameters[.peer] == subject.parameters[.peer]
            }
            if subject.name == Self.onceDeep { continue }
            let once = subjects.firstIndex { $0.name == Self.onceDeep }
            let baseline =
                switch subject.name {
                case WaitingSubject.unchecked: own ?? newest
                case Self.onceDeepUnchecked: once ?? newest
                default: newest
                }
            var parameters = subject.parameters
            parameters[.count] = .int(subject.count)
            parameters[.baselinePeer] = subjects[baseline].parameters[.peer]
            records.append(
                ratio(
                    subject.name, to: subjects[baseline].name,
                    try Estimate.ratio(
                        of: samples[index].map(\.memory), to: samples[baseline].map(\.memory)), parameters))
        }
        return records
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        guard let goroutine = evidence.all(WaitingSubject.goroutine, metric: .memory).ofNewestGo.first else {
            throw MissingEvidence("no record of the memory of goroutines")
        }
        let same: [ParameterName: ParameterValue] = [.peer: goroutine.parameters[.peer]!]
        let pages = try evidence.estimate(WaitingSubject.unchecked, metric: .memory, where: same)
        let ratio = try evidence.estimate(WaitingSubject.unchecked, metric: .ratio, where: same)
        var measured = [
            MeasuredFigure(.smallGoroutine, goroutine.estimate), MeasuredFigure(.smallStack, pages),
            MeasuredFigure(.memoryAgainstGoroutines, ratio),
        ]
        let once = evidence.find(Self.onceDeepUnchecked, metric: .ratio, where: [.baseline: .string(Self.onceDeep)])
        if let once { measured.append(MeasuredFigure(.memoryOnceDeep, once)) }
        let others = evidence.all(metric: .ratio).filter {
            $0.estimate != ratio && $0.name != Self.onceDeepUnchecked
        }
        let hibernated = evidence.all(Self.hibernated, metric: .memory)
        measured += hibernated.map { MeasuredFigure(Figure("a \(Self.title($0))", .bytes), $0.estimate) }
        measured += others.map { MeasuredFigure(Figure("\(Self.title($0)) against goroutines", .ratio), $0.estimate) }
        // A million are measured once: they are figures, and nothing is said by them.
        let own = others.filter { $0.name == WaitingSubject.coroutine && !$0.estimate.isMeasuredOnce }.map(\.median)
        let reason =
            "\(same[.peer]!): a goroutine takes \(QuantityFormatter.string(goroutine.median, .bytes)), on a "
            + "stack of pages "
            + "\(QuantityFormatter.string(pages.median, .bytes)), \(ratio.text()) times as much"
            + (once.map { "; deep once, then parked \($0.text(decimals: 1)) times" } ?? "")
            + (own.min().map { ", this library's \($0.text()) to \(own.max()!.text()) times a shallow one" } ?? "")
            + (hibernated.last { !$0.estimate.isMeasuredOnce }.map {
                ", hibernated \(QuantityFormatter.string($0.median, .bytes))"
            } ?? "")
        switch ratio.relation(to: claimed(.memoryAgainstGoroutines)) {
        case .within: return Judgement(.confirmed, measured: measured, reason: reason)
        case .below, .above: return Judgement(.refuted, measured: measured, reason: reason)
        case .undecided:
            return Judgement(.notMeasurable, measured: measured, reason: "more rounds are needed: \(reason)")
        }
    }

    private static func title(_ record: Record) -> String {
        var parts = [record.name]
        if let slot = record.parameters[.slot]?.whole { parts.append("in \(ByteSize(bytes: slot))") }
        if let initial = record.parameters[.initial]?.whole {
            parts.append("on \(ByteSize(bytes: initial))")
        }
        if let kind = record.parameters[.guard] { parts.append("with \(kind)") }
        if let version = record.goVersion { parts.append(version) }
        if let count = record.parameters[.count] { parts.append("(\(count))") }
        return parts.joined(separator: " ")
    }
}
