// "A call in a loop across a segment boundary is slow; copying cures it."
//
// The same function, with a frame of half a KiB, is called in a loop at three depths: where it fits, where it is the
// function that does not fit, and further down. A first call before the loop is not counted: it pays for growing once,
// which is another claim's subject.

import CProbes
import Experiments
import Faultline
import Measurement
import Peers
import Report
import Workloads

extension ParameterName {
    static let position = ParameterName("position")
    static let levels = ParameterName("levels")
    /// Whether it grows by segments.
    static let segmented = ParameterName("segmented")
}

extension Figure {
    static let callWithSegments = Figure("a call at the boundary against one that fits, with segments", .ratio)
    static let callWithCopying = Figure("a call at the boundary against one that fits, with copying", .ratio)
}

public struct HotSplit: Claim {
    public init() {}

    public let identifier = "hot-split"
    public let saidBy =
        "CloudFlare, How stacks are handled in Go, 2014; Dave Cheney, Five things that make Go fast, 2014"
    public let statement = "A call in a loop across a segment boundary is slow; copying stacks cures it."
    public let claimed = [
        // "Slow" has no number; what is not slow any more is cured.
        ClaimedFigure(.callWithSegments, low: ClaimedFigure.slow, high: nil, isOurReading: true),
        ClaimedFigure(.callWithCopying, low: nil, high: ClaimedFigure.slow, isOurReading: true),
    ]
    public let experiments = [
        "a function called in a loop where it fits, at the depth where it does not, and below: every strategy",
        "beside: every version of Go, which has copied since 1.3; code of gcc -fsplit-stack with libgcc's segments",
    ]

    public let plotted = PlottedNames(
        [.time], [.position, .strategy, .peer], values: Position.allCases.map(\.rawValue))

    /// Where the loop is.
    enum Position: String, CaseIterable {
        case above
        case at
        case below

        /// What ends the names of cases.
        var suffix: String { " \(rawValue)" }

        /// Levels or steps further down than the boundary.
        var levels: Int {
            switch self {
            case .above: -16
            case .at: 0
            case .below: 16
            }
        }
    }

    /// The size of the goroutines' stacks at whose end the loop is.
    private static let goStack = 16 << 10

    // MARK: measuring

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        // As it was linked, and in random orders of its functions: each layout says one number.
        let seeds: [UInt32?] = [nil] + (laboratory.isQuick ? [] : laboratory.layouts(6).map { $0 })
        guard let codes = try laboratory.descentCodes(layoutSeeds: seeds) else { return [] }
        var layouts: [[Record]] = []
        for layout in seeds.indices {
            layouts.append(try records(layout, codes.plain[layout], codes.checked[layout], laboratory))
        }
        laboratory.note(
            "\(identifier): Boost's segmented stacks are left out: they are libgcc's, and need a Boost.Context built "
                + "with context-impl=ucontext and segmented-stacks=on, which Debian's is not")
        return layouts.count == 1 ? layouts[0] : try overLayouts(layouts, laboratory)
    }

    /// Of records of one case in several layouts, one: the median over layouts, whose interval is theirs.
    private func overLayouts(_ layouts: [[Record]], _ laboratory: Laboratory) throws -> [Record] {
        return try layouts[0].map { first in
            let same = layouts.compactMap { records in
                records.first {
                    $0.name == first.name && $0.metric == first.metric
                        && $0.parameters[.baseline] == first.parameters[.baseline]
                }
            }
            return record(
                first.name, Metric(first.metric, first.unit), try Estimate.median(of: same.map(\.median)),
                first.parameters.merging([.layouts: .int(same.count)]) { own, _ in own })
        }
    }

    /// Everything in one layout, with new processes of the peers.
    private func records(
        _ layout: Int, _ plain: DescentCode, _ checked: DescentCode, _ laboratory: Laboratory
    ) throws -> [Record] {
        var cases: [MeasurementCase] = []
        var parameters: [String: [ParameterName: ParameterValue]] = [:]
        func add(_ name: String, _ own: [ParameterName: ParameterValue], _ make: (String, Position) -> MeasurementCase)
        {
            for position in Position.allCases {
                let caseName = name + position.suffix
                cases.append(make(caseName, position))
                parameters[caseName] = own.merging([.position: .string(position.rawValue)]) { first, _ in first }
            }
        }
        var common: Int?
        // `fault` first: its boundary is where the loop is on stacks that have none.
        for strategy in [StackStrategy.fault] + StackStrategy.allCases.filter({ $0 != .fault }) {
            let code = strategy.needsChecks ? checked : plain
            let descent = StackDescent(configuration: StackConfiguration(strategy: strategy), code: code)
            try laboratory.step("\(identifier): looking for the boundary of \(strategy.rawValue)")
            let own = try descent.boundary()
            common = common ?? own
            guard let boundary = own ?? common else { throw MeasurementFailure("'fault' never grew") }
            add(
                strategy.rawValue,
                [
                    .strategy: .string(strategy.rawValue), .levels: .int(boundary),
                    .segmented: .bool(strategy == .checkSegment), .copying: .bool(strategy == .checkMove),
                ]
            ) { name, position in
                Self.loop(name, descent, levels: boundary + position.levels)
            }
        }
        for toolchain in laboratory.go {
            guard let driver = try GoGrowth.start(toolchain, laboratory) else { continue }
            add(driver.version, [.peer: .string(driver.version), .segmented: false, .copying: true]) {
                name, position in
                driver.boundary(name, size: Self.goStack, stepsAbove: -position.levels)
            }
        }
        if let peer = try splitStack(laboratory) {
            add(peer.name, [.peer: .string(peer.name), .segmented: true, .copying: false]) { name, position in
                MeasurementCase(selfTimed: name) { try peer.numbers("loop \($0) \(position.levels)")[0] }
            }
        }
        cases.append(cases[0].nullControl())
        var settings = laboratory.batches
        settings.iterations = .fixed(laboratory.isQuick ? 500 : 2000)
        if !laboratory.isQuick { settings.rounds = 11 }
        return try records(of: laboratory.measure(identifier, cases, settings), parameters)
    }

    /// The driver with libgcc's segments; what is missing for it is named.
    private func splitStack(_ laboratory: Laboratory) throws -> Conversation? {
        do {
            return try PeerProgram.splitStack().converse()
        } catch let error as PeerUnavailable {
            laboratory.missing("libgcc's split stacks are not measured: \(error)")
            return nil
        }
    }

    /// Calls in a loop on a new stack; an operation is a call.
    private static func loop(_ name: String, _ descent: StackDescent, levels: Int) -> MeasurementCase {
        MeasurementCase(selfTimed: name) { count in
            let found = try descent.run(levels: levels, .loop(count + 1)).descent
            return UInt64(Double(found.otherCalls) / fl_ticks_per_nanosecond())
        }
    }

    private func records(
        of result: MeasurementResult, _ parameters: [String: [ParameterName: ParameterValue]]
    ) throws -> [Record] {
        let comparisons = parameters.keys.sorted().compactMap { name -> (case: String, baseline: String)? in
            guard let position = Position.allCases.first(where: { name.hasSuffix($0.suffix) }),
                position != .above
            else { return nil }
            return (name, name.dropLast(position.suffix.count) + Position.above.suffix)
        }
        return try Record.records(of: result, suite: identifier, comparisons: comparisons).map { record in
            var record = record
            if let own = parameters[record.name] {
                record.parameters.merge(own) { first, _ in first }
                record.parameters[.clock] = own[.strategy] == nil ? .clock(.monotonic) : .timeStampCounter
            }
            return record
        }
    }

    // MARK: judging

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        func ratios(_ kind: ParameterName) -> [Record] {
            evidence.all(metric: .ratio, where: [kind: true, .position: .string(Position.at.rawValue)])
        }
        let (segmented, copying) = (ratios(.segmented), ratios(.copying))
        guard let mildest = segmented.min(by: { $0.median < $1.median }) else {
            throw MissingEvidence("no stack of segments was measured at its boundary")
        }
        guard let worst = copying.max(by: { $0.median < $1.median }) else {
            throw MissingEvidence("no stack that is copied was measured at its boundary")
        }
        let (slow, cured) = (claimed(.callWithSegments), claimed(.callWithCopying))
        let measured = [
            MeasuredFigure(.callWithSegments, mildest.estimate), MeasuredFigure(.callWithCopying, worst.estimate),
        ]
        let reason = "\(Self.described(segmented)); \(Self.described(copying))"
        let slowness = segmented.map { $0.estimate.relation(to: slow) }
        let cure = copying.map { $0.estimate.relation(to: cured) }
        let verdict: Verdict =
            if cure.contains(.above) || slowness.allSatisfy({ $0 == .below }) {
                .refuted
            } else if slowness.contains(.undecided) || cure.contains(.undecided) {
                .notMeasurable
            } else if slowness.contains(.below) {
                .depends
            } else {
                .confirmed
            }
        let beginning =
            switch verdict {
            case .notMeasurable: "an interval contains \(slow.low ?? 2): "
            case .depends: "it depends on the segments: at least \(slow.low ?? 2) times with some, less with others: "
            default: ""
            }
        return Judgement(verdict, measured: measured, reason: beginning + reason)
    }

    /// "check-segment at: 900.0 [890.0, 910.0] times a call that fits", for each.
    private static func described(_ records: [Record]) -> String {
        records.map { "\($0.name) the boundary \($0.estimate.text())" }.joined(separator: ", ")
            + " times a call that fits"
    }
}
