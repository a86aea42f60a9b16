import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("contention") struct ContentionTests {
    private func estimate(_ value: Double) -> Estimate {
        Estimate(median: value, low: value * 0.95, high: value * 1.05, samples: 15)
    }

    /// Times of one growth, from one thread on, doubling the threads.
    private func records(_ name: String, peer: String = "faultline", processors: Int = 2, _ times: Double...)
        -> [Record]
    {
        times.enumerated().flatMap { place, time in
            let shared: [ParameterName: ParameterValue] = [
                .peer: .string(peer), .threads: .int(1 << place), .processors: .int(processors),
            ]
            let own = Record(
                suite: "contention", case: name, metric: .time, estimate: estimate(time),
                parameters: shared)
            if place == 0 { return [own] }
            return [
                own,
                .ratio(
                    suite: "contention", case: name, baseline: "1 thread", estimate: estimate(time / times[0]),
                    parameters: shared),
            ]
        }
    }

    private func verdict(_ records: [Record]) -> ClaimVerdict { Contention().verdict(on: records) }

    @Test func itIsConfirmedWhereEverythingContends() {
        #expect(verdict(records("trap", 1000, 2000) + records("move", 3000, 9000)).verdict == .confirmed)
    }

    @Test func itIsRefutedWhereNothingDoes() {
        #expect(verdict(records("trap", 1000, 1100) + records("move", 3000, 2900)).verdict == .refuted)
    }

    @Test func itDependsOnTheMechanismWhereSomeDo() {
        let verdict = verdict(records("trap", 1000, 2000) + records("move", 3000, 3100))
        #expect(verdict.verdict == .depends)
        #expect(
            verdict.reason.hasPrefix("it depends on the mechanism: above 1.25 trap 2.0, not above it move 1.03; "))
        #expect(verdict.reason.hasSuffix("(noise 1.25): trap 2.0, move 1.03"))
    }

    @Test func threadsBeyondTheProcessorsAndNullControlsDoNotDecide() {
        #expect(verdict(records("trap", 1000, 1000, 9000)).verdict == .refuted)
        #expect(verdict(records("trap", 1000, 1000) + records("trap null", 1000, 2000)).verdict == .refuted)
        // With four processors, four threads do.
        #expect(verdict(records("trap", processors: 4, 1000, 1000, 9000)).verdict == .confirmed)
    }

    @Test func whatComputationAloneTakesLongerIsNoContention() {
        let control = records("computation alone", 1000, 1350)
        #expect(verdict(records("trap", 1000, 1300) + control).verdict == .refuted)
        #expect(verdict(records("trap", 1000, 4000) + control).verdict == .confirmed)
        #expect(verdict(control).verdict == .notMeasurable)
    }

    @Test func onABusyMachineNothingIsFreeOfContention() {
        let busy = records("computation alone", 1000, 2200)
        #expect(verdict(records("trap", 1000, 1000) + busy).verdict == .notMeasurable)
        #expect(verdict(records("trap", 1000, 4000) + busy).verdict == .confirmed)
    }

    @Test func anIntervalAcrossTheNoiseDecidesNothing() {
        let verdict = verdict(records("trap", 1000, 1280) + records("move", 3000, 3100))
        #expect(verdict.verdict == .notMeasurable)
        #expect(verdict.reason.hasPrefix("an idle machine or more rounds are missing to tell trap 1.28 from noise"))
    }

    @Test func itDependsWhereTheOthersContendLessIfAtAll() {
        let verdict = verdict(records("trap", 1000, 2000) + records("move", 3000, 3840))
        #expect(verdict.verdict == .depends)
        #expect(
            verdict.reason.hasPrefix(
                "it depends on the mechanism: above 1.25 trap 2.0, not told from noise move 1.28; "))
    }

    @Test func oneThatContendsBesideUndecidedOnesThatMayContendAsMuchDecidesNothing() {
        let verdict = verdict(records("trap", 1000, 1350) + records("move", 3000, 3840))
        #expect(verdict.verdict == .notMeasurable)
        #expect(verdict.reason.hasPrefix("an idle machine or more rounds are missing to tell move 1.28 from noise"))
    }

    @Test func theClaimedFiguresHaveGoesNumbers() {
        let verdict = verdict(
            records("trap", 1000, 2000) + records("goroutine", peer: "go1.19.8", 500, 700)
                + records("goroutine", peer: "go1.27.3", 400, 600))
        #expect(verdict.measured.prefix(3).map(\.median) == [1.5, 400, 600])
    }

    @Test func eachMoveHasAFigureOfItsOwn() {
        let verdict = verdict(
            records("move by mremap", 1000, 3000) + records("move by copy", 1000, 1100)
                + records("trap, prot-none", 1000, 9000))
        let medians = Contention.Way.moves.map { way in
            verdict.measured.first { $0.name == Figure.contendingMove(way).name }?.median
        }
        #expect(medians == [1.1, nil, 3])
    }

    @Test func oneProcessorCannotTell() {
        #expect(verdict(records("trap", processors: 1, 1000, 2000)).verdict == .notMeasurable)
        #expect(verdict(records("trap", 1000)).verdict == .notMeasurable)
        #expect(verdict([]).verdict == .notMeasurable)
    }
}
