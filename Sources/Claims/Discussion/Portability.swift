// "Traps depend on processor and system; earlier attempts were abandoned for unforeseen complexity."
//
// The first half is judged, by what differs between machines: a hazard whose tests pass on one processor or system and
// fail on another. That we call a hazard one of the processor or the system is no evidence, so that one machine alone
// decides nothing. That hazards are mastered here says something of this library; that others gave up is history.

import Experiments
import Glibc
import Measurement
import Processes
import Report
import Workloads

extension Metric {
    /// 1 where there is a test.
    static let tested = Metric("tested", .count)
}

extension ParameterName {
    static let section = ParameterName("section")
    static let shownBy = ParameterName("shown by")
    static let outcome = ParameterName("outcome")
    static let processor = ParameterName("processor")
    /// The release of the kernel, two numbers.
    static let system = ParameterName("system")
    /// Whether processor or system make it a hazard.
    static let dependsOn = ParameterName("depends-on")
}

extension Figure {
    static let hazards = Figure("hazards", .count)
    static let hazardsWithTest = Figure("hazards with a test", .count)
    static let passed = Figure("passed", .count)
    static let failed = Figure("failed", .count)
    static let notRunHere = Figure("not run here", .count)
    static func hazards(of what: Dependence) -> Figure { Figure("hazards of the \(what.rawValue)", .count) }
}

public struct Portability: Claim {
    public init() {}

    public let identifier = "portability"
    public let saidBy = "Rob Pike, golang-nuts, November 2025"
    public let statement =
        "Traps depend on processor and system; earlier attempts were abandoned for unforeseen complexity."
    public let claimed: [ClaimedFigure] = []
    public let experiments = [
        "the table of hazards (docs/HAZARDS.md): those that a test shows, and the others",
        "their outcomes: each kind of fault raised now, and the tests as scripts/test has last run them here",
    ]

    public let plotted = PlottedNames(
        [.tested], [.section, .outcome, .processor], values: Outcome.allCases.map(\.rawValue))

    /// What became of a hazard's tests: parameter `outcome`.
    enum Outcome: String, CaseIterable {
        case passed
        case failed
        case notRun = "not run"
        case noTest = "no test"
    }

    /// What the claim is about.
    static let processors = ["x86_64", "aarch64"]
    /// Where the outcomes of the tests are, below the folder in which this runs, unless the environment names a file.
    private static let outcomes = ".build/tests-swift-testing.xml"
    private static let variable = "FAULTLINE_TEST_OUTCOMES"

    #if arch(x86_64)
        private static let here = "x86_64"
    #else
        private static let here = "aarch64"
    #endif

    /// "Linux 6.18".
    private static var release: String {
        var name = utsname()
        uname(&name)
        let text = withUnsafeBytes(of: name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return "Linux \(text.split(separator: ".").prefix(2).joined(separator: "."))"
    }

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        let tests = outcomes(laboratory)
        let faults = try raisedFaultsAreAsExpected(laboratory)
        for processor in Self.processors where processor != Self.here {
            laboratory.missing(
                "\(processor) is not measured: the mechanism has no code for it yet, or this is no such machine")
        }
        let hazards = HazardTable.all.flatMap { table in table.hazards.map { (section: table.section, hazard: $0) } }
        return hazards.map { section, hazard in
            var outcomes = hazard.tests.compactMap { tests?.passed($0) }
            if hazard.isShownByFaults { outcomes.append(faults) }
            let outcome: Outcome =
                if hazard.tests.isEmpty {
                    .noTest
                } else if outcomes.isEmpty {
                    .notRun
                } else {
                    outcomes.allSatisfy { $0 } ? .passed : .failed
                }
            var parameters: [ParameterName: ParameterValue] = [
                .section: .string(section), .shownBy: .string(hazard.shownBy),
                .outcome: .string(outcome.rawValue), .processor: .string(Self.here), .system: .string(Self.release),
            ]
            parameters[.dependsOn] = hazard.dependsOn.map { .string($0.rawValue) }
            return record(hazard.name, .tested, exactly: outcome == .noTest ? 0 : 1, parameters)
        }
    }

    private func outcomes(_ laboratory: Laboratory) -> TestOutcomes? {
        let path = getenv(Self.variable).map { String(cString: $0) } ?? Self.outcomes
        guard let bytes = try? Files.read(path) else {
            laboratory.missing("outcomes of the tests are not there (\(path)): run scripts/test first")
            return nil
        }
        let outcomes = TestOutcomes(String(decoding: bytes, as: UTF8.self))
        laboratory.note("portability: outcomes of \(outcomes.count) tests in \(path)")
        if isOlderThanThisProgram(path) {
            laboratory.note(
                "portability: the outcomes of the tests are older than this program; run scripts/test again")
        }
        return outcomes
    }

    private func isOlderThanThisProgram(_ path: String) -> Bool {
        var (file, program) = (stat(), stat())
        guard stat(path, &file) == 0, stat("/proc/self/exe", &program) == 0 else { return false }
        return file.st_mtim.tv_sec < program.st_mtim.tv_sec
    }

    /// Each kind, once.
    private func raisedFaultsAreAsExpected(_ laboratory: Laboratory) throws -> Bool {
        var differing: [String] = []
        for kind in FaultKind.all {
            try laboratory.step("portability: \(kind.name)")
            let child = try FaultChild(raising: kind)
            if child.verdict != kind.verdict || child.ending != kind.ending { differing.append(kind.name) }
        }
        if !differing.isEmpty { laboratory.note("faults that ended otherwise: \(differing.joined(separator: ", "))") }
        return differing.isEmpty
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let hazards = evidence.all(metric: .tested)
        guard !hazards.isEmpty else { throw MissingEvidence("no hazard is listed") }
        func count(_ outcome: Outcome, _ records: [Record]) -> Int {
            records.count { $0.parameters[.outcome] == .string(outcome.rawValue) }
        }
        func depending(on what: Dependence) -> [Record] {
            hazards.filter { $0.parameters[.dependsOn] == .string(what.rawValue) }
        }
        let (passed, failed, notRun, untested) = (
            count(.passed, hazards), count(.failed, hazards), count(.notRun, hazards), count(.noTest, hazards)
        )
        let dependent = Dependence.allCases.map { (what: $0, hazards: depending(on: $0)) }
        let counts: [(Figure, Int)] =
            [
                (.hazards, hazards.count), (.hazardsWithTest, hazards.count - untested), (.passed, passed),
                (.failed, failed), (.notRunHere, notRun),
            ] + dependent.map { (.hazards(of: $0.what), $0.hazards.count) }
        let figures = counts.map { MeasuredFigure($0, Estimate(exactly: Double($1))) }
        let absent = Self.processors.filter { processor in
            !hazards.contains { $0.parameters[.processor] == .string(processor) }
        }
        func text(_ record: Record, _ name: ParameterName) -> String { record.parameters[name]?.text ?? "unknown" }
        let machines = Set(hazards.map { "\(text($0, .processor)), \(text($0, .system))" }).sorted()
        // Hazards that were run on several machines, and those whose outcome differed.
        let ran = hazards.filter { [Outcome.passed, .failed].map(\.rawValue).contains(text($0, .outcome)) }
        let byName = Dictionary(grouping: ran, by: \.name)
        let compared = byName.filter { name, own in
            Set(own.map { "\(text($0, .processor)), \(text($0, .system))" }).count > 1
        }
        let differing = compared.filter { Set($1.map { text($0, .outcome) }).count > 1 }.keys.sorted()
        let found =
            compared.isEmpty
            ? "on one processor and system nothing can be seen to depend on them"
            : "of \(compared.count) hazards that were run on several machines \(differing.count) came out differently"
                + (differing.isEmpty ? "" : " (\(differing.joined(separator: ", ")))")
        let reason =
            "\(found) (\(machines.joined(separator: "; "))); of \(hazards.count) hazards we count "
            + dependent.map { "\($0.hazards.count) as those of the \($0.what.rawValue)" }.joined(separator: " and ")
            + (absent.isEmpty
                ? "" : "; there is nothing for \(absent.joined(separator: " and ")), where nothing was run")
            + "; that hazards are mastered is said of this library alone: \(passed) by tests that passed, \(failed) "
            + "failed, \(notRun) not run here, \(untested) without a test; "
            + "that others gave up is history, which no run can judge"
        let verdict: Verdict = !differing.isEmpty ? .confirmed : compared.isEmpty ? .notMeasurable : .refuted
        return Judgement(verdict, measured: figures, reason: reason)
    }
}
