import Measurement
import Report
import Testing

@testable import Claims

@Suite("Answer") struct AnswerTests {
    private static func verdict(_ claim: String, _ reason: String) -> ClaimVerdict {
        ClaimVerdict(
            claim: claim, saidBy: "nobody", statement: "Something is.", verdict: .depends, claimed: [], measured: [],
            reason: reason)
    }

    private static func lines(_ verdicts: [ClaimVerdict]?) -> [String] {
        Answer.lines(Document(machine: MachineFacts(), records: [], verdicts: verdicts))
    }

    @Test func `there are ten lines, whatever was run`() {
        #expect(Answer.questions.count == 10)
        #expect(Self.lines([Self.verdict("shrink", "it pays")]).count == 10)
        #expect(Self.lines(nil) == [])
        #expect(Self.lines([]) == [])
    }

    @Test func `a line has the verdicts and reasons of its claims, and says what was not run`() {
        let verdicts = [Self.verdict("inlining", "2 % below 10 instructions"), Self.verdict("check-cost", "1.02.")]
        let lines = Self.lines(verdicts)
        #expect(lines[0] == "What do prologue checks cost? check-cost, depends: 1.02.")
        #expect(
            lines[1] == "In which code do they cost it? inlining, depends: 2 % below 10 instructions. "
                + "prologue-census was not run.")
    }

    @Test func `each claim is cited at most once`() {
        let cited = Answer.questions.flatMap(\.claims)
        #expect(Set(cited).count == cited.count)
    }
}
