import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("break-even") struct BreakEvenTests {
    private static func estimate(_ median: Double, _ low: Double, _ high: Double) -> Estimate {
        Estimate(median: median, low: low, high: high, samples: 7)
    }

    /// What programs with checks take against programs without.
    private static func ratio(
        _ name: String, _ median: Double, _ low: Double, _ high: Double, to baseline: String = "plain"
    ) -> Record {
        .ratio(suite: "break-even", case: name, baseline: baseline, estimate: estimate(median, low, high))
    }

    /// A growth in place takes this much more than Go's, in nanoseconds.
    private static func difference(_ median: Double, _ low: Double, _ high: Double, isFresh: Bool = true) -> Record {
        BreakEven().record(
            GrowthCostSampler.inPlace, .growthDifference, estimate(median, low, high), [.freshMemory: .bool(isFresh)])
    }

    private static func rate(_ name: String, _ value: Double, _ language: String = "go") -> Record {
        BreakEven().record(name, .growthsPerSecond, exactly: value, [.language: .string(language)])
    }

    /// A saving of 1 % and a growth of 10 µs: 1,000 growths a second.
    private static let one = [ratio("go-equal", 1 / 0.99, 1 / 0.995, 1 / 0.98), difference(10_000, 9_000, 11_000)]

    private func verdict(_ records: [Record]) -> ClaimVerdict { BreakEven().verdict(on: records) }

    @Test func `programs that grow more rarely gain`() {
        let verdict = verdict(Self.one + [Self.rate("zstd", 12), Self.rate("lua", 34.4)])
        #expect(verdict.verdict == .confirmed)
        #expect(
            verdict.reason
                == "Go: a program gains when it grows fewer stacks per second of processor time than 1,000 "
                + "[455, 2,220] with fresh memory; zstd does 12, lua does 34; a growth by a trap takes more than Go's: "
                + "in place with fresh memory "
                + "10,000 [9,000, 11,000; n = 7] ns")
        let boundary = verdict.measured.first { $0.name == Figure.breakEven("Go", "in place", isFresh: true).name }
        #expect(boundary.map { abs($0.median - 1000) < 1 } == true)
    }

    @Test func `programs that grow more often lose, and some of each kind depend`() {
        #expect(verdict(Self.one + [Self.rate("zstd", 3000)]).verdict == .refuted)
        let some = verdict(Self.one + [Self.rate("zstd", 12), Self.rate("lua", 3000)])
        #expect(some.verdict == .depends)
        #expect(
            some.reason.contains("; it depends on the program: below 455 zstd, above 2,220 lua; a growth by a trap"))
    }

    @Test func `a program within the boundary is not told`() {
        for further in [[], [Self.rate("lua", 3000)], [Self.rate("lua", 12)]] {
            let verdict = verdict(Self.one + [Self.rate("zstd", 1200)] + further)
            #expect(verdict.verdict == .notMeasurable)
            #expect(verdict.reason.contains("; on which side zstd is cannot be told"))
        }
        // Two that are decided name the boundary.
        #expect(
            verdict(Self.one + [Self.rate("a", 12), Self.rate("b", 1200), Self.rate("c", 3000)]).verdict == .depends)
    }

    @Test func `rates of another language say nothing`() {
        let verdict = verdict(Self.one + [Self.rate("json", 12, "swift")])
        #expect(verdict.verdict == .notMeasurable)
        #expect(verdict.reason.contains("how often its programs do is not counted"))
    }

    @Test func `checks that are not told from none decide nothing`() {
        let go = [
            Self.ratio("go-equal", 1.002, 0.99, 1.02), Self.ratio("go-again", 1, 0.999, 1.001, to: "original"),
            Self.difference(10_000, 9_000, 11_000),
        ]
        let verdict = verdict(go)
        #expect(verdict.verdict == .notDistinguishable)
        #expect(verdict.reason.contains("Go: checks are not told from none (0.2 % [-1, 2; n = 7], the same programs"))
        #expect(verdict.reason.contains("below 2,180 growths per second of processor time at most"))
    }

    @Test func `other languages are rows, as if they grew as Go does`() {
        let c = [Self.ratio("c", 1 / 0.99, 1 / 0.995, 1 / 0.98), Self.rate("lua", 3000, "c")]
        let verdict = verdict(Self.one + [Self.rate("gofmt", 12)] + c)
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.reason.contains("; if C grew as Go does: a program gains when it grows fewer stacks"))
        #expect(verdict.measured.contains { $0.name == Figure.breakEven("C", "in place", isFresh: true).name })
        #expect(self.verdict(c + [Self.one[1]]).verdict == .notMeasurable)
    }

    @Test func `an older Go does not decide in place of the newest`() {
        var older = Self.one
        older[0].parameters[.peer] = "go1.19.8"
        #expect(verdict(older + [Self.rate("gofmt", 12)]).verdict == .confirmed)
        older[0].parameters[.newestGo] = "go1.27.3"
        let verdict = verdict(older + [Self.rate("gofmt", 12)])
        #expect(verdict.verdict == .notMeasurable)
        #expect(verdict.reason.contains("go1.27.3 is installed and was not measured; of go1.19.8 there are records"))
    }

    @Test func `a trap that is not slower pays at once, and one that may not be has no upper bound`() {
        #expect(verdict([Self.one[0], Self.difference(-50, -90, -10)]).verdict == .confirmed)
        #expect(BreakEvenRate(Self.estimate(0.01, 0, 0.02), Self.estimate(-50, -90, -10)) == nil)
        let open = [Self.one[0], Self.difference(5_000, -2_000, 10_000)]
        let rare = verdict(open + [Self.rate("zstd", 12)])
        #expect(rare.verdict == .confirmed)
        #expect(rare.reason.contains("processor time than 500 at least with fresh memory; zstd does 12"))
        #expect(rare.measured[0].isAtLeast == true && abs(rare.measured[0].median - 500) < 1)
        #expect(verdict(open + [Self.rate("zstd", 1200)]).verdict == .notMeasurable)
    }

    @Test func `warm memory has a boundary of its own`() {
        let verdict = verdict(Self.one + [Self.difference(5_000, 4_000, 6_000, isFresh: false), Self.rate("zstd", 1)])
        let warm = verdict.measured.first { $0.name == Figure.breakEven("Go", "in place", isFresh: false).name }
        #expect(warm.map { abs($0.median - 2000) < 1 } == true)
        #expect(verdict.reason.contains("in place with warm memory 5,000 [4,000, 6,000; n = 7] ns"))
    }

    @Test func `layouts that disagree make no difference`() {
        #expect(BreakEven.faster(Self.estimate(5, -1, 9), .fault) == BreakEven.noDifference)
        #expect(BreakEven.faster(Self.estimate(5, 1, 9), .fault) == "fault")
        #expect(BreakEven.faster(Self.estimate(-5, -9, -1), .faultMove) == "check-move")
    }

    @Test func `without growths or programs it is not measurable`() {
        #expect(verdict([]).verdict == .notMeasurable)
        #expect(verdict([Self.one[0]]).reason == "no growth by a trap was timed beside Go's")
        #expect(verdict([Self.one[1]]).reason == "no program of the newest Go was measured without its checks")
    }
}
