// "Copying doubles the stack and corrects every pointer; large stacks are expensive to copy."
//
// One move of a stack of a given size, few of its words pointers or all of them, by each mover, and the same growth of
// a goroutine. A slope is the difference between the largest and the smallest stack, or between many pointers and few,
// over the difference in bytes or pointers, round by round. Goroutines grow into memory that the process has had
// before, so that a copy is apart from the kernel's supply of pages; page faults are counted, and where there are many
// the cost of a copy is not known. Stacks of this library grow into fresh pages.

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
}

public struct MoveCost: Claim {
    public init() {}

    public let identifier = "move-cost"
    public let saidBy = "CloudFlare, How stacks are handled in Go, 2014; an article on runtime.stackalloc"
    public let statement =
        "Copying doubles the stack and corrects every pointer; large stacks are expensive to copy."
    public let claimed = [
        // The live bytes of a goroutine's stack when it grows are not quite all of it.
        ClaimedFigure(.growthOfGoroutinesStack, 2, tolerance: 0.1),
        // Without numbers: that a cost is there is what they say.
        ClaimedFigure(.timeOfCopyPerKiB, low: 0, high: nil, isOurReading: true),
        ClaimedFigure(.timeOfCopyPerPointer, low: 0, high: nil, isOurReading: true),
        // Expensive: at least a tenth of what the size, which is 1,024 times as large, would make it.
        ClaimedFigure(.largeAgainstSmallCopy, low: 100, high: nil, isOurReading: true),
    ]
    public let experiments = [
        "one move of 4 KiB to 4 MiB of live stack, few words or all of them pointers: copy, UFFDIO_MOVE, mremap",
        "one growth of a goroutine's stack of the same sizes, frames of numbers or of pointers, by each version "
            + "of Go, in memory that it has had before, with its page faults counted; the newest decides",
    ]

    public let plotted = PlottedNames(
        [.time], [.mover, .peer, .filling, .size], values: Filling.allCases.map(\.rawValue))

    /// The case of the ratio of slopes.
    private static func slope(_ name: String) -> String { "\(name) per KiB" }

    static let sizes = [4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20]
    /// A mover of pages whose cost per byte is below this share of a copy's makes large stacks cheap to move.
    static let cheapShare = 0.5
    /// Where pages were supplied for more than this share of the bytes, a copy is not apart from that.
    private static let suppliedShare = 0.1

    /// How full of pointers a stack is.
    private enum Filling: String, CaseIterable {
        case few
        case many

        /// Words for each pointer, on this library's stacks.
        var interval: Int { self == .few ? 512 : 1 }
    }

    /// The moves of one mover or one version of Go.
    private struct Subject {
        var name: String
        var parameters: [ParameterName: ParameterValue]
        /// Live bytes and pointers of a case.
        var extent: (_ size: Int, _ filling: Filling) -> (bytes: Int, pointers: Int)

        func caseName(_ size: Int, _ filling: Filling) -> String {
            "\(name) \(ByteSize(bytes: size)) \(filling.rawValue)"
        }
    }

    // MARK: measuring

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        var cases: [MeasurementCase] = []
        var subjects: [Subject] = []
        for mover in PageMover.allCases {
            guard try StackMove.works(mover) else {
                laboratory.note("\(identifier) / \(mover.rawValue) is left out: this kernel does not offer it")
                continue
            }
            let subject = Subject(
                name: mover.rawValue, parameters: [.mover: .string(mover.rawValue), .copying: .bool(mover == .copy)],
                extent: { size, filling in (size, size / 8 / filling.interval) })
            subjects.append(subject)
            for (size, filling) in Self.grid {
                cases.append(Self.move(subject.caseName(size, filling), size, mover, filling))
            }
        }
        var drivers: [GoGrowth] = []
        for toolchain in laboratory.go {
            guard let driver = try GoGrowth.start(toolchain, laboratory) else { continue }
            drivers.append(driver)
            var subject = Subject(
                name: driver.version, parameters: [.peer: .string(driver.version), .copying: true],
                extent: { _, _ in (0, 0) })
            let named = subject
            subject.extent = { size, filling in
                let extent = driver.extents[named.caseName(size, filling)]
                let pointers = filling == .many ? GoGrowth.Extent.pointersPerFrame : 0
                return (extent?.used ?? 0, (extent?.frames ?? 0) * pointers)
            }
            subjects.append(subject)
            for (size, filling) in Self.grid {
                cases.append(
                    driver.growth(subject.caseName(size, filling), from: size, hasPointers: filling == .many))
            }
        }
        if let last = Self.grid.indices.last { cases.append(cases[last].nullControl()) }
        var settings = laboratory.repetitions(1, rounds: 61)
        if laboratory.isQuick { settings.rounds = 31 }
        let result = try laboratory.measure(identifier, cases, settings)
        return try times(result, subjects) + subjects.flatMap { try slopes(result, $0, settings) }
            + growthFactors(subjects) + relative(result, subjects, settings)
            + drivers.flatMap { try largeAgainstSmall(result, $0, subjects) }
    }

    private static var grid: [(Int, Filling)] { sizes.flatMap { size in Filling.allCases.map { (size, $0) } } }

    private static func move(_ name: String, _ size: Int, _ mover: PageMover, _ filling: Filling) -> MeasurementCase {
        MeasurementCase(selfTimed: name) { count in
            // A small one alone would find every cache full of the large ones before it, which goroutines, moved so
            // often at once, do not.
            let atOnce = size > GoGrowth.largestAtOnce ? 1 : UInt64(GoGrowth.atOnce)
            var took: UInt64 = 0
            for _ in 0..<count * Int(atOnce) {
                let (time, statistics) = try StackMove.make(size, by: mover, interval: filling.interval)
                guard statistics.growths == 1, statistics.moves[mover] == 1,
                    statistics.wordsRelocated >= size / 8 / filling.interval
                else {
                    throw MeasurementFailure(
                        "\(name): \(statistics.growths) growths, \(statistics.moves[mover] ?? 0) moves by "
                            + "'\(mover.rawValue)', \(statistics.wordsRelocated) words relocated")
                }
                took += time
            }
            return took / atOnce
        }
    }

    private func times(_ result: MeasurementResult, _ subjects: [Subject]) throws -> [Record] {
        var own: [String: [ParameterName: ParameterValue]] = [:]
        for subject in subjects {
            for (size, filling) in Self.grid {
                let extent = subject.extent(size, filling)
                own[subject.caseName(size, filling)] = subject.parameters.merging([
                    .size: .int(size), .liveBytes: .int(extent.bytes), .pointers: .int(extent.pointers),
                    .filling: .string(filling.rawValue),
                    .clock: subject.parameters[.mover] == nil ? .clock(.monotonic) : .timeStampCounter,
                ]) { first, _ in first }
            }
        }
        return try Record.records(of: result, suite: identifier).map { record in
            var record = record
            record.parameters.merge(own[record.name] ?? [:]) { _, new in new }
            return record
        }
    }

    /// Nanoseconds for each further KiB, with few pointers, and for each further pointer, on the largest stack.
    private func slopes(
        _ result: MeasurementResult, _ subject: Subject, _ settings: InterleavedMeasurement.Settings
    ) throws -> [Record] {
        let (smallest, largest) = (Self.sizes[0], Self.sizes[Self.sizes.count - 1])
        let perByte = try slope(result, subject, from: (smallest, .few), to: (largest, .few)) { $0.bytes }
        let perPointer = try slope(result, subject, from: (largest, .few), to: (largest, .many)) { $0.pointers }
        return [
            record(
                subject.name, .timePerKiB, try Estimate.median(of: perByte.map { $0 * 1024 }), subject.parameters),
            record(subject.name, .timePerPointer, try Estimate.median(of: perPointer), subject.parameters),
        ]
    }

    private func slope(
        _ result: MeasurementResult, _ subject: Subject, from first: (Int, Filling), to second: (Int, Filling),
        over quantity: ((bytes: Int, pointers: Int)) -> Int
    ) throws -> [Double] {
        let low = try result.samples(of: subject.caseName(first.0, first.1)).nanosecondsPerOperation
        let high = try result.samples(of: subject.caseName(second.0, second.1)).nanosecondsPerOperation
        let difference = quantity(subject.extent(second.0, second.1)) - quantity(subject.extent(first.0, first.1))
        guard difference > 0 else {
            throw MeasurementFailure("\(subject.name): \(second.0) bytes are no more than \(first.0)")
        }
        return zip(low, high).map { ($1 - $0) / Double(difference) }
    }

    /// By how much the live part of a goroutine's stack grows from one growth to the next: counted, not timed.
    private func growthFactors(_ subjects: [Subject]) -> [Record] {
        subjects.filter { $0.parameters[.peer] != nil }.compactMap { subject in
            let (last, before) = (Self.sizes[Self.sizes.count - 1], Self.sizes[Self.sizes.count - 2])
            let growths = (last / before).trailingZeroBitCount
            let (low, high) = (subject.extent(before, .few).bytes, subject.extent(last, .few).bytes)
            guard low > 0, growths > 0 else { return nil }
            // Two growths lie between 1 MiB and 4 MiB.
            var factor = Double(high) / Double(low)
            for _ in 1..<growths { factor = factor.squareRoot() }
            return record(subject.name, .growthFactor, exactly: factor, subject.parameters)
        }
    }

    /// The growth of the largest goroutine's stack against that of the smallest, and the page faults of the largest.
    private func largeAgainstSmall(
        _ result: MeasurementResult, _ driver: GoGrowth, _ subjects: [Subject]
    ) throws -> [Record] {
        guard let subject = subjects.first(where: { $0.name == driver.version }) else { return [] }
        let (small, large) = (Self.sizes[0], Self.sizes[Self.sizes.count - 1])
        let (name, baseline) = (subject.caseName(large, .few), subject.caseName(small, .few))
        return try [ratio(name, to: baseline, try result.ratio(of: name, to: baseline), subject.parameters)]
            + Filling.allCases.compactMap { filling in
                guard let faults = driver.pageFaults[subject.caseName(large, filling)] else { return nil }
                return record(
                    subject.name, .pageFaults, try Estimate.median(of: faults),
                    subject.parameters.merging([
                        .size: .int(large), .liveBytes: .int(subject.extent(large, filling).bytes),
                        .filling: .string(filling.rawValue),
                    ]) { $1 })
            }
    }

    /// The slope of each mover against that of a copy, and the largest move against a copy of as many bytes.
    private func relative(
        _ result: MeasurementResult, _ subjects: [Subject], _ settings: InterleavedMeasurement.Settings
    ) throws -> [Record] {
        guard let copy = subjects.first(where: { $0.name == PageMover.copy.rawValue }) else { return [] }
        let (smallest, largest) = (Self.sizes[0], Self.sizes[Self.sizes.count - 1])
        let base = try slope(result, copy, from: (smallest, .few), to: (largest, .few)) { $0.bytes }
        return try subjects.filter { $0.parameters[.copying] == false }.flatMap { subject -> [Record] in
            let own = try slope(result, subject, from: (smallest, .few), to: (largest, .few)) { $0.bytes }
            let (moved, copied) = (subject.caseName(largest, .few), copy.caseName(largest, .few))
            return [
                ratio(
                    Self.slope(subject.name), to: Self.slope(copy.name), try Estimate.ratio(of: own, to: base),
                    subject.parameters),
                ratio(moved, to: copied, try result.ratio(of: moved, to: copied), subject.parameters),
            ]
        }
    }

    // MARK: judging

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let copies = evidence.all(metric: .timePerKiB, where: [.copying: true])
        // What is said is said of Go: its newest version decides, with numbers of its own.
        guard let own = copies.ofNewestGo.last else {
            throw MissingEvidence("no copy of a goroutine's stack was measured")
        }
        let pointers = evidence.all(metric: .timePerPointer, where: [.copying: true])
        guard let pointer = pointers.ofNewestGo.last else {
            throw MissingEvidence("no copy of a goroutine's stack full of pointers was measured")
        }
        guard let factor = evidence.all(metric: .growthFactor).ofNewestGo.last else {
            throw MissingEvidence("no growth of a goroutine's stack was measured")
        }
        guard let ratio = evidence.all(metric: .ratio).ofNewestGo.last else {
            throw MissingEvidence("no growth of a large goroutine's stack was compared with that of a small one")
        }
        let movers = evidence.all(metric: .ratio, where: [.baseline: .string(Self.slope(PageMover.copy.rawValue))])
        var measured = [
            MeasuredFigure(.growthOfGoroutinesStack, factor.estimate),
            MeasuredFigure(.timeOfCopyPerKiB, own.estimate), MeasuredFigure(.timeOfCopyPerPointer, pointer.estimate),
            MeasuredFigure(.largeAgainstSmallCopy, ratio.estimate),
        ]
        measured += copies.filter { $0 != own }.map {
            MeasuredFigure(Figure("time per KiB, \($0.name)", .nanoseconds), $0.estimate)
        }
        measured += pointers.filter { $0 != pointer }.map {
            MeasuredFigure(Figure("time per pointer, \($0.name)", .nanoseconds), $0.estimate)
        }
        measured += movers.map { MeasuredFigure(Figure("\($0.name) against a copy", .ratio), $0.estimate) }
        let faults = evidence.all(metric: .pageFaults).ofNewestGo
        measured += faults.map {
            MeasuredFigure(
                Figure("page faults of a growth, \($0.parameters[.filling]?.description ?? "?") pointers", .count),
                $0.estimate)
        }
        guard !faults.isEmpty else { throw MissingEvidence("the page faults of growths were not counted") }
        let isSupplied = faults.contains {
            $0.median * 4096 > Self.suppliedShare * Double($0.parameters[.liveBytes]?.whole ?? 0)
        }
        /// Unknown where the kernel supplied the pages.
        func cost(_ text: String, _ estimate: Estimate, _ figure: Figure) -> Statement {
            let relation = estimate.relation(to: claimed(figure))
            return Statement(
                isSupplied ? "\(text), with pages that the kernel supplied" : text,
                holds: isSupplied || relation == .undecided ? nil : relation == .within)
        }
        let cheap = movers.filter { $0.high < Self.cheapShare }.map { $0.parameters[.mover]?.description ?? $0.name }
        let statements = [
            Statement(
                "a stack becomes \(factor.median.text()) times as large", factor.estimate,
                is: claimed(.growthOfGoroutinesStack)),
            cost("every byte is copied, \(Self.described(own, "KiB"))", own.estimate, .timeOfCopyPerKiB),
            cost(
                "every pointer is corrected, \(Self.described(pointer, "pointer"))", pointer.estimate,
                .timeOfCopyPerPointer),
            cost(
                "a large stack is expensive, 4 MiB take \(ratio.estimate.text(decimals: 0)) times as long as 4 KiB",
                ratio.estimate, .largeAgainstSmallCopy),
        ]
        let reason =
            Statement.text(statements)
            + (cheap.isEmpty ? "" : ". Pages that are moved instead (\(cheap.joined(separator: ", "))) are cheap")
        return Judgement(Statement.conjunction(statements), measured: measured, reason: reason)
    }

    private static func described(_ record: Record, _ unit: String) -> String {
        "\(record.name) \(record.estimate.text()) ns per \(unit)"
    }
}
