import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("Summary") struct SummaryTests {
    private static let x = Figure("x", .count)
    private static let y = Figure("y", .count)

    private static func measured(
        _ figure: Figure, _ median: Double, _ low: Double, _ high: Double
    ) -> MeasuredFigure {
        MeasuredFigure(figure, Estimate(median: median, low: low, high: high, samples: 8))
    }

    private static func verdict(_ claim: String, _ measured: [MeasuredFigure] = []) -> ClaimVerdict {
        ClaimVerdict(
            claim: claim, saidBy: "a test", statement: "Something is.", verdict: .depends, claimed: [],
            measured: measured, reason: "it is so")
    }

    private static func lines(_ verdicts: [ClaimVerdict]?) -> [String] {
        Summary.lines(Document(machine: MachineFacts(), records: [], verdicts: verdicts))
    }

    @Test func `there are ten lines, whatever was run`() {
        #expect(Summary.parts.count == 10)
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
                    Self.measured(.growthsFrom2KB, 2, 1, 3),
                    Self.measured(.growthsFrom8KB, 1, 1, 1),
                ])
        ])
        #expect(
            lines[5]
                == "minimum-stack was not run. A request grows its stack 2 [1, 3] times from 2 KB and 1 times from "
                + "8 KB (initial-size: depends).")
    }

    private static let templates: [(Summary.Template, Double, Double, Double, String?)] = [
        ("at \(x) calls", 3, 2, 4, "at 3 [2, 4] calls"), ("\(percent: x)", 0.0123, -0.01, 0.024, "1.2 % [-1.0, 2.4]"),
        ("\(percent: x) and \(x)", 0.5, 0.5, 0.5, "50.0 % and 0.500"), ("\(x)", 5, 3, 500, "5 [3, unbounded]"),
        ("\(x)", 200, 3, 500, "more than 100 [3, unbounded]"), ("\(x)", 200, 150, 500, "more than 100"),
        ("nothing", 1, 1, 1, "nothing"), ("\(y)", 1, 1, 1, nil),
    ]

    @Test(arguments: templates)
    func `a template is filled with measured figures`(
        template: Summary.Template, median: Double, low: Double, high: Double, text: String?
    ) {
        let part = Summary.Part(HotSplit(), template, maximum: 100)
        let verdict = Self.verdict("hot-split", [Self.measured(Self.x, median, low, high)])
        #expect(Summary.filled(part, verdict) == text)
    }

    @Test func `where a figure is not there the other text is taken`() {
        let part = Summary.Part(HotSplit(), "\(Self.x) and \(Self.y)", otherwise: "\(Self.x) alone")
        #expect(Summary.filled(part, Self.verdict("hot-split", [Self.measured(Self.x, 5, 5, 5)])) == "5 alone")
        #expect(Summary.filled(part, Self.verdict("hot-split")) == nil)
    }

    @Test func `Go is in the first line where it was measured`() {
        let figures = [Figure.gainOnRealPrograms, .gainOnKernels, .gainFromNoOps, .gainFromAnotherLayout].map {
            Self.measured($0, 0.01, 0.01, 0.01)
        }
        let without = Self.lines([Self.verdict("check-cost", figures)])[0]
        #expect(
            without.contains("1.0 % of the time of real programs (none of them in Go) and 1.0 % of that of kernels"))
        let go = Self.measured(.gainOnGoPrograms, 0.02, 0.01, 0.03)
        let with = Self.lines([Self.verdict("check-cost", figures + [go])])[0]
        #expect(with.contains("of real programs, 2.0 % [1.0, 3.0] of those in Go, and 1.0 % of that of kernels"))
    }

    @Test func `each claim is cited at most once and is in the list`() {
        let cited = Summary.parts.flatMap { $0.map(\.claim.identifier) }
        #expect(Set(cited).count == cited.count)
        for claim in cited { #expect(Claims.named(claim) != nil, "\(claim)") }
    }
}
