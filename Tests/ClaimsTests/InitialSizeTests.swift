import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("initial-size") struct InitialSizeTests {
    private func estimate(_ value: Double) -> Estimate {
        Estimate(median: value, low: value * 0.98, high: value * 1.02, samples: 11)
    }

    private func records(_ peer: String, small: Double, large: Double, copy: Double) -> [Record] {
        func growths(_ size: Int, _ value: Double) -> Record {
            Record(
                suite: "initial-size", case: "requests", metric: .growths, estimate: estimate(value),
                parameters: [.peer: .string(peer), .strategy: "goroutine", .initial: .int(size)])
        }
        return [
            growths(2048, small), growths(8192, large),
            .ratio(
                suite: "initial-size", case: "copy of 8192 bytes", baseline: "copy of 2048 bytes",
                estimate: estimate(copy), parameters: [.peer: .string(peer)]),
        ]
    }

    private func verdict(small: Double, large: Double, copy: Double) -> Verdict {
        InitialSize().verdict(on: records("go1.19.8", small: small, large: large, copy: copy)).verdict
    }

    @Test func theClaimedNumbersConfirmIt() { #expect(verdict(small: 1.9, large: 0.32, copy: 3.8) == .confirmed) }

    @Test func otherNumbersInTheSameDirectionMakeItDepend() {
        #expect(verdict(small: 5, large: 0.3, copy: 4) == .depends)
        #expect(verdict(small: 1.8, large: 0.3, copy: 2) == .depends)
    }

    @Test func theOtherDirectionRefutesIt() {
        #expect(verdict(small: 0.3, large: 0.3, copy: 4) == .refuted)
        #expect(verdict(small: 1.8, large: 0.3, copy: 1) == .refuted)
    }

    @Test func theNewestGoDecides() {
        let both =
            records("go1.19.8", small: 9, large: 1, copy: 9) + records("go1.27.3", small: 1.8, large: 0.3, copy: 4)
        #expect(InitialSize().verdict(on: both).verdict == .confirmed)
    }

    @Test func withoutGoItIsNotMeasurable() {
        let own = Record(
            suite: "initial-size", case: "requests", metric: .growths, exactly: 1,
            parameters: [.peer: "faultline", .strategy: "fault", .initial: 4096])
        let verdict = InitialSize().verdict(on: [own], missing: ["Go is not measured: install golang-go"])
        #expect(verdict.verdict == .notMeasurable)
        #expect(verdict.reason == "missing: Go is not measured: install golang-go")
    }
}
