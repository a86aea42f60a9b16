// "Almost every function begins with a check of about 10 instructions."
//
// The 10 are judged: how many are "almost every" is for the reader, who is given the share. Whether checks press on the
// instruction cache is looked for in a simulated cache of 32 KiB, in several layouts, because the order of functions
// decides which of them collide; how much more code a run touches, which depends on no order, is said beside it.

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
    public let statement = "The stack check with which almost every function begins has about 10 instructions."
    public let claimed = [
        // "About 10" is read as 8 to 12.
        ClaimedFigure(.instructionsOfCheck, 10, tolerance: 0.2)
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
        let layouts = laboratory.layouts(laboratory.isQuick ? 2 : 8)
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
                            subject.name + Self.misses, to: .plain, try Estimate.median(of: ratios),
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
                    try Estimate.geometricMean(over: misses),
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

    /// The check of one writer, over all programs that it is in.
    private struct Check {
        /// Its instructions, and those of them that are executed when it passes.
        let length: Double
        let executed: Double
        /// The shares of functions with one and of code that is checks.
        let functions: Double
        let text: Double

        /// Of several programs, each counted by its checks, functions and code.
        init?(_ records: [Record]) {
            func mean(_ metric: Metric, _ suffix: String, by weight: ParameterName) -> Double? {
                var (sum, weights) = (0.0, 0.0)
                for record in records where record.name.hasSuffix(CheckCensus.Share.functions.suffix) {
                    let program = record.name.dropLast(CheckCensus.Share.functions.suffix.count)
                    guard let own = record.parameters[weight]?.number,
                        let value = records.first(where: { $0.name == program + suffix && $0.metric == metric.name })
                    else { return nil }
                    (sum, weights) = (sum + value.median * own, weights + own)
                }
                return weights > 0 ? sum / weights : nil
            }
            guard let hot = mean(.hotInstructions, "", by: .checks),
                let cold = mean(.coldInstructions, "", by: .checks),
                let functions = mean(.ratio, CheckCensus.Share.functions.suffix, by: .functions),
                let text = mean(.ratio, CheckCensus.Share.text.suffix, by: .text)
            else { return nil }
            (length, executed, self.functions, self.text) = (hot + cold, hot, functions, text)
        }

        var words: String { "\(length.text()) (\(executed.text()) executed)" }
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        // The claim is about Go, and of Go about the newest; what older ones and LLVM write stands beside it.
        let newest = evidence.records.ofNewestGo
        guard let version = newest.first?.goVersion, let check = Check(newest) else {
            throw MissingEvidence("no program of the newest Go was examined")
        }
        var measured = [
            MeasuredFigure(.instructionsOfCheck, Estimate(exactly: check.length)),
            MeasuredFigure(.executedInstructionsOfCheck, Estimate(exactly: check.executed)),
            MeasuredFigure(.shareOfGoFunctions, Estimate(exactly: check.functions)),
            MeasuredFigure(.shareOfGoCode, Estimate(exactly: check.text)),
        ]
        var others: [(name: String, check: Check)] = []
        for version in Set(evidence.records.compactMap(\.goVersion)).subtracting([version]).sorted() {
            if let check = Check(evidence.records.filter { $0.goVersion == version }) {
                others.append((version, check))
            }
        }
        if let check = Check(evidence.records.filter { $0.name.hasPrefix(Self.others) }) {
            others.append(("LLVM", check))
        }
        for (name, check) in others {
            measured += [
                MeasuredFigure(
                    Figure("instructions of a check, \(name)", .instructions), Estimate(exactly: check.length)),
                MeasuredFigure(
                    Figure("instructions of a check that are executed when it passes, \(name)", .instructions),
                    Estimate(exactly: check.executed)),
                MeasuredFigure(
                    Figure("share of functions with a check, \(name)", .ratio), Estimate(exactly: check.functions)),
            ]
        }
        for (figure, share) in [(Figure.shareOfFunctions, CheckCensus.Share.functions), (.shareOfCode, .text)] {
            if let all = try? evidence.ratio(share, of: Self.programs) { measured.append(MeasuredFigure(figure, all)) }
        }
        let misses = try? evidence.ratio(Self.programs + Self.misses, to: .plain)
        if let misses { measured.append(MeasuredFigure(.cacheMisses, misses)) }
        let executed = shares(CaseSuffix.executed, of: GoCheckExecution.whole, Evidence(newest))
        let lines = shares(Self.lines, of: CodeVariant.plain.rawValue, evidence).map { $0 - 1 }
        let reason =
            "\(version): \(check.length.text()) instructions each, of which \(check.executed.text()) are executed when "
            + "it passes" + (Self.span(executed).map { " (\($0) of what programs execute)" } ?? "")
            + "; \(Estimate.percent(check.functions)) % of functions have a check"
            + (others.isEmpty
                ? "" : "; beside it \(others.map { "\($0.name) \($0.check.words)" }.joined(separator: ", "))")
            + (misses.map { "; instruction cache misses of what LLVM wrote times \($0.text())" } ?? "")
            + (Self.span(lines).map { "; its runs touch \($0) more code" } ?? "")
        let relation = Estimate(exactly: check.length).relation(to: claimed(.instructionsOfCheck))
        return Judgement(relation == .within ? .confirmed : .refuted, measured: measured, reason: reason)
    }

    private func shares(_ suffix: String, of baseline: String, _ evidence: Evidence) -> [Double] {
        evidence.all(metric: .ratio, where: [.baseline: .string(baseline)])
            .filter { $0.name.hasSuffix(suffix) && !$0.name.hasPrefix(Self.programs) }.map(\.median)
    }

    private static func span(_ shares: [Double]) -> String? {
        guard let minimum = shares.min(), let maximum = shares.max() else { return nil }
        let (low, high) = (Estimate.percent(minimum), Estimate.percent(maximum))
        return low == high ? "\(low) %" : "\(low) to \(high) %"
    }
}
