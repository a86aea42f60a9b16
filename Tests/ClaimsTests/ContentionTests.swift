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
    private func records(_ name: String, peer: String = "faultline", _ times: Double...) -> [Record] {
        growths(name, peer, processors: 2, times)
    }

    /// The same of goroutines of the newest Go.
    private func go(processors: Int = 2, _ times: Double...) -> [Record] {
        growths(WaitingSubject.goroutine, "go1.27.3", processors: processors, times)
    }

    private func growths(_ name: String, _ peer: String, processors: Int, _ times: [Double]) -> [Record] {
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

    @Test func goroutinesThatContendConfirmIt() {
        #expect(verdict(go(1000, 2000) + records("move", 3000, 3000)).verdict == .confirmed)
    }

    @Test func goroutinesThatDoNotRefuteItWhateverOtherMechanismsDo() {
        let verdict = verdict(go(1000, 1100) + records("move", 3000, 9000) + records("trap", 1000, 1260))
        #expect(verdict.verdict == .refuted)
        #expect(
            verdict.reason
                == "processor time of a growth of go1.27.3 with 2 threads is 1.1 [1.05, 1.16; n = 15] times that with "
                + "one; up to 1.25 times is noise or what other work loses, too; beside it move 3.0 [2.85, 3.15; "
                + "n = 15], trap 1.26 [1.2, 1.32; n = 15]")
    }

    @Test func theNewestGoDecides() {
        let older = records(WaitingSubject.goroutine, peer: "go1.19.8", 1000, 3000)
        let verdict = verdict(older + go(1000, 1100))
        #expect(verdict.verdict == .refuted)
        #expect(verdict.reason.hasSuffix("; beside it go1.19.8 3.0 [2.85, 3.15; n = 15]"))
    }

    @Test func threadsBeyondTheProcessorsAndNullControlsDoNotDecide() {
        #expect(verdict(go(1000, 1000, 9000)).verdict == .refuted)
        #expect(verdict(go(1000, 1000) + records("trap null", 1000, 2000)).verdict == .refuted)
        // With four processors, four threads do.
        #expect(verdict(go(processors: 4, 1000, 1000, 9000)).verdict == .confirmed)
    }

    @Test func whatComputationAloneTakesLongerIsNoContention() {
        let control = records("computation alone", 1000, 1350)
        #expect(verdict(go(1000, 1300) + control).verdict == .refuted)
        #expect(verdict(go(1000, 4000) + control).verdict == .confirmed)
        #expect(verdict(control).verdict == .notMeasurable)
    }

    @Test func onABusyMachineNothingIsFreeOfContention() {
        let busy = records("computation alone", 1000, 2200)
        #expect(verdict(go(1000, 1000) + busy).verdict == .notMeasurable)
        #expect(verdict(go(1000, 4000) + busy).verdict == .confirmed)
    }

    @Test func anIntervalAcrossTheNoiseOrOneMeasurementDecidesNothing() {
        let verdict = verdict(go(1000, 1280) + records("move", 3000, 3100))
        #expect(verdict.verdict == .notMeasurable)
        #expect(
            verdict.reason.hasPrefix("an idle machine or more rounds are missing to tell it from noise; processor"))
        let once = go(1000, 4000).map { record in
            var record = record
            record.samples = 1
            return record
        }
        #expect(self.verdict(once).verdict == .notMeasurable)
    }

    @Test func theClaimedFiguresHaveGoesNumbers() {
        let verdict = verdict(
            records("trap", 1000, 2000) + records("goroutine", peer: "go1.19.8", 500, 700)
                + records("goroutine", peer: "go1.27.3", 400, 600))
        #expect(verdict.measured.prefix(3).map(\.median) == [1.5, 400, 600])
    }

    @Test func eachMoveHasAFigureOfItsOwn() {
        let verdict = verdict(
            go(1000, 1000) + records("move by mremap", 1000, 3000) + records("move by copy", 1000, 1100)
                + records("trap, prot-none", 1000, 9000))
        let medians = Contention.Way.moves.map { way in
            verdict.measured.first { $0.name == Figure.contendingMove(way).name }?.median
        }
        #expect(medians == [1.1, nil, 3])
    }

    @Test func oneProcessorOrOtherMechanismsAloneCannotTell() {
        #expect(verdict(go(processors: 1, 1000, 2000)).verdict == .notMeasurable)
        #expect(verdict(go(1000)).verdict == .notMeasurable)
        #expect(
            verdict(records("trap", 1000, 4000)).reason == "no record of growths of goroutines with 2 threads")
        #expect(verdict([]).verdict == .notMeasurable)
    }
}
