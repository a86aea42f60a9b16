// How long something takes beside a goroutine that does not stop, asked of a process of its own. One that has not ended
// when its time is up counts as that time, and its record says of how many samples that is so and that it is "at
// least": it took that long or longer.

import Measurement
import Peers
import Report

extension Metric {
    static let wait = Metric("wait", .nanoseconds)
    static let longestWait = Metric("longest-wait", .nanoseconds)
    static let pieceOfWork = Metric("piece-of-work", .nanoseconds)
}

extension ParameterName {
    package static let operation = ParameterName("operation")
}

/// Something that is waited for, beside some work.
package struct PreemptionProbe {
    /// What goes on beside, by the numbers that `preemption.go` gives it.
    package static let works = ["calls", "maps", "reflection", "assembly"]

    /// The operation of `preemption.go`.
    package let operation: String
    /// How often it is done in a sample, within ``maximumMilliseconds``.
    package let count: Int
    /// The number of the work beside it.
    package let work: Int

    /// On how many processors.
    package let processors: Int

    package init(operation: String, count: Int, work: Int, processors: Int = 1) {
        (self.operation, self.count, self.work, self.processors) = (operation, count, work, processors)
    }

    private static let maximumMilliseconds = 200

    /// Nanoseconds in one process.
    package struct Sample {
        package let median: Double
        package let longest: Double
        /// What a piece of the work takes; nil where that was not said.
        package var piece: Double?
        package let hasEnded: Bool
    }

    /// What records call it.
    package func name(_ version: String) -> String { "\(Self.works[work]) \(operation) \(version)" }

    /// Does it in a new process.
    ///
    /// - Throws: `PeerFailure` where the process fails otherwise than by being late.
    package func sample(_ program: PeerProgram, seconds: Double) throws -> Sample {
        do throws(PeerFailure) {
            let conversation = try program.converse()
            defer { conversation.end() }
            let answer = try conversation.numbers(
                "\(operation) \(count) \(work) \(Self.maximumMilliseconds)", atLeast: 4, seconds: seconds)
            return Sample(
                median: Double(answer[0]), longest: Double(answer[1]), piece: Double(answer[3]), hasEnded: true)
        } catch {
            guard error.isLate else { throw error }
            return Sample(median: seconds * 1e9, longest: seconds * 1e9, hasEnded: false)
        }
    }

    /// The records of `samples`, one of each round; with the ratio to those of the original in the same rounds.
    ///
    /// - Parameter initial: The size of a goroutine's stack, where it is another than Go's.
    package func records(
        suite: String, _ version: String, _ variant: String, initial: Int?, _ samples: [Sample],
        original: [Sample]?
    ) throws -> [Record] {
        var shared: [ParameterName: ParameterValue] = [
            .peer: .string(version), .variant: .string(variant),
            .work: .string(Self.works[work]), .operation: .string(operation), .gomaxprocs: .int(processors),
        ]
        shared[.initial] = initial.map { .int($0) }
        let unended = samples.count { !$0.hasEnded }
        var bounded = shared
        if unended > 0 { bounded.merge([.unended: .int(unended), .atLeast: true]) { $1 } }
        let parts = [
            (Metric.wait, samples.map(\.median), bounded), (.longestWait, samples.map(\.longest), bounded),
            (.pieceOfWork, samples.compactMap(\.piece), shared),
        ]
        var records = try parts.filter { !$0.1.isEmpty }.map { metric, values, parameters in
            Record(
                suite: suite, case: name(version), metric: metric, estimate: try Estimate.median(of: values),
                parameters: parameters)
        }
        if let original {
            records.append(
                .ratio(
                    suite: suite, case: name(version), baseline: "original",
                    estimate: try Estimate.ratio(of: samples.map(\.median), to: original.map(\.median)),
                    parameters: bounded))
        }
        return records
    }
}
