import Measurement
import Report
import Testing

@testable import Claims

@Suite("Answer") struct AnswerTests {
    private static func figure(_ name: String, _ median: Double, _ low: Double, _ high: Double) -> MeasuredFigure {
        MeasuredFigure(name, Estimate(median: median, low: low, high: high, samples: 8), unit: .count)
    }

    private static func verdict(_ claim: String, _ measured: [MeasuredFigure] = []) -> ClaimVerdict {
        ClaimVerdict(
            claim: claim, saidBy: "a test", statement: "Something is.", verdict: .depends, claimed: [],
            measured: measured, reason: "it is so")
    }

    private static func lines(_ verdicts: [ClaimVerdict]?) -> [String] {
        Answer.lines(Document(machine: MachineFacts(), records: [], verdicts: verdicts))
    }

    @Test func `there are ten lines, whatever was run`() {
        #expect(Answer.parts.count == 10)
        #expect(Self.lines([Self.verdict("shrink")]).count == 10)
        #expect(Self.lines(nil) == [])
        #expect(Self.lines([]) == [])
    }

    @Test func `a line says what was not run and gives the reason where a figure is missing`() {
        let lines = Self.lines([Self.verdict("hot-split")])
        #expect(lines[4] == "it is so (hot-split: depends). move-cost was not run.")
        #expect(lines[0] == "check-cost was not run.")
    }

    @Test func `a line has the figures with their intervals`() {
        let lines = Self.lines([
            Self.verdict(
                "initial-size",
                [
                    Self.figure("growths of a request from 2 KB", 2, 1, 3),
                    Self.figure("growths of a request from 8 KB", 1, 1, 1),
                ])
        ])
        #expect(
            lines[5]
                == "minimum-stack was not run. A request grows its stack 2 [1, 3] times from 2 KB and 1 times from "
                + "8 KB (initial-size: depends).")
    }

    @Test(arguments: [
        ("at {x} calls", 3.0, 2.0, 4.0, "at 3 [2, 4] calls"),
        ("{%x}", 0.0123, -0.01, 0.024, "1.2 % [-1.0, 2.4]"),
        ("{%x} and {x}", 0.5, 0.5, 0.5, "50.0 % and 0.500"), ("{x}", 5, 3, 500, "5 [3, unbounded]"),
        ("{x}", 200, 3, 500, "more than 100 [3, unbounded]"), ("{x}", 200, 150, 500, "more than 100"),
        ("nothing", 1, 1, 1, "nothing"), ("since {reason}", 1, 1, 1, "since it is so"), ("{y}", 1, 1, 1, nil),
    ])
    func `a template is filled with measured figures`(
        template: String, median: Double, low: Double, high: Double, text: String?
    ) {
        let part = Answer.Part("claim", template, most: 100)
        #expect(Answer.filled(part, Self.verdict("claim", [Self.figure("x", median, low, high)])) == text)
    }

    @Test func `where a figure is not there the other text is taken`() {
        let part = Answer.Part("claim", "{x} and {y}", otherwise: "{x} alone")
        #expect(Answer.filled(part, Self.verdict("claim", [Self.figure("x", 5, 5, 5)])) == "5 alone")
        #expect(Answer.filled(part, Self.verdict("claim")) == nil)
    }

    @Test func `Go is in the first line where it was measured`() {
        let names =
            ["real programs", "kernels"].map { "gain on \($0)" } + [
                "gain from no-ops instead of checks", "gain from another layout",
            ]
        let figures = names.map { Self.figure($0, 0.01, 0.01, 0.01) }
        let without = Self.lines([Self.verdict("check-cost", figures)])[0]
        #expect(
            without.contains("1.0 % of the time of real programs (none of them in Go) and 1.0 % of that of kernels"))
        let go = Self.figure("gain on Go programs", 0.02, 0.01, 0.03)
        let with = Self.lines([Self.verdict("check-cost", figures + [go])])[0]
        #expect(with.contains("of real programs, 2.0 % [1.0, 3.0] of those in Go, and 1.0 % of that of kernels"))
    }

    @Test func `each claim is cited at most once and exists`() {
        let cited = Answer.parts.flatMap { $0.map(\.claim) }
        #expect(Set(cited).count == cited.count)
        for claim in cited { #expect(Claims.named(claim) != nil, "\(claim)") }
    }

    @Test func `templates are well formed`() {
        for part in Answer.parts.flatMap({ $0 }) {
            for text in [part.template, part.otherwise ?? ""] {
                #expect(text.count { $0 == "{" } == text.count { $0 == "}" }, "\(part.claim)")
            }
            _ = Answer.filled(part, Self.verdict(part.claim))
        }
    }
}
