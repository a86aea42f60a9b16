// What one of many that wait takes, in bytes: samples from processes of their own, for coroutines, tasks, threads and
// goroutines alike.

import Faultline
import Measurement
import Peers
import Report

/// Something of which many wait.
struct WaitingSubject {
    /// The case of its records.
    let name: String
    /// Their parameters.
    let parameters: [String: ParameterValue]
    /// How many wait.
    let count: Int
    /// Makes them in a new process.
    let sample: (_ laboratory: Laboratory) throws -> WaitingSample

    /// Those of the experiment "waiting".
    static func own(
        _ name: String, kind: WaitingExperiment.Kind, count: Int, _ options: [String] = [],
        parameters: [String: ParameterValue] = [:]
    ) -> WaitingSubject {
        WaitingSubject(name: name, parameters: parameters, count: count) { laboratory in
            let findings = try laboratory.experiment(
                "waiting", ["kind=\(kind.rawValue)", "count=\(count)"] + options, seconds: 300)
            guard findings.succeeded else { throw findings.failure("not all of them wait") }
            let kernel = kind == .thread ? try findings.number("kernel-stacks") : 0
            return WaitingSample(
                resident: try findings.number("resident"), pageTables: try findings.number("page-tables"),
                kernel: kernel, count: count)
        }
    }

    /// Goroutines.
    static func go(_ program: GoProgram, count: Int) -> WaitingSubject {
        WaitingSubject(
            name: "goroutine", parameters: ["peer": .string(program.version)], count: count
        ) { laboratory in
            try laboratory.step("\(count) goroutines wait, \(program.version)")
            let answer = try program.converse().numbers("suspend \(count)", atLeast: 3, seconds: 300)
            return WaitingSample(
                resident: Double(answer[1]), pageTables: Double(answer[2]), kernel: 0, count: count)
        }
    }

    /// The records of `samples`: what one takes in all, and of what that is made.
    func records(suite: String, _ samples: [WaitingSample], seed: UInt64) throws -> [Record] {
        let bootstrap = Bootstrap(seed: seed)
        var shared = parameters
        shared["count"] = .int(count)
        let parts: [(String, (WaitingSample) -> Double)] = [
            ("memory", \.memory), ("resident", \.resident), ("page-tables", \.pageTables), ("kernel", \.kernel),
        ]
        return try parts.compactMap { metric, part in
            let values = samples.map(part)
            if metric == "kernel" && values.allSatisfy({ $0 == 0 }) { return nil }
            return Record(
                suite: suite, case: name, metric: metric, unit: .bytes, estimate: try bootstrap.median(of: values),
                parameters: shared)
        }
    }
}

/// What one took in one sample, in bytes.
struct WaitingSample {
    let resident: Double
    let pageTables: Double
    /// The kernel's own stacks.
    let kernel: Double
    var memory: Double { resident + pageTables + kernel }

    init(resident: Double, pageTables: Double, kernel: Double, count: Int) {
        self.resident = resident / Double(count)
        self.pageTables = pageTables / Double(count)
        self.kernel = kernel / Double(count)
    }
}

extension Laboratory {
    /// Samples of every subject, one of each in a round, the order drawn anew for each round.
    func samples(_ subjects: [WaitingSubject], rounds: Int) throws -> [[WaitingSample]] {
        var random = SeededGenerator(seed: seed)
        var samples = Array(repeating: [WaitingSample](), count: subjects.count)
        for _ in 0..<rounds {
            for index in random.permutation(of: subjects.count) {
                samples[index].append(try subjects[index].sample(self))
            }
        }
        return samples
    }

    /// The program that makes many goroutines, of each version of Go that has it.
    func goStackPrograms() throws -> [GoProgram] {
        try go.compactMap { toolchain in
            try step("building with \(toolchain.version)")
            do throws(PeerUnavailable) {
                return try toolchain.program(.stacks)
            } catch {
                missing("\(toolchain.version) is not measured: \(error)")
                return nil
            }
        }
    }
}
