// Recursions that nothing but their stack ends, each in a process of its own, on every kind of stack.

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
    /// The stack that a recursion had when it ended.
    static let lastStack = Metric("last-stack", .bytes)
}

extension ParameterName {
    static let ending = ParameterName("ending")
    static let process = ParameterName("process")
    /// Whether this kind of stack does.
    static let grows = ParameterName("grows")
    /// Whether the peak is that of a run or of a process.
    static let memoryOf = ParameterName("memory-of")
}

/// Runs one of them for a claim.
struct Recursion {
    let claim: String
    let work: Work
    /// After that many it is ended.
    let seconds: Double
    let laboratory: Laboratory

    init(claim: String, _ work: Work, seconds: Double, _ laboratory: Laboratory) {
        (self.claim, self.work, self.seconds, self.laboratory) = (claim, work, seconds, laboratory)
    }

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

    /// A stack of this library.
    func own(
        _ strategy: StackStrategy, _ options: [String], limit: Int
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

    func thread(_ arguments: [String], limit: Int) throws -> [Record] {
        try laboratory.step("\(claim): a thread")
        let program: PeerProgram
        do {
            program = try PeerProgram.thread()
        } catch {
            laboratory.missing("a thread's stack is not measured: \(error)")
            return []
        }
        let findings = Findings(
            title: program.version, try program.run(arguments, seconds: seconds))
        return records(
            work.caseName("thread"), findings, Self.ending(findings),
            [.peer: .string(program.version), .limit: .int(limit), .grows: false, .memoryOf: "process"])
    }

    func go(
        _ toolchain: GoToolchain, _ arguments: [String], limit: Int
    ) throws -> [Record] {
        try laboratory.step("\(claim): \(toolchain.version) \(work.rawValue)")
        let program: PeerProgram
        do {
            program = try toolchain.program(.growth)
        } catch {
            laboratory.missing("\(toolchain.version) is not measured: \(error)")
            return []
        }
        let finished = try program.run(arguments, seconds: seconds)
        let findings = Findings(title: toolchain.version, finished)
        return records(
            work.caseName(toolchain.version), findings, Self.ending(findings),
            [.peer: .string(toolchain.version), .limit: .int(limit), .grows: true, .memoryOf: "process"],
            lastStack: Self.lastStack(finished.errors))
    }

    /// The bytes of the stack that a goroutine had when it met its limit, by the addresses that Go then prints
    /// (`newstack`, runtime/stack.go); nil where it prints none.
    static func lastStack(_ errors: String) -> Double? {
        guard let match = errors.firstMatch(of: #/stack=\[0x([0-9a-f]+), 0x([0-9a-f]+)\]/#),
            let low = UInt(match.1, radix: 16), let high = UInt(match.2, radix: 16), low < high
        else { return nil }
        return Double(high - low)
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
        _ name: String, _ findings: Findings, _ ending: Ending, _ parameters: [ParameterName: ParameterValue],
        lastStack: Double? = nil
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
            (.lastStack, lastStack),
        ]
        return metrics.compactMap { metric, value in
            value.map { Record(suite: claim, case: name, metric: metric, exactly: $0, parameters: own) }
        }
    }
}
