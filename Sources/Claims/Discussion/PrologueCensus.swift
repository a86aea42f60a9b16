// "Almost every function has a check; about 10 instructions each; instruction cache pressure."
//
// Three statements, judged one by one over real programs. "Almost every" is read as nine in ten. The pressure is looked for
// in a simulated cache of 32 KiB, in several layouts, because the order of functions decides which of them collide; how much
// more code a run touches, which depends on no order, is said beside it.

import Measurement
import Report
import Workloads

public struct PrologueCensusClaim: Claim {
    public init() {}

    public let identifier = "prologue-census"
    public let saidBy = "golang-nuts, November 2025"
    public let statement =
        "Almost every function begins with a stack check of about 10 instructions, which press on the instruction cache."
    public let claimed = [
        // Our reading of "almost every".
        ClaimedFigure("share of functions with a check", low: 0.9, high: 1, unit: .ratio),
        ClaimedFigure("instructions of a check", 10, unit: .instructions),
        // More than none.
        ClaimedFigure("instruction cache misses, with checks to without", low: 1, high: nil, unit: .ratio),
    ]
    public let experiments = [
        "the functions of the checked programs, read from their machine code: who has a check, and of which length on the path "
            + "that passes and on the path that does not",
        "executed instructions with and without checks, touched lines of code, and misses of a simulated instruction cache in "
            + "several layouts",
    ]

    /// The case of all real programs together.
    static let programs = "programs"
    /// "About 10" is read as 8 to 12.
    static let about = 0.2

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        laboratory.missing("Go programs are not examined: Faultline does not read Go binaries yet")
        let subjects = CheckSubject.all(laboratory)
        var records: [Record] = []
        var total = Tally()
        for subject in subjects {
            try laboratory.step("\(identifier): examining \(subject.name)")
            do throws(WorkloadError) {
                let code = try CodeLoader().load(subject.workload, variant: .checked)
                let tally = Tally(try PrologueCensus(of: code))
                if subject.kind.isReal { total.add(tally) }
                records += tally.records(suite: identifier, case: subject.name, subject.parameters)
            } catch {
                laboratory.missing("\(subject.name) is not examined: \(error)")
            }
        }
        records += total.records(suite: identifier, case: Self.programs, [:])
        if let counts = InstructionCounts(laboratory, simulating: true) {
            records += try pressure(subjects.filter(\.kind.isReal), counts, laboratory)
        }
        return records
    }

    /// Executed instructions, touched lines and simulated misses of real programs.
    private func pressure(
        _ subjects: [CheckSubject], _ counts: InstructionCounts, _ laboratory: Laboratory
    ) throws -> [Record] {
        let layouts = LayoutMeasurement.seeds(laboratory.isQuick ? 2 : 12)
        let bootstrap = Bootstrap(resamples: laboratory.batches.resamples, seed: laboratory.seed)
        var records: [Record] = []
        var misses: [[Double]] = []
        for subject in subjects {
            do {
                let first = try counts.pair(subject, claim: identifier, laboratory)
                var pairs = [first]
                // Quick: programs by others are the larger ones, whose functions can collide.
                if !laboratory.isQuick || subject.kind == .foreign {
                    pairs += try layouts.map {
                        try counts.pair(subject, layoutSeed: $0, claim: identifier, laboratory)
                    }
                }
                records += executed(subject, first)
                if let ratios = collisions(pairs) {
                    misses.append(ratios)
                    records.append(
                        .ratio(
                            suite: identifier, case: "\(subject.name)-misses", baseline: "plain",
                            estimate: try bootstrap.median(of: ratios),
                            parameters: subject.parameters.merging(["layouts": .int(ratios.count)]) { $1 }))
                }
            } catch let error as WorkloadError {
                laboratory.missing("\(subject.name) is not counted: \(error)")
            }
        }
        if !misses.isEmpty {
            records.append(
                .ratio(
                    suite: identifier, case: "\(Self.programs)-misses", baseline: "plain",
                    estimate: try bootstrap.geometricMean(ofRatios: misses, rounds: .independent),
                    parameters: ["programs": .int(misses.count)]))
        }
        return records
    }

    /// The ratio of misses in each layout; nil for a program that fits the cache in one of them, where a ratio of next to
    /// nothing says nothing, and for one that was not tried in several.
    private func collisions(_ pairs: [(plain: ExecutionCount, checked: ExecutionCount)]) -> [Double]? {
        // Fewer misses than one in 100,000 instructions cost less than a thousandth of the time.
        let rarest = 1e-5
        guard pairs.count > 1 else { return nil }
        var ratios: [Double] = []
        for pair in pairs {
            guard let plain = pair.plain.instructionCacheMisses, let checked = pair.checked.instructionCacheMisses,
                min(plain, checked) >= rarest * pair.plain.instructions
            else { return nil }
            ratios.append(checked / plain)
        }
        return ratios
    }

    private func executed(
        _ subject: CheckSubject, _ pair: (plain: ExecutionCount, checked: ExecutionCount)
    ) -> [Record] {
        var shared = subject.parameters
        shared[InstructionCounts.parameter] = .string(InstructionCounting.valgrind.rawValue)
        var records: [Record] = []
        for (variant, count) in [(CodeVariant.plain, pair.plain), (.checked, pair.checked)] {
            let own = shared.merging(["variant": .string(variant.rawValue)]) { $1 }
            records.append(
                Record(
                    suite: identifier, case: subject.name, metric: "instructions", unit: .instructions,
                    exactly: count.instructions, parameters: own))
            if let misses = count.instructionCacheMisses {
                records.append(
                    Record(
                        suite: identifier, case: subject.name, metric: "instruction-cache-misses", unit: .count,
                        exactly: misses, parameters: own))
            }
        }
        let share = (pair.checked.instructions - pair.plain.instructions) / pair.checked.instructions
        records.append(
            .ratio(
                suite: identifier, case: "\(subject.name)-executed", baseline: "executed instructions",
                estimate: Estimate(exactly: share), parameters: shared))
        if let plain = pair.plain.instructionLines, let checked = pair.checked.instructionLines, plain > 0 {
            records.append(
                .ratio(
                    suite: identifier, case: "\(subject.name)-lines", baseline: "plain",
                    estimate: Estimate(exactly: checked / plain),
                    parameters: shared.merging(["lines": .int(Int(checked))]) { $1 }))
        }
        return records
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let share = try evidence.ratio("\(Self.programs)-functions", to: "all functions")
        let hot = try evidence.estimate(Self.programs, metric: "hot-instructions")
        let cold = try evidence.estimate(Self.programs, metric: "cold-instructions")
        let length = Estimate(exactly: hot.median + cold.median)
        let misses = try? evidence.ratio("\(Self.programs)-misses", to: "plain")
        let executed = shares("-executed", of: "executed instructions", evidence)
        let lines = shares("-lines", of: "plain", evidence).map { $0 - 1 }
        var statements = [
            Statement(
                "\(Estimate.percent(share.median)) % of functions have a check",
                holds: share.relation(to: claimed[0]) == .within),
            Statement(
                "\(Self.number(length.median)) instructions each, of which \(Self.number(hot.median)) are executed when it "
                    + "passes"
                    + (Self.span(executed).map { " (\($0) of what programs execute)" } ?? ""),
                holds: length.relation(to: claimed[1], tolerance: Self.about) == .within),
        ]
        var measured = [
            MeasuredFigure(claimed[0].name, share, unit: .ratio),
            MeasuredFigure(claimed[1].name, length, unit: .instructions),
            MeasuredFigure("instructions of a check that are executed when it passes", hot, unit: .instructions),
        ]
        if let text = try? evidence.ratio("\(Self.programs)-text", to: ".text") {
            measured.append(MeasuredFigure("share of code that is checks", text, unit: .ratio))
        }
        if let misses {
            measured.append(MeasuredFigure(claimed[2].name, misses, unit: .ratio))
            let relation = misses.relation(to: claimed[2])
            let interval = "\(Self.number(misses.median)) [\(Self.number(misses.low)), \(Self.number(misses.high))]"
            statements.append(
                Statement(
                    "instruction cache misses times \(interval)"
                        + (relation == .undecided ? ", which layout hides" : "")
                        + (Self.span(lines).map { "; runs touch \($0) more code" } ?? ""),
                    holds: relation == .undecided ? nil : relation == .within))
        } else {
            statements.append(Statement("instruction cache misses, which were not counted", holds: nil))
        }
        return Judgement(Statement.verdict(statements), measured: measured, reason: Statement.text(statements))
    }

    private func shares(_ suffix: String, of baseline: String, _ evidence: Evidence) -> [Double] {
        evidence.all(metric: Record.ratioMetric, where: [Record.baselineParameter: .string(baseline)])
            .filter { $0.name.hasSuffix(suffix) && !$0.name.hasPrefix(Self.programs) }.map(\.median)
    }

    private static func span(_ shares: [Double]) -> String? {
        guard let least = shares.min(), let most = shares.max() else { return nil }
        return "\(Estimate.percent(least)) to \(Estimate.percent(most)) %"
    }

    private static func number(_ value: Double) -> String { "\((value * 100).rounded() / 100)" }
}

/// What the functions of one program, or of several, come to.
private struct Tally {
    private var functions = 0
    private var checks = 0
    private var hot = (instructions: 0, bytes: 0)
    private var cold = (instructions: 0, bytes: 0)
    private var text = 0

    init() {}

    init(_ census: PrologueCensus) {
        (functions, checks, text) = (census.functions, census.checks, census.textBytes)
        hot = (census.hotInstructions, census.hotBytes)
        cold = (census.coldInstructions, census.coldBytes)
    }

    mutating func add(_ other: Tally) {
        functions += other.functions
        checks += other.checks
        text += other.text
        hot = (hot.instructions + other.hot.instructions, hot.bytes + other.hot.bytes)
        cold = (cold.instructions + other.cold.instructions, cold.bytes + other.cold.bytes)
    }

    func records(suite: String, case name: String, _ parameters: [String: ParameterValue]) -> [Record] {
        guard functions > 0, checks > 0, text > 0 else { return [] }
        func each(_ metric: String, _ unit: MetricUnit, _ total: Int) -> Record {
            Record(
                suite: suite, case: name, metric: metric, unit: unit, exactly: Double(total) / Double(checks),
                parameters: parameters)
        }
        func share(_ suffix: String, _ part: Int, of whole: Int, called baseline: String) -> Record {
            .ratio(
                suite: suite, case: "\(name)-\(suffix)", baseline: baseline,
                estimate: Estimate(exactly: Double(part) / Double(whole)),
                parameters: parameters.merging([
                    "functions": .int(functions), "checks": .int(checks), "text": .int(text),
                ]) { $1 })
        }
        return [
            share("functions", checks, of: functions, called: "all functions"),
            share("text", hot.bytes + cold.bytes, of: text, called: ".text"),
            each("hot-instructions", .instructions, hot.instructions), each("hot-bytes", .bytes, hot.bytes),
            each("cold-instructions", .instructions, cold.instructions), each("cold-bytes", .bytes, cold.bytes),
        ]
    }
}
