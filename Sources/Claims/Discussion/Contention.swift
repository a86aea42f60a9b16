// "Growing and loading stacks contends as processors are added: 12 µs become 189 µs."

import Experiments
import Measurement
import Report

public struct Contention: Claim {
    public init() {}

    public let identifier = "contention"
    public let saidBy = "articles on runtime.stackalloc and on start-up and the loading of stacks"
    public let statement = "Growing and loading stacks contends as processors are added: from 12 to 189 µs."
    public let claimed = [
        ClaimedFigure("growth on one processor", 12_000, unit: .nanoseconds),
        ClaimedFigure("growth on many processors", 189_000, unit: .nanoseconds),
    ]
    public let experiments = [
        "1, 2, 4, 8 and 16 threads of one process grow 64 stacks each at the same moment: by trap with each kind of "
            + "guard, by a move with each mover, by the kernel alone, and goroutines with as many processors",
        "processor time of one growth: elapsed time, times the processors in use, by the number of growths; beside it "
            + "work for which threads share nothing",
    ]

    /// Work for which threads share nothing: how much longer it takes on several is what the machine's other load does.
    static let control = "computation alone"

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        let ways: [ContendingGrowth] = [
            .inPlace("trap, prot-none", .protNone), .inPlace("trap, guard-pages", .guardPages),
            // Identical to the one before: what differs is noise.
            .inPlace("trap, guard-pages null", .guardPages),
            .move("move by copy", .copy, guard: .protNone),
            .move("move by uffdio-move", .uffdioMove, guard: .guardPages),
            .move("move by mremap", .mremap, guard: .protNone),
            .kernel("kernel's page fault"), .computation(Self.control),
        ]
        let goroutines = try laboratory.goStackPrograms().map { ContendingGrowth.goroutines("goroutine", $0) }
        return try ContendingGrowth.measure(
            ways + goroutines, .init(rounds: laboratory.isQuick ? 1 : 3, phases: laboratory.isQuick ? 7 : 11),
            laboratory
        ).records(suite: identifier)
    }

    /// Less than this, in an interval's lower end, is no contention; nor is what the control takes longer.
    static let noise = 1.25
    /// Where the control takes longer than this, nothing is found free of contention.
    static let mostNoise = 1.5

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let all = evidence.all(metric: Record.ratioMetric)
        guard case .int(let processors)? = all.first?.parameters["processors"], processors > 1 else {
            throw MissingEvidence("growth on two processors or more")
        }
        // More threads than processors wait for each other's turn whatever they do.
        let most = all.compactMap { record -> Int? in
            guard case .int(let threads)? = record.parameters["threads"] else { return nil }
            return threads <= processors ? threads : nil
        }.max()
        guard let most else { throw MissingEvidence("no record with as many threads as processors") }
        let withMost = all.filter { $0.parameters["threads"] == .int(most) && !$0.name.hasSuffix(" null") }
        let compared = withMost.filter { $0.name != Self.control }
        guard !compared.isEmpty else { throw MissingEvidence("no record of growth with \(most) threads") }
        let control = withMost.first { $0.name == Self.control }
        let noise = max(Self.noise, control?.high ?? 0)
        let subject = compared.last { $0.name == "goroutine" } ?? compared[0]
        let peer: [String: ParameterValue] = ["peer": subject.parameters["peer"]!]
        var measured: [MeasuredFigure] = []
        for (figure, threads) in zip(claimed, [1, most]) {
            let which = peer.merging(["threads": .int(threads)]) { first, _ in first }
            let time = try evidence.estimate(subject.name, metric: "time", where: which)
            measured.append(MeasuredFigure(figure.name, time, unit: .nanoseconds))
        }
        measured += withMost.map {
            MeasuredFigure("\(Self.title($0)), \(most) threads against 1", $0.estimate, unit: .ratio)
        }
        let contending = compared.filter { $0.low > noise }
        // Where others take the processors, not much can be called free of contention.
        let free = noise > Self.mostNoise ? [] : compared.filter { $0.median <= noise }
        func list(_ records: [Record]) -> String {
            records.map { "\(Self.title($0)) \(Self.text($0.median))" }.joined(separator: ", ")
        }
        let reason =
            "processor time of a growth with \(most) threads, in that of one (noise \(Self.text(noise))): "
            + list(compared)
        if contending.count == compared.count { return Judgement(.confirmed, measured: measured, reason: reason) }
        if free.count == compared.count { return Judgement(.refuted, measured: measured, reason: reason) }
        if contending.isEmpty {
            let open = compared.filter { !free.contains($0) }
            return Judgement(
                .notMeasurable, measured: measured,
                reason: "an idle machine or more rounds are missing to tell \(list(open)) from noise; \(reason)")
        }
        return Judgement(.depends, measured: measured, reason: "\(list(contending)) contend; \(reason)")
    }

    private static func text(_ number: Double) -> String { "\((number * 100).rounded() / 100)" }

    private static func title(_ record: Record) -> String {
        guard record.name == "goroutine", let peer = record.parameters["peer"] else { return record.name }
        return "\(peer)"
    }
}
