// "Almost every function has a check; about 10 instructions each; instruction cache pressure."
//
// Three statements, judged one by one over real programs. "Almost every" is read as nine in ten. The pressure is looked
// for in a simulated cache of 32 KiB, in several layouts, because the order of functions decides which of them collide;
// how much more code a run touches, which depends on no order, is said beside it.

import Experiments
import GoBinary
import Measurement
import ObjectCode
import Processes
import Report
import Workloads

extension Metric {
    static let instructionCacheMisses = Metric("instruction-cache-misses", .count)
}

extension ParameterName {
    static let lines = ParameterName("lines")
}

extension Figure {
    static let shareOfFunctions = Figure("share of functions with a check", .ratio)
    static let shareOfGoFunctions = Figure("share of functions with a check, Go", .ratio)
    static let shareOfCode = Figure("share of code that is checks", .ratio)
    static let shareOfGoCode = Figure("share of code that is checks, Go", .ratio)
    static let instructionsOfCheck = Figure("instructions of a check", .instructions)
    static let executedInstructionsOfCheck = Figure(
        "instructions of a check that are executed when it passes", .instructions)
    static let cacheMisses = Figure("instruction cache misses, with checks to without", .ratio)
}

extension Evidence {
    fileprivate func ratio(_ share: CheckCensus.Share, of name: String) throws(MissingEvidence) -> Estimate {
        try ratio(name + share.suffix, to: share.whole)
    }
}

public struct PrologueCensusClaim: Claim {
    public init() {}

    public let identifier = "prologue-census"
    public let saidBy = "golang-nuts, November 2025"
    public let statement =
        "Almost every function begins with a stack check of about 10 instructions, which press on the instruction "
        + "cache."
    public let claimed = [
        // Our reading of "almost every".
        ClaimedFigure(.shareOfFunctions, low: 0.9, high: 1),
        ClaimedFigure(.instructionsOfCheck, 10),
        // More than none.
        ClaimedFigure(.cacheMisses, low: 1, high: nil),
    ]
    public let experiments = [
        "the functions of the checked programs, read from their machine code: which have a check, and how long it is "
            + "on the path that passes and on the path that does not",
        "the same for the compiler, the linker, gofmt and the command of every version of Go that is installed",
        "executed instructions with and without checks, touched lines of code, and misses of a simulated instruction "
            + "cache in several layouts",
    ]

    public let plotted = PlottedNames(
        [.ratio], [.kind],
        cases: [Self.programs, Self.misses, CaseSuffix.executed] + CheckCensus.Share.allCases.map(\.suffix),
        values: [CheckSubject.Kind.kernel.rawValue])

    /// What ends the cases of ratios of cache misses and of touched lines.
    private static let misses = "-misses"
    private static let lines = "-lines"

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
                        ratio(
                            subject.name + Self.misses, to: .plain, try bootstrap.median(of: ratios),
                            subject.parameters.merging([.layouts: .int(ratios.count)]) { $1 }))
                }
            } catch let error as WorkloadError {
                laboratory.missing("\(subject.name) is not counted: \(error)")
            }
        }
        if !misses.isEmpty {
            records.append(
                ratio(
                    Self.programs + Self.misses, to: .plain,
                    try bootstrap.geometricMean(ofRatios: misses, rounds: .independent),
                    [.programs: .int(misses.count)]))
        }
        return records
    }

    /// The ratio of misses in each layout; nil for a program that fits the cache in one of them, where a ratio of next
    /// to nothing says nothing, and for one that was not tried in several.
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
        shared[.countedBy] = .string(InstructionCounting.valgrind.rawValue)
        var records: [Record] = []
        for (variant, count) in [(CodeVariant.plain, pair.plain), (.checked, pair.checked)] {
            let own = shared.merging([.variant: .string(variant.rawValue)]) { $1 }
            records.append(record(subject.name, .instructions, exactly: count.instructions, own))
            if let misses = count.instructionCacheMisses {
                records.append(record(subject.name, .instructionCacheMisses, exactly: misses, own))
            }
        }
        let share = (pair.checked.instructions - pair.plain.instructions) / pair.checked.instructions
        records.append(
            ratio(
                subject.name + CaseSuffix.executed, to: GoCheckExecution.whole, Estimate(exactly: share), shared))
        if let plain = pair.plain.instructionLines, let checked = pair.checked.instructionLines, plain > 0 {
            records.append(
                ratio(
                    subject.name + Self.lines, to: .plain, Estimate(exactly: checked / plain),
                    shared.merging([.lines: .int(Int(checked))]) { $1 }))
        }
        return records
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let share = try evidence.ratio(.functions, of: Self.programs)
        let hot = try evidence.estimate(Self.programs, metric: .hotInstructions)
        let cold = try evidence.estimate(Self.programs, metric: .coldInstructions)
        let length = Estimate(exactly: hot.median + cold.median)
        let misses = try? evidence.ratio(Self.programs + Self.misses, to: .plain)
        let executed = shares(CaseSuffix.executed, of: GoCheckExecution.whole, evidence)
        let lines = shares(Self.lines, of: CodeVariant.plain.rawValue, evidence).map { $0 - 1 }
        var statements = [
            Statement(
                "\(Estimate.percent(share.median)) % of functions have a check" + apart(evidence),
                holds: share.relation(to: claimed(.shareOfFunctions)) == .within),
            Statement(
                "\(length.median.text()) instructions each\(lengths(evidence)), of which "
                    + "\(hot.median.text()) are executed when it passes"
                    + (Self.span(executed).map { " (\($0) of what programs execute)" } ?? ""),
                holds: length.relation(to: claimed(.instructionsOfCheck), tolerance: Self.about) == .within),
        ]
        var measured = [
            MeasuredFigure(.shareOfFunctions, share),
            MeasuredFigure(.instructionsOfCheck, length),
            MeasuredFigure(.executedInstructionsOfCheck, hot),
        ]
        let shares: [(Figure, CheckCensus.Share, String)] = [
            (.shareOfCode, .text, Self.programs), (.shareOfGoFunctions, .functions, Self.goPrograms),
            (.shareOfGoCode, .text, Self.goPrograms),
        ]
        measured += shares.compactMap { figure, share, name in
            (try? evidence.ratio(share, of: name)).map { MeasuredFigure(figure, $0) }
        }
        if let misses {
            measured.append(MeasuredFigure(.cacheMisses, misses))
            let relation = misses.relation(to: claimed(.cacheMisses))
            let interval = misses.text()
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
        guard let go = try? evidence.ratio(.functions, of: Self.goPrograms),
            let others = try? evidence.ratio(.functions, of: Self.others)
        else { return "" }
        return " (\(Estimate.percent(go.median)) % of Go programs, \(Estimate.percent(others.median)) % of others)"
    }

    /// The instructions of a check, where programs of both kinds were examined.
    private func lengths(_ evidence: Evidence) -> String {
        let each = [Self.goPrograms, Self.others].compactMap { name in
            evidence.find(name, metric: .hotInstructions).flatMap { hot in
                evidence.find(name, metric: .coldInstructions).map { (hot.median + $0.median).text() }
            }
        }
        return each.count == 2 ? " (\(each[0]) in Go programs, \(each[1]) in others)" : ""
    }

    private func shares(_ suffix: String, of baseline: String, _ evidence: Evidence) -> [Double] {
        evidence.all(metric: .ratio, where: [.baseline: .string(baseline)])
            .filter { $0.name.hasSuffix(suffix) && !$0.name.hasPrefix(Self.programs) }.map(\.median)
    }

    private static func span(_ shares: [Double]) -> String? {
        guard let minimum = shares.min(), let maximum = shares.max() else { return nil }
        return "\(Estimate.percent(minimum)) to \(Estimate.percent(maximum)) %"
    }
}
