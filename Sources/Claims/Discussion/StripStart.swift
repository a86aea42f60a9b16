// "Programs linked with -s -w start 18 % sooner; position-independent ones lower the cost of random addresses."
//
// Three claims on the same starts: stripped with the files in memory, stripped with the files dropped from it, and
// position-independent. Each has a number of its own, a mean over programs, beside the usual program started again.

import Experiments
import Measurement
import Report

extension Figure {
    static let startOfStripped = Figure("start of stripped programs, against usual ones", .ratio)
    static let startOfStrippedCold = Figure(
        "start of stripped programs, against usual ones, files dropped from memory", .ratio)
    static let startOfIndependent = Figure("start of position-independent programs, against usual ones", .ratio)
    static let startOfSame = Figure("start of usual programs again, against the first time", .ratio)
}

private let startExperiment =
    "start Go's go, compile, link, vet, asm and cgo (a quick run: the first three), which the newest "
    + "Go built as usual, "
    + "with -s -w and position-independent, and ask each for its version: from start to the first byte of the answer"

public struct StripStart: Claim {
    public init() {}

    public let identifier = "strip-start"
    public let saidBy = "an article on start-up and the loading of stacks"
    public let statement = "A Go program linked with -s -w starts 18 % sooner."
    public let claimed = [ClaimedFigure(.startOfStripped, low: nil, high: 0.82, tolerance: 0.01)]
    public let experiments = [startExperiment + ", with the files in memory"]
    public let plotted = PlottedNames(
        [.ratio], [.work, .programs, .peer], cases: [ProgramStarts.Linking.stripped.rawValue, ProgramStarts.again],
        figures: [.startOfStripped])

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        try ProgramStarts.measured(laboratory)?.records(identifier, [.stripped], isCold: false) ?? []
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        try ProgramStarts.judge(evidence, .stripped, .startOfStripped, null: .startOfSame, claim: self)
    }
}

public struct StripStartCold: Claim {
    public init() {}

    public let identifier = "strip-start-cold"
    public let saidBy = "an article on start-up and the loading of stacks"
    public let statement = "A Go program linked with -s -w starts 18 % sooner when its file is not in memory."
    public let claimed = [ClaimedFigure(.startOfStrippedCold, low: nil, high: 0.82, tolerance: 0.01)]
    public let experiments = [startExperiment + ", after the kernel was told to drop the file from memory"]
    public let plotted = PlottedNames(
        [.ratio], [.work, .programs, .peer], cases: [ProgramStarts.Linking.stripped.rawValue, ProgramStarts.again],
        figures: [.startOfStrippedCold])

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        try ProgramStarts.measured(laboratory)?.records(identifier, [.stripped], isCold: true) ?? []
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        try ProgramStarts.judge(evidence, .stripped, .startOfStrippedCold, null: .startOfSame, claim: self)
    }
}

public struct IndependentStart: Claim {
    public init() {}

    public let identifier = "independent-start"
    public let saidBy = "an article on start-up and the loading of stacks"
    public let statement = "A position-independent Go program starts sooner, because random addresses cost it less."
    public let claimed = [ClaimedFigure(.startOfIndependent, low: nil, high: 1, isOurReading: true)]
    public let experiments = [startExperiment + ", with the files in memory"]
    public let plotted = PlottedNames(
        [.ratio], [.work, .programs, .peer], cases: [ProgramStarts.Linking.independent.rawValue, ProgramStarts.again],
        figures: [.startOfIndependent])

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        try ProgramStarts.measured(laboratory)?.records(identifier, [.independent], isCold: false) ?? []
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        try ProgramStarts.judge(evidence, .independent, .startOfIndependent, null: .startOfSame, claim: self)
    }
}
