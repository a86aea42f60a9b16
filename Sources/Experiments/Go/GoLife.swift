// What stacks are in the life of a program with many goroutines, by Go as it is and without checks: how late a request
// is answered, what a collection takes, and the memory of goroutines that wait. Each number is of a process of its own,
// in rounds that run every variant once.

import GoBinary
import Measurement
import Peers
import Processes
import Report
import Workloads

extension Metric {
    static let latencyMedian = Metric("request-median", .nanoseconds)
    static let latencyLate = Metric("request-p99", .nanoseconds)
    static let latencyLatest = Metric("request-p999", .nanoseconds)
    static let collection = Metric("collection", .nanoseconds)
    static let medianPause = Metric("pause-median", .nanoseconds)
    static let longestPause = Metric("pause-longest", .nanoseconds)
    static let stackScan = Metric("stack-scan", .nanoseconds)
    static let goroutineMemory = Metric("goroutine-memory", .bytes)
    static let goroutineStart = Metric("goroutine-start", .nanoseconds)
}

/// An experiment with many goroutines.
public struct GoLife {
    /// What an operation of `life.go` is asked, and what its numbers behind the first are called.
    private struct Question {
        let title: String
        let text: String
        let metrics: [Metric]
        /// By what each number is divided.
        var share = 1.0
    }

    /// The numbers of goroutines that serve and wait.
    public let populations: [Int]
    /// How many only wait.
    public let waiting: Int
    /// Rounds.
    public let rounds: Int
    private let programs: [(variant: GoComparison.Variant, program: PeerProgram)]

    /// Builds the program in every variant.
    ///
    /// - Parameter missing: told which variant is left out, and why.
    /// - Throws: `PeerUnavailable`, `ProcessError` or `SourceRefusal` where something does not build.
    public init(
        _ installation: GoToolchain, initial: Int, populations: [Int], waiting: Int, rounds: Int,
        progress: (String) -> Void, isInterrupted: @escaping () -> Bool, missing: (String) -> Void
    ) throws {
        (self.populations, self.waiting, self.rounds) = (populations, waiting, rounds)
        progress("building with \(installation.version)")
        let original = try installation.program(.life)
        let copies = try PatchedPrograms()
        var programs = [(GoComparison.Variant.original, original)]
        programs.append(
            (.patched, original.copy(at: try copies.copy(of: original.path, StripOptions(initial: initial)))))
        let toolchain = try UncheckedToolchain.cached(
            installation, ToolchainOptions(initial: initial), progress: progress, isInterrupted: isInterrupted)
        guard let unchecked = GoToolchain(at: toolchain.root) else {
            throw ProcessError("\(toolchain.root) is no Go any more", remedy: "remove that folder")
        }
        programs.append((.compiled, try unchecked.program(.life)))
        do {
            programs.append(
                (.probes, original.copy(at: try copies.copy(of: original.path, StripOptions(growth: .fault)))))
        } catch {
            missing("the variant '\(GoComparison.Variant.probes.title)' is left out: \(error)")
        }
        self.programs = programs
    }

    private var questions: [Question] {
        populations.flatMap { number in
            [
                Question(
                    title: "\(number) goroutines", text: "latency \(max(10_000, number)) \(number)",
                    metrics: [.latencyMedian, .latencyLate, .latencyLatest]),
                Question(
                    title: "\(number) goroutines", text: "collections 20 \(number)",
                    metrics: [.collection, .medianPause, .longestPause]),
            ]
        } + [
            Question(
                title: "\(waiting) goroutines", text: "memory \(waiting)", metrics: [.goroutineMemory],
                share: Double(waiting))
        ]
    }

    /// Asks every variant in every round.
    ///
    /// - Returns: `go-life` records; nil when it was interrupted.
    /// - Throws: `PeerFailure` where a variant does not answer.
    public func records(progress: (String) -> Void, isInterrupted: () -> Bool) throws -> [Record]? {
        var samples: [String: [Double]] = [:]
        func key(_ question: Question, _ metric: Metric, _ variant: GoComparison.Variant) -> String {
            "\(question.title) \(metric.name) \(variant)"
        }
        // What a collection takes without goroutines, which is no scanning of stacks.
        let alone = Question(title: "no goroutines", text: "collections 20 1", metrics: [.collection])
        var random = SeededGenerator(seed: Laboratory.defaultSeed)
        for round in 1...rounds {
            for question in questions + [alone] {
                for index in random.permutation(of: programs.count) {
                    let (variant, program) = programs[index]
                    if isInterrupted() { return nil }
                    progress("round \(round) of \(rounds): \(question.text), \(variant.title)")
                    let conversation = try program.converse()
                    defer { conversation.end() }
                    let answer = try conversation.numbers(
                        question.text, atLeast: question.metrics.count + 1, seconds: 300)
                    for (metric, value) in zip(question.metrics, answer.dropFirst()) {
                        samples[key(question, metric, variant), default: []].append(Double(value) / question.share)
                    }
                    if question.metrics == [.goroutineMemory] {
                        samples[key(question, .goroutineStart, variant), default: []].append(
                            Double(answer[0]) / question.share)
                    }
                }
            }
        }
        for population in populations {
            let title = "\(population) goroutines"
            for (variant, _) in programs {
                let all = samples["\(title) \(Metric.collection.name) \(variant)"] ?? []
                let base = samples[key(alone, .collection, variant)] ?? []
                samples["\(title) \(Metric.stackScan.name) \(variant)"] = zip(all, base).map { $0 - $1 }
            }
        }
        return try records(of: samples)
    }

    private func records(of samples: [String: [Double]]) throws -> [Record] {
        let served: [Metric] = [
            .latencyMedian, .latencyLate, .latencyLatest, .collection, .stackScan, .medianPause, .longestPause,
        ]
        let rows =
            populations.flatMap { number in served.map { ("\(number) goroutines", $0) } }
            + [("\(waiting) goroutines", .goroutineMemory), ("\(waiting) goroutines", .goroutineStart)]
        return try rows.flatMap { title, metric in
            try programs.map { variant, program in
                Record(
                    suite: "go-life", case: "\(title), \(variant.title)", metric: metric,
                    estimate: try Estimate.median(of: samples["\(title) \(metric.name) \(variant)"] ?? []),
                    parameters: [.peer: .string(program.version), .variant: .string(variant.title)])
            }
        }
    }

    /// The variants that were built.
    public var variants: [GoComparison.Variant] { programs.map(\.variant) }
}
