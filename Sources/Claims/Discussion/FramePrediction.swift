// "How much stack a program needs can be predicted statically."
//
// Two things would have to be so: call trees have a bound that tables and code tell, and no call goes deeper. The first
// is counted over all functions of real programs, each the root of a tree. The second is measured where a bound is
// claimed: calls are followed instruction by instruction. That an error of the prediction is found by it is shown by
// how many of the bounds are reached exactly.
//
// The newest Go decides; older versions, and kernels in C, stand beside it.

import Experiments
import GoBinary
import Measurement
import Peers
import Processes
import Report
import Workloads

extension Metric {
    /// Functions with a bound that were called.
    static let boundsTried = Metric("bounds tried", .count)
    static let boundsExceeded = Metric("bounds exceeded", .count)
    /// Those that a call came down to.
    static let boundsReached = Metric("bounds reached", .count)
}

extension Figure {
    static let shareOfBoundedTrees = Figure("share of call trees with a bound", .ratio)
    static let boundsTried = Figure("bounds tried by calls", .count)
    static let boundsExceeded = Figure("bounds exceeded", .count)
    /// The median over the functions whose calls were followed.
    static func boundToMeasured(_ program: String) -> Figure {
        Figure("bound, to the deepest call, \(program)", .ratio)
    }
}

public struct FramePrediction: Claim {
    public init() {}

    public let identifier = "frame-prediction"
    public let saidBy = "an article on start-up and the loading of stacks"
    public let statement = "How much stack code needs can be predicted statically."
    public let claimed = [
        // Our reading of "can be": nine in ten.
        ClaimedFigure(.shareOfBoundedTrees, low: 0.9, high: 1, isOurReading: true),
        ClaimedFigure(.boundsExceeded, 0),
    ]
    public let experiments = [
        "frames by Go's own tables along the calls in the code, in the programs of each installed version of Go: which "
            + "functions have a bound, and what is in the way of one",
        "calls of the standard library in each installed version of Go, and kernels in C that clang gave the sizes of "
            + "their frames, followed instruction by instruction: how deep each function goes, and what was predicted",
    ]

    public let plotted = PlottedNames([.ratio], [.baseline, .peer], cases: [Self.programs], values: [Self.whole])

    /// The case of all programs together.
    static let programs = "programs"
    /// What a share of functions is to.
    static let whole = "all functions"
    /// What a bound is to.
    static let deepest = "deepest call"

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        try trees(laboratory) + marks(laboratory)
    }

    // MARK: bounds

    /// Functions of the programs that come with Go.
    private func trees(_ laboratory: Laboratory) throws -> [Record] {
        var records: [Record] = []
        var all: [StackAnalysis.Function] = []
        for tool in GoTool.all(laboratory, laboratory.isQuick ? ["gofmt"] : ["compile", "link", "gofmt", "go"]) {
            try laboratory.step("\(identifier): examining \(tool.name)")
            do throws(ProcessError) {
                let functions = try MarkedProgram.analysis(tool.path).functions
                records += shares(tool.name, functions, tool.parameters)
                all += functions
            } catch {
                laboratory.missing("\(tool.name) is not examined: \(error)")
            }
        }
        return all.isEmpty ? [] : records + shares(Self.programs, all, [:])
    }

    /// The shares of functions with a bound, and with each thing that is in the way of one.
    private func shares(
        _ name: String, _ functions: [StackAnalysis.Function], _ parameters: [ParameterName: ParameterValue]
    ) -> [Record] {
        let shared = parameters.merging([.functions: .int(functions.count)]) { $1 }
        func share(_ case: String, _ count: Int) -> Record {
            ratio(`case`, to: Self.whole, Estimate(exactly: Double(count) / Double(functions.count)), shared)
        }
        return [share(name, functions.count(where: \.isBounded))]
            + StackDoubts.all.map { doubt, text in
                share("\(name), \(text)", functions.count { $0.doubts.contains(doubt) })
            }
    }

    // MARK: calls

    private func marks(_ laboratory: Laboratory) throws -> [Record] {
        var records: [Record] = []
        let toolchains = laboratory.isQuick ? Array(laboratory.go.suffix(1)) : laboratory.go
        for toolchain in toolchains {
            records += try marks(toolchain.version, ["language": "go", "peer": .string(toolchain.version)], laboratory)
            {
                try MarkedProgram(toolchain, isThorough: !laboratory.isQuick)
            }
        }
        for kernel in MarkedProgram.kernels {
            records += try marks(kernel.name, ["language": "c"], laboratory) {
                try MarkedProgram(kernel: kernel.name, size: kernel.size)
            }
        }
        return records
    }

    private func marks(
        _ name: String, _ parameters: [String: ParameterValue], _ laboratory: Laboratory,
        _ program: () throws -> MarkedProgram
    ) throws -> [Record] {
        try laboratory.step("\(identifier): following \(name)")
        let marks: StackMarks
        do {
            marks = try program().marks()
        } catch let error as Interrupted {
            throw error
        } catch let error as TracingRefused {
            laboratory.missing("\(name) is not followed: ptrace is refused (\(error.reason)); allow it in the sandbox")
            return []
        } catch {
            laboratory.missing("\(name) is not followed: \(error)")
            return []
        }
        var shared = Dictionary(uniqueKeysWithValues: parameters.map { (ParameterName($0.key), $0.value) })
        shared[.functions] = .int(marks.marks.count)
        let bounded = marks.bounded
        var records = [
            record(name, .boundsTried, exactly: Double(bounded.count), shared),
            record(name, .boundsExceeded, exactly: Double(marks.exceeded.count), shared),
            record(name, .boundsReached, exactly: Double(marks.reached.count), shared),
        ]
        // Of a function that moves nothing there is no ratio.
        let ratios = bounded.filter { $0.deepest > 0 }.map { Double($0.function.need) / Double($0.deepest) }
        if ratios.count > 1 {
            records.append(ratio(name, to: Self.deepest, try Estimate.median(of: ratios), shared))
        }
        return records
    }

    // MARK: judging

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let all = evidence.all(metric: .ratio, where: [.baseline: .string(Self.whole)]).ofNewestGo
        guard let version = all.first?.goVersion, let share = Self.share(of: all) else {
            throw MissingEvidence("no share of call trees with a bound in programs of Go")
        }
        let ways = StackDoubts.all.compactMap { _, text -> String? in
            guard let share = Self.share(of: all, text), share > 0 else { return nil }
            return "\(text) \(Estimate.percent(share)) %"
        }
        /// Of the newest Go, or of everything else that was followed.
        func sum(_ metric: Metric, ofNewest: Bool) -> Int {
            evidence.all(metric: metric).filter { ($0.goVersion == version) == ofNewest }
                .reduce(0) { $0 + Int($1.median) }
        }
        let tried = sum(.boundsTried, ofNewest: true)
        let exceeded = sum(.boundsExceeded, ofNewest: true)
        var measured = [MeasuredFigure(.shareOfBoundedTrees, Estimate(exactly: share))]
        if tried > 0 {
            measured += [
                MeasuredFigure(.boundsExceeded, Estimate(exactly: Double(exceeded))),
                MeasuredFigure(.boundsTried, Estimate(exactly: Double(tried))),
            ]
        }
        let ratios = evidence.all(metric: .ratio, where: [.baseline: .string(Self.deepest)])
        measured += (ratios.filter { $0.goVersion == version } + ratios.filter { $0.goVersion != version }).map {
            MeasuredFigure(.boundToMeasured($0.goVersion ?? "the kernel \($0.name) in C"), $0.estimate)
        }
        let percent = Estimate.percent(share)
        let bounds =
            "\(version): \(percent) % of call trees have a bound"
            + (ways.isEmpty ? "" : " (in the way: \(ways.joined(separator: ", ")))")
        let calls =
            tried > 0
            ? "\(exceeded) of \(tried) bounds were exceeded by calls that were followed, "
                + "\(sum(.boundsReached, ofNewest: true)) were reached"
            : "no call was followed"
        let others = sum(.boundsTried, ofNewest: false)
        let beside =
            others > 0
            ? "; of older versions and of kernels in C \(sum(.boundsExceeded, ofNewest: false)) of \(others)" : ""
        // A bound that is exceeded is no prediction, however many there are; nor are a few call trees all code.
        let verdict: Verdict =
            switch Estimate(exactly: share).relation(to: claimed(.shareOfBoundedTrees)) {
            case .within where exceeded == 0 && tried > 0: .confirmed
            case .within where exceeded == 0: .notMeasurable
            default: .refuted
            }
        return Judgement(verdict, measured: measured, reason: "\(bounds); \(calls)\(beside)")
    }

    /// The share of functions with a bound in all programs together, or of those with a doubt; nil where none are.
    private static func share(of records: [Record], _ doubt: String? = nil) -> Double? {
        let own = records.filter { record in
            doubt.map { record.name.hasSuffix(", \($0)") } ?? !record.name.contains(", ")
        }
        let counts = own.map { $0.parameters[.functions]?.number ?? 0 }
        let all = counts.reduce(0, +)
        return all > 0 ? zip(own, counts).reduce(0) { $0 + $1.0.median * $1.1 } / all : nil
    }
}
