// "Growing stacks contends as threads are added."
//
// What the article on start-up measured, `runtime.Stack`, is the claim `stack-dump`; this one is about growth itself,
// as those articles know it: that of goroutines. The newest Go decides; other versions, and the ways in which this
// library grows a stack, stand beside it.

import Experiments
import Measurement
import Report

extension Figure {
    static let contendingGrowth = Figure(
        "processor time of a growth of goroutines, on all processors against one", .ratio)
    static let growthOnOneProcessor = Figure("processor time of a growth on one processor", .nanoseconds)
    static let growthOnManyProcessors = Figure("processor time of a growth on all processors", .nanoseconds)
    static func contendingMove(_ way: String) -> Figure {
        Figure("processor time of a \(way), on all processors against one", .ratio)
    }
}

public struct Contention: Claim {
    public init() {}

    public let identifier = "contention"
    public let saidBy = "ours: what several articles take for granted"
    public let statement = "Growing stacks contends as threads are added: each growth then takes more processor time."
    public let claimed = [
        // Less is what other work loses, too.
        ClaimedFigure(.contendingGrowth, low: Self.noise, high: nil, isOurReading: true)
    ]
    public let experiments = [
        "1, 2, 4, 8 and 16 threads of one process grow 64 stacks each at the same moment: by trap with each kind of "
            + "guard, by a move with each mover, by the kernel alone, and goroutines with as many processors",
        "processor time of one growth, by the clock of each thread around its own growths: neither waking threads nor "
            + "waiting for the slower one counts; of goroutines each descent without the same descent again, which "
            + "finds room; a sample is the median of a process; beside it work for which threads share nothing, and "
            + "elapsed time, in which threads wait, too",
    ]

    public let plotted = PlottedNames(
        [.time], [.threads, .processors, .peer],
        cases: [
            Way.guardPages, Way.protNone, Way.copy, Way.uffdioMove, Way.mremap, Way.kernel, Self.control,
            Self.nullControl,
        ], values: [ParameterValue.thisLibrary.description])

    /// The cases of ways to grow.
    enum Way {
        static let protNone = "trap, prot-none"
        static let guardPages = "trap, guard-pages"
        static let copy = "move by copy"
        static let uffdioMove = "move by uffdio-move"
        static let mremap = "move by mremap"
        static let kernel = "kernel's page fault"
        static let moves = [copy, uffdioMove, mremap]
    }

    /// What ends the case of a way that is measured twice.
    private static let nullControl = " null"

    /// Work for which threads share nothing: how much longer it takes on several is what the machine's other load does.
    static let control = "computation alone"

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        let ways: [ContendingGrowth] = [
            .inPlace(Way.protNone, .protNone), .inPlace(Way.guardPages, .guardPages),
            // Identical to the one before: what differs is noise.
            .inPlace(Way.guardPages + Self.nullControl, .guardPages),
            .move(Way.copy, .copy, guard: .protNone), .move(Way.uffdioMove, .uffdioMove, guard: .guardPages),
            .move(Way.mremap, .mremap, guard: .protNone), .kernel(Way.kernel), .computation(Self.control),
        ]
        let goroutines = try laboratory.goStackPrograms().map {
            ContendingGrowth.goroutines(WaitingSubject.goroutine, $0)
        }
        return try ContendingGrowth.measure(
            ways + goroutines, .init(rounds: laboratory.processes, phases: laboratory.isQuick ? 3 : 5), laboratory
        ).records(suite: identifier)
    }

    /// Less than this, in an interval's lower end, is no contention; nor is what the control takes longer.
    static let noise = 1.25
    /// Where the control takes longer than this, nothing is found free of contention.
    static let maximumNoise = 1.5

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let all = evidence.all(metric: .ratio)
        guard let processors = all.first?.parameters[.processors]?.whole, processors > 1 else {
            throw MissingEvidence("growth on two processors or more")
        }
        // More threads than processors wait for each other's turn whatever they do.
        let busy = all.compactMap { $0.parameters[.threads]?.whole }.filter { $0 <= processors }.max()
        guard let busy else { throw MissingEvidence("no record with as many threads as processors") }
        let parallel = all.filter {
            $0.parameters[.threads] == .int(busy) && !$0.name.hasSuffix(Self.nullControl)
        }
        let compared = parallel.filter { $0.name != Self.control }
        guard let subject = compared.filter({ $0.name == WaitingSubject.goroutine }).ofNewestGo.first else {
            throw MissingEvidence("no record of growths of goroutines with \(busy) threads")
        }
        let control = parallel.first { $0.name == Self.control }
        let noise = max(Self.noise, control?.high ?? 0)
        let peer: [ParameterName: ParameterValue] = [.peer: subject.parameters[.peer]!]
        var measured = [MeasuredFigure(.contendingGrowth, subject.estimate)]
        for (figure, threads) in [(Figure.growthOnOneProcessor, 1), (.growthOnManyProcessors, busy)] {
            let which = peer.merging([.threads: .int(threads)]) { first, _ in first }
            let time = try evidence.estimate(subject.name, metric: .time, where: which)
            measured.append(MeasuredFigure(figure, time))
        }
        measured += Way.moves.compactMap { way in
            compared.first { $0.name == way }.map { MeasuredFigure(.contendingMove(way), $0.estimate) }
        }
        measured += parallel.map {
            MeasuredFigure(Figure("\(Self.title($0)), \(busy) threads against 1", .ratio), $0.estimate)
        }
        let others = compared.filter { $0 != subject }.map { "\(Self.title($0)) \($0.estimate.text())" }
        let reason =
            "processor time of a growth of \(Self.title(subject)) with \(busy) threads is "
            + "\(subject.estimate.text()) times that with one; up to \(noise.text()) times is noise or what other work "
            + "loses, too"
            + (others.isEmpty ? "" : "; beside it \(others.joined(separator: ", "))")
        if !subject.estimate.isMeasuredOnce {
            if subject.low > noise { return Judgement(.confirmed, measured: measured, reason: reason) }
            // Where others take the processors, nothing can be called free of contention.
            if subject.high <= noise, noise <= Self.maximumNoise {
                return Judgement(.refuted, measured: measured, reason: reason)
            }
        }
        return Judgement(
            .notMeasurable, measured: measured,
            reason: "an idle machine or more rounds are missing to tell it from noise; \(reason)")
    }

    private static func title(_ record: Record) -> String {
        guard record.name == WaitingSubject.goroutine, let peer = record.parameters[.peer] else { return record.name }
        return "\(peer)"
    }
}
