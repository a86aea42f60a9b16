// "Copying doubles the stack and corrects every pointer; large stacks are expensive to copy."
//
// Three claims on the same growths: that a stack doubles, that pointers are corrected, that large stacks are expensive.
// One move of a stack of a given size, few of its words pointers or all of them, by each mover, and the same growth of
// a goroutine; the sample is a process. Goroutines grow into memory that the process has had before, so that a copy is
// apart from the kernel's supply of pages; page faults are counted, and where there are many the cost of a copy is not
// known. Stacks of this library grow into fresh pages.

import Experiments
import Faultline
import Measurement
import Report

extension Metric {
    static let timePerKiB = Metric("time-per-KiB", .nanoseconds)
    static let timePerPointer = Metric("time-per-pointer", .nanoseconds)
    /// By how much the live part of a stack grows from one growth to the next.
    static let growthFactor = Metric("growth-factor", .count)
}

extension ParameterName {
    static let size = ParameterName("size")
    static let pointers = ParameterName("pointers")
    static let filling = ParameterName("filling")
}

extension Figure {
    static let growthOfGoroutinesStack = Figure("growth of a goroutine's stack", .count)
    static let timeOfCopyPerKiB = Figure("time of a copy per KiB", .nanoseconds)
    static let timeOfCopyPerPointer = Figure("time of a copy per pointer", .nanoseconds)
    static let largeAgainstSmallCopy = Figure("growth of a goroutine's stack of 4 MiB against one of 4 KiB", .ratio)
    static let pointersAgainstNumbers = Figure("growth of a stack of 4 MiB full of pointers against numbers", .ratio)
    static let pointersAgain = Figure("growth of a stack of 4 MiB full of pointers again", .ratio)
}

public struct MoveCost: Claim {
    /// What is said.
    public enum Part: CaseIterable, Sendable {
        case doubles
        case correctsPointers
        case isExpensive
    }

    public let part: Part

    /// The claim about a part.
    public init(_ part: Part) { self.part = part }

    public var identifier: String {
        switch part {
        case .doubles: "move-doubles"
        case .correctsPointers: "move-pointers"
        case .isExpensive: "move-cost"
        }
    }
    public let saidBy = "CloudFlare, How stacks are handled in Go, 2014; an article on runtime.stackalloc"
    public var statement: String {
        switch part {
        case .doubles: "A stack that is copied becomes twice as large."
        case .correctsPointers: "Copying a stack corrects every pointer to it, which takes time."
        case .isExpensive: "Large stacks are expensive to copy."
        }
    }
    public var claimed: [ClaimedFigure] {
        switch part {
        case .doubles:
            // The live bytes of a goroutine's stack when it grows are not quite all of it.
            [ClaimedFigure(.growthOfGoroutinesStack, 2, tolerance: 0.1)]
        case .correctsPointers: [ClaimedFigure(.pointersAgainstNumbers, low: 1, high: nil, isOurReading: true)]
        case .isExpensive:
            // In proportion to the size, which is 1,024 times as large, give or take a factor of two.
            [ClaimedFigure(.largeAgainstSmallCopy, low: 512, high: nil, isOurReading: true)]
        }
    }
    public var experiments: [String] {
        [
            "one growth of a goroutine's stack of 4 KiB to 4 MiB, frames of numbers or of pointers, by each version "
                + "of Go, in memory that it has had before, with its page faults counted; the newest "
                + "decides; a process "
                + "is a sample",
            "one move of as much live stack of this library, few words or all of them pointers: copy, UFFDIO_MOVE, "
                + "mremap",
        ]
    }

    public var plotted: PlottedNames {
        part == .doubles
            ? PlottedNames([.growthFactor], [.peer])
            : PlottedNames(
                [.time], [.mover, .peer, .filling, .size], values: MoveSampler.Filling.allCases.map(\.rawValue))
    }

    public var samplers: [any Sampler] { part == .isExpensive ? [MoveSampler()] : [] }

    /// The case of the ratio of slopes.
    private static func slope(_ name: String) -> String { "\(name) per KiB" }

    private typealias Filling = MoveSampler.Filling
    private static let (smallest, largest) = (MoveSampler.sizes[0], MoveSampler.sizes[MoveSampler.sizes.count - 1])
    /// A mover of pages whose cost per byte is below this share of a copy's makes large stacks cheap to move.
    static let cheapShare = 0.5
    /// Where pages were supplied for more than this share of the bytes, a copy is not apart from that.
    private static let suppliedShare = 0.1

    /// The moves of one mover or one version of Go.
    private struct Subject {
        let name: String
        let parameters: [ParameterName: ParameterValue]
        let isGo: Bool

        func caseName(_ size: Int, _ filling: Filling) -> String { MoveSampler.caseName(name, size, filling) }

        /// Live bytes and pointers of a case.
        func extent(
            _ size: Int, _ filling: Filling, _ samples: ProcessSamples
        ) throws -> (bytes: Int, pointers: Int) {
            guard isGo else { return (size, size / 8 / filling.interval) }
            func fact(_ count: MoveSampler.Count) throws -> Int {
                Int(try samples.fact(count.of(caseName(size, filling)))?.median ?? 0)
            }
            return (try fact(.used), filling == .many ? try fact(.frames) * GoGrowth.Extent.pointersPerFrame : 0)
        }
    }

    // MARK: measuring

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        let measured = try laboratory.remembering("moves of stacks") {
            try laboratory.samples(of: MoveSampler(), seconds: 300)
        }
        guard let samples = measured else { return [] }
        let movers = PageMover.allCases.map(\.rawValue).filter {
            samples.names.contains(MoveSampler.caseName($0, Self.smallest, .few))
        }
        let versions = (samples.texts[MoveSampler.versions] ?? "").split(separator: " ").map(String.init)
        let subjects =
            movers.map {
                Subject(
                    name: $0, parameters: [.mover: .string($0), .copying: .bool($0 == PageMover.copy.rawValue)],
                    isGo: false)
            }
            + versions.map { Subject(name: $0, parameters: [.peer: .string($0), .copying: true], isGo: true) }
        return switch part {
        case .doubles: try growthFactors(samples, subjects)
        case .correctsPointers:
            try times(samples, subjects, Filling.allCases)
                + subjects.flatMap { try perPointer(samples, $0) } + pageFaults(samples, subjects)
        case .isExpensive:
            try times(samples, subjects, [.few]) + subjects.flatMap { try perKiB(samples, $0) }
                + relative(samples, subjects) + pageFaults(samples, subjects)
        }
    }

    private func times(_ samples: ProcessSamples, _ subjects: [Subject], _ fillings: [Filling]) throws -> [Record] {
        var own: [String: [ParameterName: ParameterValue]] = [:]
        for subject in subjects {
            for (size, filling) in MoveSampler.grid where fillings.contains(filling) {
                let extent = try subject.extent(size, filling, samples)
                own[subject.caseName(size, filling)] = subject.parameters.merging([
                    .size: .int(size), .liveBytes: .int(extent.bytes), .pointers: .int(extent.pointers),
                    .filling: .string(filling.rawValue),
                    .clock: subject.isGo ? .clock(.monotonic) : .timeStampCounter,
                ]) { first, _ in first }
            }
        }
        return try Record.records(of: samples, suite: identifier).compactMap { record in
            let isNull = record.parameters[.nullControl] == true
            guard isNull ? fillings.contains(.many) : own[record.name] != nil else { return nil }
            var record = record
            record.parameters.merge(own[record.name] ?? [:]) { _, new in new }
            return record
        }
    }

    /// Nanoseconds for each further KiB with few pointers, and how the largest growth is to the smallest.
    private func perKiB(_ samples: ProcessSamples, _ subject: Subject) throws -> [Record] {
        let (small, large) = (subject.caseName(Self.smallest, .few), subject.caseName(Self.largest, .few))
        let slope = try slope(samples, subject)
        let perKiB = record(subject.name, .timePerKiB, try .median(of: slope), subject.parameters)
        guard subject.isGo else { return [perKiB] }
        return [perKiB, ratio(large, to: small, try samples.ratio(of: large, to: small), subject.parameters)]
    }

    private func slope(_ samples: ProcessSamples, _ subject: Subject) throws -> [Double] {
        let further =
            try subject.extent(Self.largest, .few, samples).bytes
            - subject.extent(Self.smallest, .few, samples).bytes
        guard further > 0 else { throw MeasurementFailure("\(subject.name): a large stack is no larger than a small") }
        let low = try samples.times(of: subject.caseName(Self.smallest, .few))
        let high = try samples.times(of: subject.caseName(Self.largest, .few))
        return zip(low, high).map { ($1 - $0) / Double(further) * 1024 }
    }

    /// Nanoseconds for each further pointer on the largest stack, and how many pointers are to few.
    private func perPointer(_ samples: ProcessSamples, _ subject: Subject) throws -> [Record] {
        let (few, many) = (subject.caseName(Self.largest, .few), subject.caseName(Self.largest, .many))
        let further =
            try subject.extent(Self.largest, .many, samples).pointers
            - subject.extent(Self.largest, .few, samples).pointers
        guard further > 0 else { throw MeasurementFailure("\(subject.name): a stack full of pointers has none") }
        let slope = zip(try samples.times(of: few), try samples.times(of: many)).map { ($1 - $0) / Double(further) }
        return [
            record(subject.name, .timePerPointer, try .median(of: slope), subject.parameters),
            ratio(many, to: few, try samples.ratio(of: many, to: few), subject.parameters),
        ]
    }

    /// By how much the live part of a goroutine's stack grows from one growth to the next: counted, not timed.
    private func growthFactors(_ samples: ProcessSamples, _ subjects: [Subject]) throws -> [Record] {
        try subjects.filter(\.isGo).compactMap { subject in
            let before = MoveSampler.sizes[MoveSampler.sizes.count - 2]
            let growths = (Self.largest / before).trailingZeroBitCount
            let low = try subject.extent(before, .few, samples).bytes
            let high = try subject.extent(Self.largest, .few, samples).bytes
            guard low > 0, growths > 0 else { return nil }
            // Two growths lie between 1 MiB and 4 MiB.
            var factor = Double(high) / Double(low)
            for _ in 1..<growths { factor = factor.squareRoot() }
            return record(subject.name, .growthFactor, exactly: factor, subject.parameters)
        }
    }

    /// Of the growth of the largest goroutine's stack.
    private func pageFaults(_ samples: ProcessSamples, _ subjects: [Subject]) throws -> [Record] {
        try subjects.filter(\.isGo).flatMap { subject in
            try Filling.allCases.compactMap { filling in
                let name = subject.caseName(Self.largest, filling)
                guard let faults = try samples.fact(MoveSampler.Count.faults.of(name)) else { return nil }
                return record(
                    subject.name, .pageFaults, faults,
                    subject.parameters.merging([
                        .size: .int(Self.largest),
                        .liveBytes: .int(try subject.extent(Self.largest, filling, samples).bytes),
                        .filling: .string(filling.rawValue),
                    ]) { $1 })
            }
        }
    }

    /// The slope of each mover against that of a copy, and the largest move against a copy of as many bytes.
    private func relative(_ samples: ProcessSamples, _ subjects: [Subject]) throws -> [Record] {
        guard let copy = subjects.first(where: { $0.name == PageMover.copy.rawValue }) else { return [] }
        let base = try slope(samples, copy)
        return try subjects.filter { $0.parameters[.copying] == false }.flatMap { subject -> [Record] in
            let (moved, copied) = (subject.caseName(Self.largest, .few), copy.caseName(Self.largest, .few))
            let slopes = zip(try slope(samples, subject), base).map { $0 / $1 }
            return [
                ratio(
                    Self.slope(subject.name), to: Self.slope(copy.name), try .median(of: slopes), subject.parameters),
                ratio(moved, to: copied, try samples.ratio(of: moved, to: copied), subject.parameters),
            ]
        }
    }

    // MARK: judging

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        switch part {
        case .doubles: try judgeDoubling(evidence)
        case .correctsPointers: try judgePointers(evidence)
        case .isExpensive: try judgeCost(evidence)
        }
    }

    private func judgeDoubling(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        guard let factor = evidence.all(metric: .growthFactor).ofNewestGo.last else {
            throw MissingEvidence("no growth of a goroutine's stack was measured")
        }
        return Judgement(
            factor.estimate.relation(to: claimed(.growthOfGoroutinesStack)) == .within ? .confirmed : .refuted,
            measured: [MeasuredFigure(.growthOfGoroutinesStack, factor.estimate)],
            reason: "\(factor.name): a stack becomes \(factor.median.text()) times as large")
    }

    private func judgePointers(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let ratios = evidence.all(metric: .ratio)
        // What is said is said of Go: its newest version decides, with numbers of its own.
        guard let full = ratios.filter({ $0.parameters[.nullControl] == nil }).ofNewestGo.last,
            let pointer = evidence.all(metric: .timePerPointer).ofNewestGo.last
        else { throw MissingEvidence("no copy of a goroutine's stack full of pointers was measured") }
        guard let null = ratios.first(where: { $0.parameters[.nullControl] != nil })?.estimate else {
            throw MissingEvidence("no null control of a growth full of pointers")
        }
        let measured =
            [
                MeasuredFigure(.pointersAgainstNumbers, full.estimate), MeasuredFigure(.pointersAgain, null),
                MeasuredFigure(.timeOfCopyPerPointer, pointer.estimate),
            ]
            + evidence.all(metric: .timePerPointer).filter { $0 != pointer }.map {
                MeasuredFigure(Figure("time per pointer, \($0.name)", .nanoseconds), $0.estimate)
            } + Self.figures(of: try Self.pageFaults(evidence))
        let isSupplied = Self.isSupplied(try Self.pageFaults(evidence))
        let verdict =
            isSupplied ? .notMeasurable : full.estimate.verdict(on: claimed(.pointersAgainstNumbers), null: null)
        return Judgement(
            verdict, measured: measured,
            reason: "\(pointer.name): 4 MiB full of pointers take \(full.estimate.text()) times as long as full of "
                + "numbers (again \(null.text())), \(pointer.estimate.text()) ns per pointer"
                + (isSupplied ? Self.supplied : ""))
    }

    private func judgeCost(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let copies = evidence.all(metric: .timePerKiB, where: [.copying: true])
        guard let own = copies.ofNewestGo.last else {
            throw MissingEvidence("no copy of a goroutine's stack was measured")
        }
        guard let ratio = evidence.all(metric: .ratio).ofNewestGo.last else {
            throw MissingEvidence("no growth of a large goroutine's stack was compared with that of a small one")
        }
        let movers = evidence.all(metric: .ratio, where: [.baseline: .string(Self.slope(PageMover.copy.rawValue))])
        let measured =
            [
                MeasuredFigure(.largeAgainstSmallCopy, ratio.estimate), MeasuredFigure(.timeOfCopyPerKiB, own.estimate),
            ]
            + copies.filter { $0 != own }.map {
                MeasuredFigure(Figure("time per KiB, \($0.name)", .nanoseconds), $0.estimate)
            }
            + movers.map { MeasuredFigure(Figure("\($0.name) against a copy", .ratio), $0.estimate) }
            + Self.figures(of: try Self.pageFaults(evidence))
        let isSupplied = Self.isSupplied(try Self.pageFaults(evidence))
        let cheap = movers.filter { $0.high < Self.cheapShare }.map { $0.parameters[.mover]?.description ?? $0.name }
        let verdict = isSupplied ? .notMeasurable : ratio.estimate.verdict(on: claimed(.largeAgainstSmallCopy))
        return Judgement(
            verdict, measured: measured,
            reason: "\(own.name): 4 MiB take \(ratio.estimate.text(decimals: 0)) times as long as 4 KiB, "
                + "\(own.estimate.text()) ns per KiB" + (isSupplied ? Self.supplied : "")
                + (cheap.isEmpty ? "" : ". Pages that are moved instead (\(cheap.joined(separator: ", "))) are cheap"))
    }

    private static let supplied = ", with pages that the kernel supplied"

    private static func pageFaults(_ evidence: Evidence) throws(MissingEvidence) -> [Record] {
        let faults = evidence.all(metric: .pageFaults).ofNewestGo
        guard !faults.isEmpty else { throw MissingEvidence("the page faults of growths were not counted") }
        return faults
    }

    private static func figures(of faults: [Record]) -> [MeasuredFigure] {
        faults.map {
            MeasuredFigure(
                Figure("page faults of a growth, \($0.parameters[.filling]?.description ?? "?") pointers", .count),
                $0.estimate)
        }
    }

    /// Whether the cost of a copy is not known, because the kernel supplied the pages.
    private static func isSupplied(_ faults: [Record]) -> Bool {
        faults.contains { $0.median * 4096 > suppliedShare * Double($0.parameters[.liveBytes]?.whole ?? 0) }
    }
}
