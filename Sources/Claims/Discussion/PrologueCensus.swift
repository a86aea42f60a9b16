// "Almost every function has a check; about 10 instructions each; instruction cache pressure."
//
// Three statements, judged one by one over real programs. "Almost every" is read as nine in ten. The pressure is looked for
// in a simulated cache of 32 KiB, in several layouts, because the order of functions decides which of them collide; how much
// more code a run touches, which depends on no order, is said beside it.

import Experiments
import GoBinary
import Measurement
import ObjectCode
import Processes
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
        "the functions of the checked programs, read from their machine code: which have a check, and how long it is on the path "
            + "that passes and on the path that does not",
        "the same for the compiler, the linker, gofmt and the command of every version of Go that is installed",
        "executed instructions with and without checks, touched lines of code, and misses of a simulated instruction cache in "
            + "several layouts",
    ]

    /// The case of all real programs together, of those whose checks LLVM wrote, and of those whose checks Go wrote.
    static let programs = "programs"
    static let others = "programs-llvm"
    static let goPrograms = "programs-go"
    /// "About 10" is read as 8 to 12.
    static let about = 0.2

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        let subjects = CheckSubject.all(laboratory)
        var records: [Record] = []
        var total = CheckCensus()
        for subject in subjects {
            try laboratory.step("\(identifier): examining \(subject.name)")
            do throws(WorkloadError) {
                let code = try CodeLoader().load(subject.workload, variant: .checked)
                let census = try CheckCensus(of: code)
                if subject.kind.isReal { total += census }
                records += census.records(suite: identifier, case: subject.name, subject.parameters)
            } catch {
                laboratory.missing("\(subject.name) is not examined: \(error)")
            }
        }
        let (ours, go) = (total, try goPrograms(laboratory))
        total += go.census
        records += go.records
        for (name, census) in [(Self.programs, total), (Self.others, ours), (Self.goPrograms, go.census)] {
            records += census.records(suite: identifier, case: name, [:])
        }
        if let counts = InstructionCounts(laboratory, simulating: true) {
            records += try pressure(subjects.filter(\.kind.isReal), counts, laboratory)
        }
        return records
    }

    /// The programs that come with each version of Go, and what they execute.
    private func goPrograms(_ laboratory: Laboratory) throws -> (census: CheckCensus, records: [Record]) {
        var total = CheckCensus()
        var records: [Record] = []
        for tool in GoTool.all(laboratory, ["compile", "link", "gofmt", "go"]) {
            try laboratory.step("\(identifier): examining \(tool.name)")
            do throws(ProcessError) {
                let census = GoCensus(try tool.executable()).total
                total += census
                records += census.records(suite: identifier, case: tool.name, tool.parameters)
                guard let job = tool.counted else { continue }
                let execution = try GoCheckExecution.count(of: tool.path, job, laboratory)
                records += execution.records(suite: identifier, case: tool.name, tool.parameters)
            } catch {
                laboratory.missing("\(tool.name) is not examined in full: \(error)")
            }
        }
        return (total, records)
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
                "\(Estimate.percent(share.median)) % of functions have a check" + apart(evidence),
                holds: share.relation(to: claimed[0]) == .within),
            Statement(
                "\(Self.number(length.median)) instructions each\(lengths(evidence)), of which "
                    + "\(Self.number(hot.median)) are executed when it passes"
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
        if let go = try? evidence.ratio("\(Self.goPrograms)-functions", to: "all functions") {
            measured.append(MeasuredFigure("share of functions with a check, Go", go, unit: .ratio))
        }
        if let text = try? evidence.ratio("\(Self.goPrograms)-text", to: ".text") {
            measured.append(MeasuredFigure("share of code that is checks, Go", text, unit: .ratio))
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

    /// The shares of functions with a check, where programs of both kinds were examined.
    private func apart(_ evidence: Evidence) -> String {
        guard let go = try? evidence.ratio("\(Self.goPrograms)-functions", to: "all functions"),
            let others = try? evidence.ratio("\(Self.others)-functions", to: "all functions")
        else { return "" }
        return " (\(Estimate.percent(go.median)) % of Go programs, \(Estimate.percent(others.median)) % of others)"
    }

    /// The instructions of a check, where programs of both kinds were examined.
    private func lengths(_ evidence: Evidence) -> String {
        let each = [Self.goPrograms, Self.others].compactMap { name in
            evidence.find(name, metric: "hot-instructions").flatMap { hot in
                evidence.find(name, metric: "cold-instructions").map { Self.number(hot.median + $0.median) }
            }
        }
        return each.count == 2 ? " (\(each[0]) in Go programs, \(each[1]) in others)" : ""
    }

    private func shares(_ suffix: String, of baseline: String, _ evidence: Evidence) -> [Double] {
        evidence.all(metric: Record.ratioMetric, where: [Record.baselineParameter: .string(baseline)])
            .filter { $0.name.hasSuffix(suffix) && !$0.name.hasPrefix(Self.programs) }.map(\.median)
    }

    private static func span(_ shares: [Double]) -> String? {
        guard let minimum = shares.min(), let maximum = shares.max() else { return nil }
        return "\(Estimate.percent(minimum)) to \(Estimate.percent(maximum)) %"
    }

    private static func number(_ value: Double) -> String { "\((value * 100).rounded() / 100)" }
}
