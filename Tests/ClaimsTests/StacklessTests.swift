import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("stackless") struct StacklessTests {
    private func ratio(
        _ name: String, _ value: Double, to baseline: String = "goroutine",
        _ parameters: [ParameterName: ParameterValue] = [.of: "memory", .depth: 8]
    ) -> Record {
        .ratio(
            suite: "stackless", case: name, baseline: baseline,
            estimate: Estimate(median: value, low: value * 0.99, high: value * 1.01, samples: 9), parameters: parameters
        )
    }

    private func verdict(cxx: Double?, task: Double?, further: [Record] = []) -> ClaimVerdict {
        Stackless().verdict(
            on: [cxx.map { ratio(WaitingSubject.coroutine20, $0) }, task.map { ratio("task", $0) }].compactMap(\.self)
                + further)
    }

    @Test func fourFifthsLessInBothLanguagesConfirmsIt() {
        let verdict = verdict(cxx: 0.1, task: 0.2)
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.measured.first?.median == 0.1)
        #expect(
            verdict.reason.hasPrefix("a coroutine of C++20 takes 90 % less than a goroutine; a task takes 80 % less"))
    }

    @Test func lessInNeitherRefutesIt() { #expect(verdict(cxx: 0.4, task: 0.6).verdict == .refuted) }

    @Test func oneOfTwoMakesItDependOnTheLanguage() {
        let verdict = verdict(cxx: 0.1, task: 0.4)
        #expect(verdict.verdict == .depends)
        #expect(
            verdict.reason.hasPrefix(
                "it depends on the language, by whether 78 % less are taken, which is 80 % give or take a tenth of the "
                    + "rest: a coroutine of C++20 takes so little, a task does not: a coroutine of C++20 takes 90 % "))
        #expect(self.verdict(cxx: 0.1, task: nil).verdict == .confirmed)
    }

    @Test(arguments: [(0.22, 0.22), (0.1, 0.22), (0.4, 0.22)])
    func whatIsUndecidedDependsOnNothing(cxx: Double, task: Double) {
        let verdict = verdict(cxx: cxx, task: task)
        #expect(verdict.verdict == .notMeasurable)
        let both = cxx == task ? "a coroutine of C++20 and a task" : "a task"
        #expect(verdict.reason.hasPrefix("more rounds are needed to tell whether \(both) takes 80 % less: "))
    }

    @Test func stacksAndTimesAreNamedAndDecideNothing() {
        let verdict = verdict(
            cxx: 0.1, task: 0.2,
            further: [
                ratio("coroutine", 0.5, [.of: "memory", .depth: 8, .slot: 65_536]),
                ratio("task", 5, to: "coroutine", [.of: "spawn"]),
            ])
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.reason.contains("a coroutine in a slot of 64KiB 0.5 times"))
        #expect(verdict.reason.contains("spawn takes a task 5.0 times as long as a coroutine"))
        #expect(verdict.measured.contains { $0.name == Figure.taskAgainstCoroutine(.spawn).name })
    }

    @Test func withoutGoroutinesBesideItIsNotMeasurable() {
        #expect(verdict(cxx: nil, task: nil).verdict == .notMeasurable)
    }
}

@Suite("stackless-growth") struct StacklessGrowthTests {
    /// What waits after few calls and after many, each of which takes that many bytes.
    private func records(_ name: String, _ bytes: Double, spread: Double = 0) -> [Record] {
        [8, 10_000].map { depth in
            let all = 2000 + bytes * Double(depth)
            return StacklessGrowth().record(
                name, .memory, Estimate(median: all, low: all - spread, high: all + spread, samples: 9),
                [.depth: .int(depth)])
        }
    }

    private func verdict(_ records: [Record]...) -> ClaimVerdict {
        StacklessGrowth().verdict(on: records.flatMap { $0 })
    }

    @Test func callsThatTakeMemoryRefuteIt() {
        let verdict = verdict(records("task", 100), records(WaitingSubject.coroutine20, 96))
        #expect(verdict.verdict == .refuted)
        #expect(verdict.measured.map(\.median) == [96, 100])
        #expect(verdict.reason.hasPrefix("a coroutine of C++20 takes 96 [96, 96; n = 9] bytes for each further"))
    }

    @Test func callsThatTakeNoneConfirmIt() {
        #expect(verdict(records(WaitingSubject.coroutine20, 0)).verdict == .confirmed)
    }

    @Test func itMayDependOnTheLanguage() {
        let verdict = verdict(records(WaitingSubject.coroutine20, 0), records("task", 100))
        #expect(verdict.verdict == .depends)
        #expect(verdict.reason.hasPrefix("it depends on the language: a coroutine of C++20 takes 0 [0, 0;"))
    }

    @Test func whatMayBeNoneDecidesNothing() {
        #expect(verdict(records(WaitingSubject.coroutine20, 1, spread: 9_000)).verdict == .notMeasurable)
    }

    @Test func coroutinesOfCxxAreNeeded() {
        #expect(verdict(records("task", 100)).verdict == .notMeasurable)
        #expect(verdict([records(WaitingSubject.coroutine20, 96)[0]]).verdict == .notMeasurable)
    }
}
