// A claim of the discussion: what to run and the rule that turns what was measured into a verdict. A new claim is a new
// file and a line in `Claims.all`.
//
// Measuring and judging are apart: `measure` knows no claimed number, `judge` is a pure function of records, so that a
// test can try every branch of a rule with synthetic records and a reader can judge again what was measured elsewhere.

import Experiments
import Measurement
import Report
import Workloads

/// One claim and how it is tested.
public protocol Claim: Sendable {
    /// What users call it, and the `suite` of its records.
    var identifier: String { get }
    /// Its author, and where it was made.
    var saidBy: String { get }
    /// The claim in a sentence.
    var statement: String { get }
    /// Its numbers, each with its unit.
    var claimed: [ClaimedFigure] { get }
    /// What is run, a line each.
    var experiments: [String] { get }

    /// The names by which its plot finds records and figures; empty where it has none.
    var plotted: PlottedNames { get }

    /// What it measures in processes of their own; none unless given.
    var samplers: [any Sampler] { get }

    /// Runs the experiments. A peer or capability that is missing is left out with `laboratory.missing(_:)`.
    func measure(_ laboratory: Laboratory) throws -> [Record]
    /// The rule. Pure: the same records give the same judgement.
    ///
    /// - Throws: ``MissingEvidence`` when a record that it needs is not there; the verdict then is *not measurable
    ///   here*.
    func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement
}

/// The names by which a plot finds records and figures. `scripts/plots/names.json` has those of every claim, so that a
/// plot which asks for another name ends with an error.
public struct PlottedNames: Sendable, Hashable, Codable {
    private let metrics: [String]
    private let parameters: [String]
    private let cases: [String]
    private let values: [String]
    private let figures: [String]

    /// The names of a plot.
    ///
    /// - Parameters:
    ///   - cases: Whole names, or what begins or ends them.
    ///   - values: Texts of parameters that the plot tells apart.
    public init(
        _ metrics: [Metric] = [], _ parameters: [ParameterName] = [], cases: [String] = [], values: [String] = [],
        figures: [Figure] = []
    ) {
        (self.metrics, self.parameters) = (metrics.map(\.name), parameters.map(\.rawValue))
        (self.cases, self.values, self.figures) = (cases, values, figures.map(\.name))
    }
}

/// What a rule decided.
public struct Judgement: Sendable, Hashable {
    /// How the claim fared.
    public var verdict: Verdict
    /// The numbers that decided, and those to show beside claimed ones.
    public var measured: [MeasuredFigure]
    /// Which comparison decided, with its numbers; computed, never fixed text alone.
    public var reason: String

    /// A judgement.
    public init(_ verdict: Verdict, measured: [MeasuredFigure], reason: String) {
        self.verdict = verdict
        self.measured = measured
        self.reason = reason
    }
}

extension Claim {
    /// What `faultline` runs for this claim alone.
    public var command: String { "faultline reproduce \(identifier)" }

    public var plotted: PlottedNames { PlottedNames() }

    public var samplers: [any Sampler] { [] }

    /// What it says, for a list of claims.
    public var listing: ClaimDescription {
        ClaimDescription(
            claim: identifier, saidBy: saidBy, statement: statement, claimed: claimed, experiments: experiments)
    }

    /// What is claimed of a figure.
    ///
    /// - Precondition: The claim has a number of it: a rule names its own figures.
    public func claimed(_ figure: Figure) -> ClaimedFigure {
        guard let claimed = claimed.first(where: { $0.name == figure.name }) else {
            preconditionFailure("\(identifier) claims no '\(figure.name)'")
        }
        return claimed
    }

    /// A record of this claim.
    func record(
        _ name: String, _ metric: Metric, _ estimate: Estimate, _ parameters: [ParameterName: ParameterValue] = [:]
    ) -> Record {
        Record(suite: identifier, case: name, metric: metric, estimate: estimate, parameters: parameters)
    }

    /// A record of this claim of what was counted once.
    func record(
        _ name: String, _ metric: Metric, exactly value: Double, _ parameters: [ParameterName: ParameterValue] = [:]
    ) -> Record {
        record(name, metric, Estimate(exactly: value), parameters)
    }

    /// A ratio of this claim to a variant of the code.
    func ratio(
        _ name: String, to baseline: CodeVariant, _ estimate: Estimate,
        _ parameters: [ParameterName: ParameterValue] = [:]
    ) -> Record {
        ratio(name, to: baseline.rawValue, estimate, parameters)
    }

    /// A ratio of this claim.
    func ratio(
        _ name: String, to baseline: String, _ estimate: Estimate, _ parameters: [ParameterName: ParameterValue] = [:]
    ) -> Record {
        .ratio(suite: identifier, case: name, baseline: baseline, estimate: estimate, parameters: parameters)
    }

    /// Those of the records that several claims measure together which this one is about, as its own.
    func own(_ records: [Record], where isAbout: (Record) -> Bool) -> [Record] {
        records.filter(isAbout).map { record in
            var record = record
            record.suite = identifier
            return record
        }
    }

    /// Applies the rule to records of this claim.
    ///
    /// - Parameter missing: What could not be run; it is named when the rule lacks evidence.
    public func verdict(on records: [Record], missing: [String] = []) -> ClaimVerdict {
        let own = records.filter { $0.suite == identifier }
        var judgement: Judgement
        do throws(MissingEvidence) {
            judgement = try judge(Evidence(own))
        } catch {
            judgement = Judgement(
                .notMeasurable, measured: [],
                reason: missing.isEmpty ? error.description : "missing: \(missing.joined(separator: "; "))")
        }
        if let absence = own.absenceOfNewestGo { judgement.reason += "; \(absence)" }
        return ClaimVerdict(
            claim: identifier, saidBy: saidBy, statement: statement, verdict: judgement.verdict, claimed: claimed,
            measured: judgement.measured, reason: judgement.reason)
    }
}
