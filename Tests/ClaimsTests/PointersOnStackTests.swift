import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("pointers-on-stack") struct PointersOnStackTests {
    private func words(_ name: String, _ kind: AddressPlace.Kind, _ count: Double, _ peer: String) -> Record {
        Record(
            suite: "pointers-on-stack", case: name, metric: .words,
            estimate: Estimate(median: count, low: count, high: count, samples: 3),
            parameters: [.peer: .string(peer), .place: .string(kind.rawValue), .goroutines: 250])
    }

    /// What is found in a program of one version.
    private func version(
        _ peer: String, record: Double, undecided: Double = 0, _ named: [(String, AddressPlace.Kind, Double)] = []
    ) -> [Record] {
        let sums: [(AddressPlace.Kind, Double)] = [
            (.own, 3000), (.record, record), (.bookkeeping, 1000), (.stale, 40), (.undecided, undecided),
        ]
        return sums.map { words(PointersOnStack.all($0), $0, $1, peer) } + named.map { words($0, $1, $2, peer) }
    }

    private func uses(_ name: String, moves: Double, forwards: Double) -> [Record] {
        [(Metric.moves, moves), (.forwards, forwards)].map {
            Record(
                suite: "pointers-on-stack", case: name, metric: $0, exactly: $1, parameters: [.strategy: "fault-move"])
        }
    }

    private func verdict(_ records: [Record]) -> ClaimVerdict { PointersOnStack().verdict(on: records) }

    private func median(_ verdict: ClaimVerdict, _ name: String) -> Double? {
        verdict.measured.first { $0.name == name }?.median
    }

    @Test func oneRecordOfTheRuntimeRefutesIt() {
        let verdict = verdict(
            version("go1.19.8", record: 0)
                + version(
                    "go1.27.3", record: 120, undecided: 2,
                    [("sudog.elem", .record, 100), ("_defer.sp", .record, 20), ("stacks of threads", .undecided, 2)])
                + uses("lua", moves: 9, forwards: 4) + uses("cmark", moves: 0, forwards: 0))
        #expect(verdict.verdict == .refuted)
        #expect(
            verdict.reason
                == "go1.27.3, 250 goroutines that wait: 120 are in records of the runtime, which it corrects apart "
                + "(sudog.elem 100, _defer.sp 20); 3000 addresses of a stack are on it; uses of addresses that had "
                + "been kept elsewhere, where stacks move: lua 4 in 9 moves")
        #expect(median(verdict, Figure.pointersOutside.name) == 120)
        #expect(median(verdict, "addresses in sudog.elem") == 100)
        #expect(median(verdict, "addresses undecided, stacks of threads") == 2)
        #expect(median(verdict, "addresses in what says where the stack is") == 1000)
        #expect(median(verdict, "addresses left behind") == 40)
        #expect(median(verdict, "addresses in records of the runtime, go1.19.8") == 0)
        #expect(median(verdict, "uses of an address kept elsewhere, lua") == 4)
    }

    @Test func theNewestVersionDecides() {
        let older = version("go1.19.8", record: 90, [("sudog.elem", .record, 90)])
        #expect(verdict(older + version("go1.27.3", record: 0)).verdict == .confirmed)
        #expect(verdict(older).verdict == .refuted)
    }

    @Test func whatOneProcessOfSeveralHasRefutesItToo() {
        var records = version("go1.27.3", record: 0)
        records[1] = Record(
            suite: "pointers-on-stack", case: PointersOnStack.all(.record), metric: .words,
            estimate: Estimate(median: 0, low: 0, high: 1, samples: 7), parameters: records[1].parameters)
        #expect(verdict(records).verdict == .refuted)
    }

    @Test func noneElsewhereConfirmsIt() {
        let verdict = verdict(version("go1.27.3", record: 0) + uses("lua", moves: 9, forwards: 4))
        #expect(verdict.verdict == .confirmed)
        #expect(
            verdict.reason
                == "go1.27.3, 250 goroutines that wait: 3000 addresses of a stack are on it, none elsewhere; uses of "
                + "addresses that had been kept elsewhere, where stacks move: lua 4 in 9 moves")
    }

    @Test func wordsThatMayBeNumbersDoNotDecide() {
        let verdict = verdict(version("go1.27.3", record: 0, undecided: 3, [("objects of the heap", .undecided, 3)]))
        #expect(verdict.verdict == .notMeasurable)
        #expect(
            verdict.reason
                == "go1.27.3, 250 goroutines that wait: 3 words outside may be addresses of a stack or not (objects of "
                + "the heap 3); 3000 addresses of a stack are on it")
    }

    @Test func withoutGoItIsNotMeasurable() {
        let verdict = verdict(uses("lua", moves: 9, forwards: 4))
        #expect(verdict.verdict == .notMeasurable && verdict.reason == "no memory of a Go program was searched")
    }
}
