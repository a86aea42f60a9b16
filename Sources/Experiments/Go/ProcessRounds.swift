// Requests that programs answer in processes of their own: in each round every subject has a new process, in an order
// drawn anew. The sample is a process, whose memory lies as it happens to, and ratios are taken within a round.

import Measurement
import Peers
import Report

/// A request that is answered by a new process in every round.
package struct ProcessSubject {
    /// The case of its records.
    package let name: String
    package let parameters: [ParameterName: ParameterValue]
    private let program: PeerProgram
    private let request: String
    /// How many numbers an answer has at least.
    private let numbers: Int

    package init(
        _ name: String, _ program: PeerProgram, _ request: String, numbers: Int = 1,
        _ parameters: [ParameterName: ParameterValue] = [:]
    ) {
        (self.name, self.program, self.request, self.numbers) = (name, program, request, numbers)
        self.parameters = parameters.merging([.peer: .string(program.version)]) { own, _ in own }
    }

    /// The answer of a new process.
    fileprivate func answer(seconds: Double) throws(PeerFailure) -> [Double] {
        let conversation = try program.converse()
        defer { conversation.end() }
        return try conversation.numbers(request, atLeast: numbers, seconds: seconds).map { Double($0) }
    }
}

/// What processes answered.
package struct ProcessRounds {
    package let subjects: [ProcessSubject]
    /// By subject, then round; none where one of a subject's processes failed.
    private let answers: [[[Double]]]
    /// What else the machine did, where it disturbed.
    private let disturbance: ParameterValue?

    /// Asks every subject in every round. One that fails is missing from then on, and said to be.
    ///
    /// - Throws: ``Interrupted``.
    package init(
        _ subjects: [ProcessSubject], rounds: Int, claim: String, seconds: Double = 60, _ laboratory: Laboratory
    ) throws {
        self.subjects = subjects
        let load: MachineLoad?
        (answers, load) = try laboratory.undisturbed(claim) {
            try Self.answers(subjects, rounds, claim: claim, seconds, laboratory)
        }
        disturbance = load.flatMap(ParameterValue.disturbance)
    }

    private static func answers(
        _ subjects: [ProcessSubject], _ rounds: Int, claim: String, _ seconds: Double, _ laboratory: Laboratory
    ) throws -> [[[Double]]] {
        var answers = Array(repeating: [[Double]](), count: subjects.count)
        var failed: Set<Int> = []
        var random = SeededGenerator(seed: laboratory.seed)
        for round in 0..<rounds {
            for index in random.permutation(of: subjects.count) where !failed.contains(index) {
                let subject = subjects[index]
                try laboratory.step("\(claim): \(subject.name), process \(round + 1) of \(rounds)")
                do throws(PeerFailure) {
                    answers[index].append(try subject.answer(seconds: seconds))
                } catch {
                    laboratory.missing("\(subject.name) is not measured: \(error)")
                    failed.insert(index)
                    answers[index] = []
                }
            }
        }
        return answers
    }

    /// Samples of a subject, one for each process; empty where it was not measured.
    package func samples(_ index: Int, _ value: ([Double]) -> Double) -> [Double] { answers[index].map(value) }

    /// A record of each subject that was measured.
    package func records(suite: String, _ metric: Metric, _ value: ([Double]) -> Double) throws -> [Record] {
        try subjects.indices.compactMap { index in
            let own = samples(index, value)
            guard !own.isEmpty else { return nil }
            return Record(
                suite: suite, case: subjects[index].name, metric: metric, estimate: try Estimate.median(of: own),
                parameters: subjects[index].parameters.merging(shared) { $1 })
        }
    }

    private var shared: [ParameterName: ParameterValue] { disturbance.map { [.othersProcessors: $0] } ?? [:] }

    /// The ratio of each subject to the one at `baseline(index)`, round by round; none where either was not measured.
    package func ratios(
        suite: String, to baseline: (Int) -> Int?, of value: ([Double]) -> Double
    ) throws -> [Record] {
        try subjects.indices.compactMap { index in
            guard let other = baseline(index), other != index else { return nil }
            let (own, base) = (samples(index, value), samples(other, value))
            guard !own.isEmpty, own.count == base.count else { return nil }
            var parameters = subjects[index].parameters.merging(shared) { $1 }
            parameters[.baselinePeer] = subjects[other].parameters[.peer]
            return .ratio(
                suite: suite, case: subjects[index].name, baseline: subjects[other].name,
                estimate: try Estimate.ratio(of: own, to: base), parameters: parameters)
        }
    }
}

extension Laboratory {
    /// A program built by `toolchain`; nil where it does not build, which is then named.
    package func program(
        _ source: GoSource, _ toolchain: GoToolchain, compilerFlags: [String] = []
    ) throws -> PeerProgram? {
        try step("building \(source.rawValue) with \(toolchain.version)")
        do throws(PeerUnavailable) {
            return try toolchain.program(source, compilerFlags: compilerFlags)
        } catch {
            missing("\(toolchain.version) is not measured: \(error)")
            return nil
        }
    }
}
