import Experiments
import Foundation
import Measurement
import Testing

/// Two cases of a hundred and two hundred nanoseconds, or none.
private struct SyntheticSampler: Sampler {
    let name = "synthetic"

    func prepare(_ options: ExperimentOptions, _ laboratory: Laboratory) throws -> SampledCases {
        var settings = laboratory.repetitions(1)
        settings.rounds = try options.number("rounds")
        guard options.text("nothing") == nil else {
            laboratory.missing("a peer")
            return SampledCases([], settings)
        }
        let cases = [100, 200].map { time in MeasurementCase(selfTimed: "\(time)") { UInt64($0 * time) } }
        return SampledCases(
            cases + [cases[0].nullControl()], settings, texts: ["version": "1"],
            facts: { ["seed": Double(laboratory.seed)] })
    }
}

struct SamplerTests {
    /// What a child would say, as it says it.
    private func sample(_ arguments: String...) throws -> [String: Any] {
        var said: [String] = []
        try SamplerExperiment(SyntheticSampler()).run(ExperimentOptions(arguments)) { key, value in
            #expect(key.rawValue == "sample")
            said.append("\(value)")
        }
        #expect(said.count == 1 && !said[0].contains("\n"))
        let object = try JSONSerialization.jsonObject(with: Data(try #require(said.first).utf8))
        return try #require(object as? [String: Any])
    }

    private func rounds(_ sample: [String: Any]) throws -> [Int] {
        let result = try #require(sample["result"] as? [String: Any])
        let cases = try #require(result["cases"] as? [[String: Any]])
        return cases.compactMap { ($0["nanosecondsPerOperation"] as? [Double])?.count }
    }

    @Test func `rounds are divided among processes, but each has five`() throws {
        #expect(try rounds(sample("rounds=70", "processes=7", "quick=true")) == [10, 10, 10])
        #expect(try rounds(sample("rounds=7", "processes=7", "quick=true")) == [5, 5, 5])
    }

    @Test func `each process has an order of its own, and says what is no time`() throws {
        let sample = try sample("rounds=5", "process=3", "seed=40")
        #expect(sample["facts"] as? [String: Double] == ["seed": 43])
        #expect(sample["texts"] as? [String: String] == ["version": "1"])
    }

    @Test func `what is missing in the child is said, and no number`() throws {
        let sample = try sample("rounds=5", "nothing=1")
        #expect(sample["missing"] as? [String] == ["a peer"])
        #expect(sample["result"] == nil)
    }

    @Test func `processes are the samples, not their rounds`() throws {
        func process(_ slow: Double) -> MeasurementResult {
            MeasurementResult(
                cases: [
                    CaseSamples(name: "a", iterations: 1, nanosecondsPerOperation: [100, 100, 900]),
                    CaseSamples(
                        name: "b", iterations: 1, nanosecondsPerOperation: [100 * slow, 100 * slow, 900 * slow]),
                    CaseSamples(
                        name: "a null", isNullControlOf: "a", iterations: 1, nanosecondsPerOperation: [101, 101, 1]),
                ], clock: .monotonic, seed: 1)
        }
        let samples = try ProcessSamples([1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7].map(process))
        let ratio = try samples.ratio(of: "b", to: "a")
        #expect(ratio.samples == 7 && abs(ratio.median - 1.4) < 1e-9 && ratio.low > 1.1 && ratio.high < 1.7)
        #expect(try samples.time(of: "a").samples == 7)
        // A control that is off by 1 % in every process shows it.
        #expect(try samples.nullControls().first.map { abs($0.ratio.low - 1.01) < 1e-9 } == true)
        #expect(throws: MeasurementError.noCases) { try ProcessSamples([]) }
    }
}
