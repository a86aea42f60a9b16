// "Scanning its stack blocks a goroutine for 10 to 100 µs."
//
// A goroutine reads the clock without end, by depth of its stack, beside collections: the longest time between two
// readings during one. It holds what else a collection stops a goroutine for, so that what the same goroutine shows
// near the top of its stack is taken off; the same without collections is what the machine does.

import Experiments
import Measurement
import Peers
import Report

extension Metric {
    /// The longest time for which a goroutine stood still, during a collection.
    static let standstill = Metric("standstill", .nanoseconds)
    /// The same for as long without one.
    static let calmStandstill = Metric("standstill-without", .nanoseconds)
    /// That of a deep stack beyond that of a flat one.
    static let scan = Metric("scan", .nanoseconds)
    /// Processor time that goroutines helped each collection along.
    static let assist = Metric("assist", .nanoseconds)
}

extension ParameterName {
    /// Goroutines that wait meanwhile.
    static let others = ParameterName("others")
    /// Whether the goroutine allocates, so that it has to help a collection.
    static let allocates = ParameterName("allocates")
}

extension Figure {
    static func standstill(beside others: Int) -> Figure {
        let count = QuantityFormatter.grouped(Double(others), decimals: 0)
        return Figure("standstill of a flat goroutine beside \(count) that wait", .nanoseconds)
    }
    static func assist(beside others: Int) -> Figure {
        let count = QuantityFormatter.grouped(Double(others), decimals: 0)
        return Figure("help for each collection beside \(count) that wait", .nanoseconds)
    }
    static func scan(_ frames: Int) -> Figure { Figure("scan of \(frames) frames", .nanoseconds) }
}

public struct GCStackScan: Claim {
    public init() {}

    public let identifier = "gc-stack-scan"
    public let saidBy = "an article on start-up and the loading of stacks"
    public let statement = "Scanning its stack blocks a goroutine for 10 to 100 µs."
    public let claimed: [ClaimedFigure] = Self.depths.dropFirst().map { Self.claimed(at: $0) }
    public let experiments = [
        "a goroutine with 10 to 10,000 frames reads the clock beside collections of the newest Go, on two "
            + "processors, in a "
            + "process for each round: the longest time between two readings",
        "the same of a flat one beside 0 to 100,000 goroutines that wait 10 frames deep, which allocates and so has to "
            + "help the collection: the longest time, the pauses, and what it helped",
    ]

    public let plotted = PlottedNames(
        [.standstill, .calmStandstill, .scan], [.depth, .peer], cases: [Self.name],
        figures: Self.depths.dropFirst().map(Figure.scan))

    /// Frames of some 200 bytes.
    static let depths = [1, 10, 100, 1_000, 10_000]
    private static func claimed(at depth: Int) -> ClaimedFigure {
        ClaimedFigure(.scan(depth), low: 10_000, high: 100_000)
    }
    static let name = "standstill"
    /// Goroutines that wait beside one that allocates: the case of its records.
    static let beside = "beside others"
    static let counts = [0, 1_000, 100_000]
    /// What one of them takes at most, in bytes.
    private static let bytesOfOne = 8_192

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        guard let toolchain = laboratory.go.last, let program = try laboratory.program(.articles, toolchain) else {
            return []
        }
        let collections = laboratory.isQuick ? 9 : 31
        let subjects = Self.depths.map {
            ProcessSubject(Self.name, program, "scan \(collections) \($0)", numbers: 3, [.depth: .int($0)])
        }
        let counts = Self.counts.prefix(laboratory.isQuick ? 2 : Self.counts.count).filter {
            $0 == 0 || laboratory.hasRoom(for: $0, "goroutine that waits", ofBytes: Self.bytesOfOne)
        }
        let crowds = counts.map {
            ProcessSubject(
                Self.beside, program, "scan \(collections) 1 \($0) 1", numbers: 5,
                [.others: .int($0), .allocates: true])
        }
        let rounds = try ProcessRounds(subjects, rounds: laboratory.processes, claim: identifier, laboratory)
        let crowded = try ProcessRounds(
            crowds, rounds: laboratory.processes, claim: identifier, seconds: 120, laboratory)
        let flat = rounds.samples(0) { $0[1] }
        var scans: [Record] = []
        for index in subjects.indices.dropFirst() {
            let own = rounds.samples(index) { $0[1] }
            guard !own.isEmpty, own.count == flat.count else { continue }
            scans.append(
                record(
                    Self.name, .scan, try Estimate.median(of: zip(own, flat).map { $0 - $1 }),
                    subjects[index].parameters))
        }
        return try rounds.records(suite: identifier, .standstill) { $0[1] }
            + rounds.records(suite: identifier, .calmStandstill) { $0[2] } + scans
            + crowded.records(suite: identifier, .standstill) { $0[1] }
            + crowded.records(suite: identifier, .pause) { $0[3] }
            + crowded.records(suite: identifier, .assist) { $0[4] }
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let scans = evidence.all(Self.name, metric: .scan).ofNewestGo
        guard !scans.isEmpty, let version = scans[0].goVersion else { throw MissingEvidence("no scan of a stack") }
        let depths = scans.map { $0.parameters[.depth]?.whole ?? 0 }
        // The statement is of the scan of one stack; what many do beside it is shown.
        func crowded(_ metric: Metric) -> [(others: Int, estimate: Estimate)] {
            evidence.all(Self.beside, metric: metric).ofNewestGo.compactMap { record in
                (record.parameters[.others]?.whole).map { ($0, record.estimate) }
            }
        }
        let standstills = crowded(.standstill)
        let measured =
            zip(depths, scans).map { MeasuredFigure(.scan($0), $1.estimate) }
            + standstills.map { MeasuredFigure(.standstill(beside: $0.others), $0.estimate) }
            + crowded(.assist).map { MeasuredFigure(.assist(beside: $0.others), $0.estimate) }
        let crowds = standstills.map { others, estimate in
            "\(QuantityFormatter.string(estimate.median, .nanoseconds)) beside "
                + QuantityFormatter.grouped(Double(others), decimals: 0)
        }
        let reason =
            "\(version): beyond a flat stack "
            + zip(depths, scans).map { "\($0) frames take \(Self.text($1.estimate))" }.joined(separator: ", ")
            + (crowds.isEmpty
                ? ""
                : "; one that allocates stands still for \(crowds.joined(separator: ", ")) goroutines that wait")
        let relations = zip(depths, scans).map { $1.estimate.relation(to: Self.claimed(at: $0)) }
        func sizes(_ relation: Relation) -> [Int] { zip(depths, relations).filter { $0.1 == relation }.map(\.0) }
        let (below, within, above, open) = (sizes(.below), sizes(.within), sizes(.above), sizes(.undecided))
        if within.count == scans.count { return Judgement(.confirmed, measured: measured, reason: reason) }
        // Less at some depths and more at others is nowhere what is claimed.
        if within.isEmpty, open.isEmpty {
            return Judgement(
                .refuted, measured: measured, reason: "it takes 10 to 100 µs at none of these depths; \(reason)")
        }
        // A boundary lies between what is claimed and what is not, and in one direction.
        let decided = below + within + above
        guard !within.isEmpty, within.count < decided.count, decided == decided.sorted() else {
            return Judgement(.notMeasurable, measured: measured, reason: "more rounds are needed: \(reason)")
        }
        let parts = [
            below.last.map { "less up to \($0) frames" },
            within.first.map { "10 to 100 µs with \(Self.range($0, within[within.count - 1])) frames" },
            above.first.map { "more from \($0) on" },
            open.isEmpty ? nil : "undecided with \(open.map(String.init).joined(separator: " and "))",
        ]
        return Judgement(
            .depends, measured: measured,
            reason: "it takes \(parts.compactMap(\.self).joined(separator: ", ")); \(reason)")
    }

    private static func range(_ first: Int, _ last: Int) -> String {
        first == last ? "\(first)" : "\(first) to \(last)"
    }

    /// A scan is a difference, which noise can make less than nothing.
    private static func text(_ scan: Estimate) -> String {
        if scan.low > 0 { return QuantityFormatter.string(scan, .nanoseconds) }
        let most = scan.high > 0 ? ", at most \(QuantityFormatter.string(scan.high, .nanoseconds))" : ""
        return "a time not told from zero\(most)"
    }
}
