// "The least stack doubles from 2 to 4 KB, so memory doubles for small goroutines."

import Experiments
import Faultline
import GoBinary
import Measurement
import Report

extension Figure {
    static let smallGoroutine = Figure("a small goroutine", .bytes)
    static let smallStack = Figure("a small stack made of pages", .bytes)
    static let memoryAgainstGoroutines = Figure("memory against goroutines", .ratio)
}

public struct MinimumStack: Claim {
    public init() {}

    public let identifier = "minimum-stack"
    public let saidBy = "golang-nuts, November 2025"
    public let statement = "The least stack doubles from 2 to 4 KB, so memory doubles for small goroutines."
    public let claimed = [
        ClaimedFigure(.smallGoroutine, 2048), ClaimedFigure(.smallStack, 4096),
        ClaimedFigure(.memoryAgainstGoroutines, 2),
    ]
    public let experiments = [
        "20,000 coroutines that wait, in the full run 100,000 and 1,000,000, in slots of 8 MiB and 64 KiB: resident "
            + "memory and page tables of one",
        "the same hibernated, where the memory of one is in a compact store",
        "the same for goroutines of each version of Go as it is and without stack checks, Swift tasks, and fewer "
            + "threads",
    ]

    public let plotted = PlottedNames(
        [.memory, .resident, .pageTables, .kernel], [.count, .guard, .peer, .slot],
        cases: [WaitingSubject.goroutine, WaitingSubject.task, WaitingSubject.thread])

    /// What a million take at most, in bytes each.
    private static let bytesOfOne = 9_000
    private static let hibernated = "hibernated coroutine"

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        let programs = try laboratory.goStackPrograms()
        let unchecked = try programs.compactMap { try laboratory.unchecked($0, initial: StripOptions.defaultInitial) }
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
                subjects += unchecked.map { .go($0, count: count, initial: StripOptions.defaultInitial) }
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
        let measured = zip(all, try laboratory.samples(all, rounds: rounds ?? (laboratory.isQuick ? 3 : 5)))
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
            let baseline = subject.name == WaitingSubject.unchecked ? own ?? newest : newest
            var parameters = subject.parameters
            parameters[.count] = .int(subject.count)
            parameters[.baselinePeer] = subjects[baseline].parameters[.peer]
            records.append(
                ratio(
                    subject.name, to: WaitingSubject.goroutine,
                    try Bootstrap(seed: laboratory.seed).ratio(
                        of: samples[index].map(\.memory), to: samples[baseline].map(\.memory)), parameters))
        }
        return records
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let own = evidence.all(WaitingSubject.coroutine, metric: .ratio)
        guard let smallest = own.min(by: { $0.median < $1.median }) else {
            throw MissingEvidence("no record of coroutines against goroutines")
        }
        guard let goroutine = evidence.all(WaitingSubject.goroutine, metric: .memory).last else {
            throw MissingEvidence("no record of the memory of goroutines")
        }
        var same = smallest.parameters
        same[.baseline] = nil
        same[.baselinePeer] = nil
        let coroutine = try evidence.estimate(WaitingSubject.coroutine, metric: .memory, where: same)
        var measured = [
            MeasuredFigure(.smallGoroutine, goroutine.estimate), MeasuredFigure(.smallStack, coroutine),
            MeasuredFigure(.memoryAgainstGoroutines, smallest.estimate),
        ]
        let hibernated = evidence.all(Self.hibernated, metric: .memory)
        measured += (hibernated + evidence.all(WaitingSubject.unchecked, metric: .memory)).map {
            MeasuredFigure(Figure("a \(Self.title($0))", .bytes), $0.estimate)
        }
        measured += evidence.all(metric: .ratio).filter { $0 != smallest }.map {
            MeasuredFigure(Figure("\(Self.title($0)) against goroutines", .ratio), $0.estimate)
        }
        // Go itself without checks is the nearest to what is claimed.
        let ratios = own + evidence.all(WaitingSubject.unchecked, metric: .ratio)
        let relations = ratios.map { $0.estimate.relation(to: claimed(.memoryAgainstGoroutines), tolerance: 0.1) }
        let reason =
            "a goroutine takes \(Int(goroutine.median)) bytes, not 2,048; "
            + ratios.map { "\(Self.title($0)) \($0.median.text()) times as much" }.joined(separator: ", ")
            + (hibernated.last.map { "; hibernated a coroutine takes \(Int($0.median))" } ?? "")
        if relations.allSatisfy({ $0 == .within || $0 == .above }) {
            return Judgement(.confirmed, measured: measured, reason: reason)
        }
        if relations.allSatisfy({ $0 == .below }) {
            return Judgement(.refuted, measured: measured, reason: "less than twice as much: \(reason)")
        }
        return Judgement(.depends, measured: measured, reason: "it depends on the slot: \(reason)")
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
