// "8 MiB each makes 100,000 goroutines take 800 GB of address space; a 32-bit machine cannot."
//
// The arithmetic decides, with what was really reserved; whether 47 bits can is said beside it.

import Experiments
import Faultline
import GoBinary
import Measurement
import Report

extension Metric {
    /// The address space of the stacks' slots alone.
    static let slots = Metric("slots", .bytes)
}

extension ParameterName {
    static let bits = ParameterName("bits")
    /// How many stacks were asked for.
    static let asked = ParameterName("asked")
    /// The call that was refused.
    static let refused = ParameterName("refused")
    static let errno = ParameterName("errno")
    static let maxMapCount = ParameterName("max-map-count")
}

extension Figure {
    static let spaceOf100000Stacks = Figure("address space of 100,000 stacks", .bytes)
    static let stacksIn32Bits = Figure("stacks of 8 MiB in 32 bits", .count)
    static let smallStacksIn32Bits = Figure("stacks of 8 KiB in 32 bits", .count)
    static let stacksIn47Bits = Figure("stacks of 8 MiB in 47 bits", .count)
}

public struct AddressSpace: Claim {
    public init() {}

    public let identifier = "address-space"
    public let saidBy = "golang-nuts, November 2025; CloudFlare, \"How stacks are handled in Go\", 2014"
    public let statement =
        "8 MiB of address space for each stack makes 100,000 goroutines take 800 GB (745 GiB), which 32 bits "
        + "cannot hold, "
        + "nor a million stacks of 8 KB."
    public let claimed = [
        ClaimedFigure(.spaceOf100000Stacks, 800e9, tolerance: 0.05),
        ClaimedFigure(.stacksIn32Bits, low: nil, high: 99_999),
        ClaimedFigure(.smallStacksIn32Bits, low: nil, high: 999_999),
    ]
    public let experiments = [
        "reserve 100,000 stacks of 8 MiB, in the full run 1,000,000, with each kind of guard, until one is refused",
        "count their address space, mappings, memory and page tables, and name the call that was refused",
        "let 20,000 goroutines, in the full run 100,000, of a Go program without stack checks wait on such stacks",
        "the arithmetic for address spaces of 32, 47 and 56 bits",
    ]

    public let plotted = PlottedNames(
        [.stacks, .resident, .pageTables], [.guard, .asked, .maxMapCount])

    static let slot = 8 << 20
    /// The address space of a process: Linux leaves 3 of 4 GiB to programs of 32 bits, and of the others the lower
    /// half.
    static let spaces = [(bits: 32, bytes: 3.0 * 0x1p30), (bits: 47, bytes: 0x1p47), (bits: 56, bytes: 0x1p56)]
    /// Of the memory that can be had, the experiment takes what a stack of 8 MiB takes at least: two pages and some.
    static let bytesOfStack = 8_800
    /// What a goroutine on such a stack takes: two pages of memory, two of page tables, and 8 KiB in which Go notes its
    /// span.
    static let bytesOfGoroutine = 24_000

    /// The case of an address space.
    private static func caseName(bits: Int) -> String { "\(bits) bits" }

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        var records = Self.spaces.map { space in
            record(
                Self.caseName(bits: space.bits), .stacks, exactly: (space.bytes / Double(Self.slot)).rounded(.down),
                [.bits: .int(space.bits), .slot: .int(Self.slot), .bytes: .double(space.bytes)])
        }
        for count in laboratory.isQuick ? [100_000] : [100_000, 1_000_000] {
            guard laboratory.hasRoom(for: count, "stack of 8 MiB", ofBytes: Self.bytesOfStack) else { continue }
            for kind in [StackGuard.guardPages, .protNone] {
                records += try reserved(count, kind, laboratory)
            }
        }
        return try records + goroutines(laboratory.isQuick ? 20_000 : 100_000, laboratory)
    }

    /// Goroutines of the newest Go on stacks of the same size, and on small ones.
    private func goroutines(_ count: Int, _ laboratory: Laboratory) throws -> [Record] {
        guard laboratory.hasRoom(for: count, WaitingSubject.unchecked, ofBytes: Self.bytesOfGoroutine),
            let program = try laboratory.newestGoStackProgram()
        else { return [] }
        return try [PatchedPrograms.initialOfWaiting, Self.slot].flatMap { initial -> [Record] in
            guard let unchecked = try laboratory.unchecked(program, initial: initial) else { return [] }
            let subject = WaitingSubject.go(unchecked, count: count, initial: initial)
            let samples = try laboratory.samples([subject], rounds: 1)[0]
            return samples.isEmpty ? [] : try subject.records(suite: identifier, samples, seed: laboratory.seed)
        }
    }

    private func reserved(_ count: Int, _ kind: StackGuard, _ laboratory: Laboratory) throws -> [Record] {
        guard try laboratory.offers(StackConfiguration(guardKind: kind), for: "guard '\(kind.rawValue)'") else {
            return []
        }
        let findings = try laboratory.experiment(
            "stacks", ["count=\(count)", "guard=\(kind.rawValue)", "reservation=\(Self.slot)"], seconds: 300)
        guard findings.succeeded else { throw findings.failure("it did not end as it should") }
        let made = try findings.number(.made)
        var shared: [ParameterName: ParameterValue] = [
            .guard: .string(kind.rawValue), .asked: .int(count), .slot: .int(Self.slot),
        ]
        shared[.refused] = findings[.call].map { .string($0) }
        shared[.errno] = findings[.errno].flatMap { Int32($0) }.map { .string(ErrorNumber.text($0)) }
        shared[.maxMapCount] = SystemFiles().number("/proc/sys/vm/max_map_count").map { .int($0) }
        let counted: [(Metric, Finding)] = [(.addressSpace, .addressSpace), (.mappings, .mappings)]
        let measured: [(Metric, Finding)] = [(.resident, .resident), (.pageTables, .pageTables)]
        return [
            record(kind.rawValue, .stacks, exactly: made, shared),
            record(kind.rawValue, .slots, exactly: made * Double(Self.slot), shared),
        ] + (try counted.map { record(kind.rawValue, $0, exactly: try findings.number($1), shared) })
            + (try measured.map { record(kind.rawValue, $0, try .median(of: [findings.number($1)]), shared) })
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let narrow = try evidence.estimate(Self.caseName(bits: 32), metric: .stacks)
        // In the same room.
        let small = Estimate(exactly: (Self.spaces[0].bytes / Double(8 << 10)).rounded(.down))
        let wide = try evidence.estimate(Self.caseName(bits: 47), metric: .stacks)
        let hundredThousand: [ParameterName: ParameterValue] = [.asked: 100_000]
        let made = evidence.all(metric: .stacks, where: hundredThousand)
        guard let largest = made.max(by: { $0.median < $1.median }) else {
            throw MissingEvidence("no record of 100,000 stacks")
        }
        // What is claimed is the space of 100,000, of which all may not have been granted.
        let slots = try evidence.estimate(largest.name, metric: .slots, where: hundredThousand)
        let whole = Estimate(exactly: slots.median / largest.median * 100_000)
        // Arenas are reserved ahead, so that a process has more than its stacks take.
        let space = try evidence.estimate(largest.name, metric: .addressSpace, where: hundredThousand)
        let measured =
            [
                MeasuredFigure(.spaceOf100000Stacks, whole),
                MeasuredFigure(Figure("address space reserved for \(Int(largest.median)) stacks", .bytes), space),
                MeasuredFigure(.stacksIn32Bits, narrow), MeasuredFigure(.smallStacksIn32Bits, small),
                MeasuredFigure(.stacksIn47Bits, wide),
            ]
            + evidence.all(metric: .stacks).filter { $0.parameters[.asked] != nil }.map {
                MeasuredFigure(
                    Figure("stacks made with \($0.name) of \($0.parameters[.asked]!)", .count), $0.estimate)
            }
            + goroutines(evidence)
        let ends = made.map { record in
            let count = Int(record.median)
            let refused = record.parameters[.refused].map { " until \($0) was refused" } ?? ""
            let mappings = evidence.find(record.name, metric: .mappings, where: hundredThousand)
            return "\(record.name): \(count)\(refused)" + (mappings.map { ", \(Int($0.median)) more mappings" } ?? "")
        }.joined(separator: "; ")
        func share(_ bytes: Double) -> String {
            "\(QuantityFormatter.string(bytes, .bytes)), \((bytes / 0x1p47 * 10_000).rounded() / 100) % of 47 bits"
        }
        let arithmetic =
            "\(share(whole.median)), of \(share(space.median)) that are reserved; 32 bits hold "
            + "\(Int(narrow.median)) stacks of "
            + "8 MiB or \(Int(small.median)) of 8 KiB, 47 bits \(Int(wide.median)) of 8 MiB" + Self.inGo(evidence)
        guard whole.relation(to: claimed(.spaceOf100000Stacks)) == .within,
            narrow.relation(to: claimed(.stacksIn32Bits)) == .within,
            small.relation(to: claimed(.smallStacksIn32Bits)) == .within
        else {
            return Judgement(.refuted, measured: measured, reason: "\(arithmetic); \(ends)")
        }
        let granted = largest.median >= 100_000 ? "47 bits granted them" : "here 100,000 were not granted"
        return Judgement(.confirmed, measured: measured, reason: "\(arithmetic); \(granted): \(ends)")
    }

    /// What goroutines without checks took, all of them together.
    private func goroutines(_ evidence: Evidence) -> [MeasuredFigure] {
        evidence.all(WaitingSubject.unchecked, metric: .addressSpace).compactMap { record in
            guard let count = record.parameters[.count]?.whole, let initial = record.parameters[.initial]?.whole
            else { return nil }
            return MeasuredFigure(
                Figure("address space of \(count) goroutines without checks on \(ByteSize(bytes: initial))", .bytes),
                record.estimate.times(count))
        }
    }

    /// The same in words, with what was resident.
    private static func inGo(_ evidence: Evidence) -> String {
        let texts = evidence.all(WaitingSubject.unchecked, metric: .addressSpace).compactMap { record -> String? in
            guard let count = record.parameters[.count]?.whole, let initial = record.parameters[.initial]?.whole,
                let memory = evidence.find(record.name, metric: .memory, where: record.identifyingParameters)
            else { return nil }
            func all(_ one: Double) -> String { QuantityFormatter.string(one * Double(count), .bytes) }
            return
                "\(count) goroutines without checks on \(ByteSize(bytes: initial)) took \(all(record.median)) "
                + "of it and "
                + "\(all(memory.median)) of memory\(memory.isMeasuredOnce ? ", measured once" : "")"
        }
        return texts.map { "; \($0)" }.joined()
    }
}
