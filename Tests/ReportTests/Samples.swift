import Measurement
import Report

extension ParameterName: ExpressibleByStringLiteral {
    public init(stringLiteral name: String) { self.init(name) }
}

/// Documents to test with.
enum Samples {
    static var machine: MachineFacts {
        var facts = MachineFacts()
        facts.processorModel = "Some Processor"
        facts.architecture = "x86_64"
        facts.cores = 2
        facts.kernelRelease = "6.12.0"
        facts.pageSize = 4096
        facts.totalMemory = 24 << 30
        facts.mitigations = ["spectre_v2": "Mitigation: Retpolines"]
        facts.loadAverage = 0.25
        return facts
    }

    static let time = Record(
        suite: "switch", case: "api", metric: .time,
        estimate: Estimate(median: 2.7134, low: 2.69, high: 2.7512, samples: 31),
        parameters: ["clock": "monotonic", "iterations": 100_000, "pinned": true, "spread": 0.25])

    static let ratio = Record.ratio(
        suite: "switch", case: "api", baseline: "boost-fcontext",
        estimate: Estimate(median: 0.4312, low: 0.4287, high: 0.4401, samples: 31),
        parameters: ["clock": "monotonic"])

    static let fault = Record(
        suite: "faults", case: "nil-read", metric: Metric("classified", .count), exactly: 1,
        parameters: [
            "verdict": "nil-dereference", "expected": "nil-dereference", "signal": "SIGSEGV",
            "ended": "killed by SIGSEGV",
        ])

    static let statistic = Record(
        suite: "statistics", case: "json", metric: Metric("bytes-committed", .bytes), exactly: 16384)

    private static let gain = Figure("gain", .ratio)

    static let verdict = ClaimVerdict(
        claim: "check-cost", saidBy: "a source", statement: "Checks cost something.", verdict: .depends,
        claimed: [
            ClaimedFigure(gain, low: 0.03, high: 0.05),
            ClaimedFigure(Figure("crossings", .count), low: 4, high: nil),
        ],
        measured: [MeasuredFigure(gain, Estimate(median: 0.02, low: 0.01, high: 0.04, samples: 16))],
        reason: "0.02 lies below 0.03")

    static var judged: Document {
        var document = document
        document.verdicts = [verdict]
        document.claims = [
            ClaimDescription(
                claim: verdict.claim, saidBy: verdict.saidBy, statement: verdict.statement, claimed: verdict.claimed,
                experiments: ["plain and checked"])
        ]
        return document
    }

    static var document: Document {
        Document(
            machine: machine, records: [time, ratio, fault, statistic],
            notes: ["boost-pooled is skipped: install libboost-context-dev"])
    }
}
