// "a(4,5) exhausts any fixed stack; growing stacks handle it without a size guess."
//
// Ackermann's function of 4 and 5 has more digits than memory has atoms, so that no stack finishes it: what differs is
// where and how each ends. Every kind of stack gets the same limit and a process of its own. How deep the largest
// stacks go is told by a recursion without an end, because Ackermann's function takes time with the square of its
// depth.

import Experiments
import Faultline
import Measurement
import Peers
import Processes
import Report
import Workloads

extension Metric {
    /// Of calls.
    static let depth = Metric("depth", .count)
}

extension ParameterName {
    static let ending = ParameterName("ending")
    static let process = ParameterName("process")
    /// Whether this kind of stack does.
    static let grows = ParameterName("grows")
    /// Whether the peak is that of a run or of a process.
    static let memoryOf = ParameterName("memory-of")
}

public struct Ackermann: Claim {
    public init() {}

    public let identifier = "ackermann"
    public let saidBy = "CloudFlare, How stacks are handled in Go, 2014"
    public let statement =
        "a(4,5) exhausts any stack of fixed size; growing stacks handle it without a guess of the size."
    public let claimed: [ClaimedFigure] = []
    public let experiments = [
        "a(4,5) on every strategy, a thread and every version of Go, all with the same limit: depth, time, memory, "
            + "ending",
        "a recursion without an end on the largest stacks that this library and Go allow",
    ]

    public let plotted = PlottedNames(
        [.depth], [.ending, .limit], cases: [Work.ackermann.prefix], values: Ending.allCases.map(\.rawValue))

    /// What recurses.
    enum Work: String {
        case ackermann = "a(4,5)"
        /// A recursion without an end.
        case runaway

        /// What begins the names of its cases.
        var prefix: String { "\(rawValue) " }

        /// The case of it on a kind of stack.
        func caseName(_ stack: String) -> String { prefix + stack }
    }

    /// How a recursion ended, and what of: parameter `ending`.
    enum Ending: String, CaseIterable {
        case finished
        /// An error was thrown, and the process went on.
        case error
        /// The process ended.
        case died
        /// It was ended, because its time was up.
        case running
    }

    private static let (m, n) = (4, 5)

    // MARK: measuring

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        let limit = laboratory.isQuick ? 256 << 10 : 1 << 20
        let seconds = laboratory.isQuick ? 5.0 : 60
        var records: [Record] = []
        for strategy in StackStrategy.allCases {
            let options = ["strategy=\(strategy.rawValue)", "m=\(Self.m)", "n=\(Self.n)"]
            records += try own(strategy, options, limit: limit, work: Work.ackermann, seconds: seconds, laboratory)
        }
        records += try thread(limit: limit, seconds: seconds, laboratory)
        for toolchain in laboratory.go {
            records += try go(
                toolchain, ["ackermann", "1", "\(Self.m)", "\(Self.n)", "\(limit)"], work: Work.ackermann, limit: limit,
                seconds: seconds, laboratory)
        }
        return try records + runaways(laboratory)
    }

    private func runaways(_ laboratory: Laboratory) throws -> [Record] {
        let limit = laboratory.isQuick ? 64 << 20 : StackConfiguration.largestMaximum
        // A move needs the stack twice.
        guard SystemFiles().availableMemory > 3 * limit else {
            laboratory.missing(
                "a recursion on the largest stacks is left out: it needs \(3 * limit >> 20) MiB of free memory")
            return []
        }
        var records: [Record] = []
        for strategy in StackStrategy.allCases where strategy.grows && strategy != .growsDown {
            records += try own(
                strategy, ["strategy=\(strategy.rawValue)"], limit: limit, work: Work.runaway, seconds: 60, laboratory)
        }
        guard !laboratory.isQuick else {
            laboratory.note("\(identifier): Go's own limit of 1 GB is reached in a full run only")
            return records
        }
        for toolchain in laboratory.go {
            records += try go(
                toolchain, ["runaway", "1"], work: Work.runaway, limit: 1_000_000_000, seconds: 60, laboratory)
        }
        return records
    }

    /// A stack of this library.
    private func own(
        _ strategy: StackStrategy, _ options: [String], limit: Int, work: Work, seconds: Double,
        _ laboratory: Laboratory
    ) throws -> [Record] {
        let findings = try laboratory.experiment("recursion", options + ["limit=\(limit)"], seconds: seconds)
        let ending: Ending =
            if findings[.overflowBytes] != nil, findings[.survives] == "1" {
                .error
            } else if findings[.value] != nil {
                .finished
            } else if findings.ending == .timedOut {
                .running
            } else if findings[.nanoseconds] == nil, case .exited = findings.ending {
                // It says on standard error what it lacked.
                throw findings.failure("it did not run")
            } else {
                .died
            }
        return records(
            work.caseName(strategy.rawValue), findings, ending,
            [
                .strategy: .string(strategy.rawValue), .limit: .int(limit), .grows: .bool(strategy.grows),
                .memoryOf: "run",
            ])
    }

    private func thread(limit: Int, seconds: Double, _ laboratory: Laboratory) throws -> [Record] {
        try laboratory.step("\(identifier): a thread")
        let program: PeerProgram
        do {
            program = try PeerProgram.thread()
        } catch {
            laboratory.missing("a thread's stack is not measured: \(error)")
            return []
        }
        let findings = Findings(
            title: program.version, try program.run(["\(limit)", "\(Self.m)", "\(Self.n)"], seconds: seconds))
        return records(
            Work.ackermann.caseName("thread"), findings, Self.ending(findings),
            [.peer: .string(program.version), .limit: .int(limit), .grows: false, .memoryOf: "process"])
    }

    private func go(
        _ toolchain: GoToolchain, _ arguments: [String], work: Work, limit: Int, seconds: Double,
        _ laboratory: Laboratory
    ) throws -> [Record] {
        try laboratory.step("\(identifier): \(toolchain.version) \(work.rawValue)")
        let program: PeerProgram
        do {
            program = try toolchain.program(.growth)
        } catch {
            laboratory.missing("\(toolchain.version) is not measured: \(error)")
            return []
        }
        let findings = Findings(title: toolchain.version, try program.run(arguments, seconds: seconds))
        return records(
            work.caseName(toolchain.version), findings, Self.ending(findings),
            [.peer: .string(toolchain.version), .limit: .int(limit), .grows: true, .memoryOf: "process"])
    }

    /// How a peer that cannot survive an overflow ended.
    private static func ending(_ findings: Findings) -> Ending {
        switch findings.ending {
        case .exited(0): .finished
        case .timedOut: .running
        default: .died
        }
    }

    private func records(
        _ name: String, _ findings: Findings, _ ending: Ending, _ parameters: [ParameterName: ParameterValue]
    ) -> [Record] {
        let own = parameters.merging([
            .ending: .string(ending.rawValue), .process: .string("\(findings.ending)"),
            .message: .string(findings.message),
        ]) { $1 }
        func found(_ finding: Finding) -> Double? { findings[finding].flatMap { Double($0) } }
        let metrics: [(Metric, Double?)] = [
            // A process that was ended from outside said nothing; its ending is evidence all the same.
            (.depth, found(.depth) ?? 0), (.time, found(.nanoseconds)),
            (.peakMemory, found(.peakBytes) ?? found(.peakKibibytes).map { $0 * 1024 }),
        ]
        return metrics.compactMap { metric, value in value.map { record(name, metric, exactly: $0, own) } }
    }

    // MARK: judging

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let depths = evidence.all(metric: .depth).filter { $0.name.hasPrefix(Work.ackermann.prefix) }
        let (growing, fixed) = (
            depths.filter { $0.parameters[.grows] == true }, depths.filter { $0.parameters[.grows] == false }
        )
        guard !growing.isEmpty, !fixed.isEmpty else {
            throw MissingEvidence("a(4,5) was not run on stacks that grow and on stacks that do not")
        }
        func count(_ records: [Record], _ ending: Ending) -> Int {
            records.count { $0.parameters[.ending] == .string(ending.rawValue) }
        }
        let (finished, running) = (count(growing, .finished), count(growing, .running))
        let isExhausted = count(fixed, .finished) == 0 && count(fixed, .running) == 0
        let verdict: Verdict =
            if isExhausted, finished == growing.count {
                .confirmed
            } else if finished == 0, running == 0 {
                .refuted
            } else {
                .depends
            }
        let measured = depths.map { MeasuredFigure(Figure("depth of \($0.name)", .count), $0.estimate) }
        let limit = depths[0].parameters[.limit]?.description ?? "?"
        let reason =
            "with a limit of \(limit) bytes \(finished) of \(growing.count) kinds of stack that grow finished, "
            + "\(running) were still running, \(count(growing, .error)) ended with an error that the process survived, "
            + "\(count(growing, .died)) with the process; of \(fixed.count) fixed ones \(count(fixed, .finished)) "
            + "finished, \(count(fixed, .error)) ended with an error, \(count(fixed, .died)) with the process; depths: "
            + depths.map { "\($0.name.dropFirst(Work.ackermann.prefix.count)) \(Int($0.median))" }.joined(
                separator: ", ")
        return Judgement(verdict, measured: measured, reason: reason)
    }
}
