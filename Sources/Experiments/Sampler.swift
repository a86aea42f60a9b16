// Measurements that are samples as a whole: this program runs itself again for each, so that each has an address space
// of its own, and the child says every number that it took. What was measured is put together in this process.

import FoundationEssentials
import Measurement
import Report

/// Cases that are measured against each other in several processes.
public protocol Sampler: Sendable {
    /// What `faultline experiment` calls it: a name that no other sampler and no experiment has.
    var name: String { get }

    /// What is measured, made in a process of its own. Where nothing can be, there are no cases and the laboratory is
    /// told what is missing.
    ///
    /// - Parameter options: What the claim gave, and `process`, the number of this sample from 0 on: code that is
    ///   linked in a random order takes it for its seed.
    func prepare(_ options: ExperimentOptions, _ laboratory: Laboratory) throws -> SampledCases
}

/// What a process measures.
public struct SampledCases {
    /// What takes turns; ``MeasurementCase/nullControl()`` of one among them shows what is no finding.
    public var cases: [MeasurementCase]
    /// How. ``Laboratory/samples(of:_:processes:seconds:)`` divides the rounds among the processes.
    public var settings: InterleavedMeasurement.Settings
    /// Numbers that are known when all is measured, by name.
    public var facts: () throws -> [String: Double]
    /// What is no number, for instance the version of a peer.
    public var texts: [String: String]

    /// What a process measures.
    public init(
        _ cases: [MeasurementCase], _ settings: InterleavedMeasurement.Settings, texts: [String: String] = [:],
        facts: @escaping () throws -> [String: Double] = { [:] }
    ) {
        (self.cases, self.settings, self.texts, self.facts) = (cases, settings, texts, facts)
    }
}

extension Finding {
    static let sample = Finding("sample")
}

/// What a sampler says from its process.
private struct Sample: Codable {
    var result: MeasurementResult?
    var facts: [String: Double]
    var texts: [String: String]
    var missing: [String]
    var notes: [String]
}

/// A sampler as an experiment.
public struct SamplerExperiment: Experiment {
    private let sampler: any Sampler

    /// The experiment that takes one sample.
    public init(_ sampler: any Sampler) { self.sampler = sampler }

    public var name: String { sampler.name }

    /// Options: those of the sampler; `process`, its number; `processes`, how many there are; `quick`; `seed`.
    public func run(_ options: ExperimentOptions, _ found: Found) throws {
        guard let seed = UInt64(options.text("seed") ?? "\(Laboratory.defaultSeed)") else {
            throw MeasurementFailure("the experiment needs seed=NUMBER")
        }
        let number = try options.number("process", or: 0)
        let laboratory = Laboratory(
            isQuick: options.text("quick") == "true", seed: seed &+ UInt64(number), progress: { _ in })
        let prepared = try sampler.prepare(options, laboratory)
        var sample = Sample(facts: [:], texts: prepared.texts, missing: [], notes: [])
        if !prepared.cases.isEmpty {
            var settings = prepared.settings
            let processes = max(1, try options.number("processes", or: 1))
            settings.rounds = max(Self.fewestRounds, (settings.rounds + processes - 1) / processes)
            settings.warmUpRounds = min(settings.warmUpRounds, 1)
            sample.result = try InterleavedMeasurement(cases: prepared.cases, settings: settings).run()
            sample.facts = try prepared.facts()
        }
        (sample.missing, sample.notes) = (laboratory.missingHere, laboratory.notes)
        try found(.sample, String(decoding: try JSONEncoder().encode(sample), as: UTF8.self))
    }

    /// Of fewer rounds the median is that of a chance disturbance.
    private static let fewestRounds = 5
}

extension Laboratory {
    /// How many processes a difference is measured in: seven are the fewest whose median has an interval within their
    /// extremes.
    public var processes: Int { isQuick ? 7 : 15 }

    /// Measures in several processes, one after the other.
    ///
    /// - Parameters:
    ///   - sampler: One of the claim's ``Claims``; the command `faultline experiment` must know it.
    ///   - options: What it is told.
    ///   - processes: How many; ``processes`` unless given.
    ///   - seconds: After that many one process is killed.
    /// - Returns: Nil where the sampler has no cases here, which it says itself.
    /// - Throws: ``MeasurementFailure`` where a process did not do what it should; ``Interrupted``.
    public func samples(
        of sampler: some Sampler, _ options: [String: String] = [:], processes: Int? = nil, seconds: Double = 120
    ) throws -> ProcessSamples? {
        let count = processes ?? self.processes
        let given = options.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let shared = given + ["processes=\(count)", "quick=\(isQuick)", "seed=\(seed)"]
        var samples: [Sample] = []
        for number in 0..<count {
            var (taken, load) = try undisturbed("\(sampler.name) \(number)") {
                try sample(sampler.name, shared + ["process=\(number)"], seconds: seconds)
            }
            taken.result?.load = load
            samples.append(taken)
            for text in samples[number].missing { missing(text) }
            for text in samples[number].notes { note(text) }
            // What is missing in one process is missing in all.
            guard samples[number].result != nil else { return nil }
        }
        return try ProcessSamples(
            samples.compactMap(\.result), facts: samples.map(\.facts), texts: samples.first?.texts ?? [:])
    }

    private func sample(_ name: String, _ arguments: [String], seconds: Double) throws -> Sample {
        let findings = try experiment(name, arguments, seconds: seconds)
        guard findings.succeeded, let text = findings[.sample] else { throw findings.failure("no sample") }
        do {
            return try JSONDecoder().decode(Sample.self, from: Data(text.utf8))
        } catch {
            throw findings.failure("the sample cannot be read")
        }
    }
}
