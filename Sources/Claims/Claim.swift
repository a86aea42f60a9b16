// A claim of the discussion: what to run and the rule that turns what was measured into a verdict. A new claim is a new
// file and a line in `Claims.all`.
//
// Measuring and judging are apart: `measure` knows no claimed number, `judge` is a pure function of records, so that
// a test can try every branch of a rule with made-up records and a reader can judge again what was measured elsewhere.

import Experiments
import Measurement
import Report

/// One claim and how it is tested.
public protocol Claim: Sendable {
    /// What users call it, and the `suite` of its records.
    var identifier: String { get }
    /// Who made it, and where.
    var saidBy: String { get }
    /// The claim in a sentence.
    var statement: String { get }
    /// Its numbers, each with its unit.
    var claimed: [ClaimedFigure] { get }
    /// What is run, a line each.
    var experiments: [String] { get }

    /// Runs the experiments. A peer or capability that is missing is left out with `laboratory.missing(_:)`.
    func measure(_ laboratory: Laboratory) throws -> [Record]
    /// The rule. Pure: the same records give the same judgement.
    ///
    /// - Throws: ``MissingEvidence`` when a record that it needs is not there; the verdict then is *not measurable
    ///   here*.
    func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement
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

    /// What it says, for a list of claims.
    public var summary: ClaimDescription {
        ClaimDescription(
            claim: identifier, saidBy: saidBy, statement: statement, claimed: claimed, experiments: experiments)
    }

    /// The claimed figure of that name.
    ///
    /// - Precondition: The claim has one: a rule names its own figures.
    public func figure(_ name: String) -> ClaimedFigure {
        guard let figure = claimed.first(where: { $0.name == name }) else {
            preconditionFailure("\(identifier) claims no '\(name)'")
        }
        return figure
    }

    /// Applies the rule to records of this claim.
    ///
    /// - Parameter missing: What could not be run; it is named when the rule lacks evidence.
    public func verdict(on records: [Record], missing: [String] = []) -> ClaimVerdict {
        let judgement: Judgement
        do throws(MissingEvidence) {
            judgement = try judge(Evidence(records.filter { $0.suite == identifier }))
        } catch {
            judgement = Judgement(
                .notMeasurable, measured: [],
                reason: missing.isEmpty ? error.description : "missing: \(missing.joined(separator: "; "))")
        }
        return ClaimVerdict(
            claim: identifier, saidBy: saidBy, statement: statement, verdict: judgement.verdict, claimed: claimed,
            measured: judgement.measured, reason: judgement.reason)
    }
}
