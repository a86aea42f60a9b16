// Runs claims one after the other. What goes wrong with one never costs the others: its line becomes the reason of a
// verdict "not measurable here". Only a request to stop ends a run early, and what is finished then stays.

import Experiments
import Measurement
import Report

/// A claim that was measured and judged.
public struct FinishedClaim: Sendable {
    /// The records that it made, none when it failed.
    public var records: [Record]
    /// What became of it.
    public var verdict: ClaimVerdict
}

/// How a run of claims ended.
public struct ClaimRun: Sendable {
    /// In the order in which they ran.
    public fileprivate(set) var finished: [FinishedClaim] = []
    /// The identifiers of the claims that the user's interruption left out; empty for a complete run.
    public fileprivate(set) var unfinished: [String] = []

    /// The records of all finished claims.
    public var records: [Record] { finished.flatMap(\.records) }
    /// The verdicts of all finished claims.
    public var verdicts: [ClaimVerdict] { finished.map(\.verdict) }
}

/// Measures and judges claims.
public struct ClaimRunner {
    private let claims: [any Claim]
    private let laboratory: Laboratory

    /// A runner of `claims`, in this order.
    public init(_ claims: [any Claim], in laboratory: Laboratory) {
        self.claims = claims
        self.laboratory = laboratory
    }

    /// Runs them.
    ///
    /// - Parameter whenFinished: Called after each claim with all that is finished so far, so that it can be kept.
    /// - Throws: What `whenFinished` threw; nothing that a claim threw.
    public func run(whenFinished: (ClaimRun) throws -> Void) rethrows -> ClaimRun {
        var run = ClaimRun()
        for (place, claim) in claims.enumerated() {
            laboratory.beginClaim()
            guard let finished = measured(claim) else {
                run.unfinished = claims[place...].map(\.identifier)
                return run
            }
            run.finished.append(finished)
            try whenFinished(run)
        }
        return run
    }

    /// The claim, measured and judged; `nil` when the user asked to stop before it was finished.
    private func measured(_ claim: any Claim) -> FinishedClaim? {
        let start = MeasurementClock.monotonic.now()
        let before = LoadReading()
        do {
            try laboratory.step("\(claim.identifier): preparing")
            var records = try claim.measure(laboratory)
            let load = MachineLoad(from: before, to: LoadReading())
            // Where a record does not know better itself.
            let disturbance = load.flatMap(ParameterValue.disturbance)
            for index in records.indices where records[index].parameters[.othersProcessors] == nil {
                records[index].parameters[.othersProcessors] = disturbance
            }
            for index in records.indices where records[index].goVersion != nil {
                records[index].parameters[.newestGo] = laboratory.newestGo.map { .string($0) }
            }
            for record in records {
                try record.check()
                guard record.suite == claim.identifier else {
                    throw MeasurementFailure("the record \(record.suite)/\(record.name) is none of this claim")
                }
            }
            return finished(claim, records, missing: laboratory.missingHere, since: start, load)
        } catch {
            // Ctrl-C reaches child processes too, whose end then looks like a failure of the claim.
            if error is Interrupted || laboratory.isAskedToStop { return nil }
            let line = Self.line(error)
            laboratory.note("\(claim.identifier) is not measured: \(line)")
            return finished(claim, [], missing: [line], since: start)
        }
    }

    private func finished(
        _ claim: any Claim, _ records: [Record], missing: [String], since start: UInt64, _ load: MachineLoad? = nil
    ) -> FinishedClaim {
        var verdict = claim.verdict(on: records, missing: missing)
        verdict.command = "\(claim.command)\(laboratory.options)"
        verdict.seconds = Double(MeasurementClock.monotonic.now() - start) / 1e9
        if let load, load.isDisturbing {
            verdict.disturbed = load.text
            laboratory.note("\(claim.identifier) was disturbed: \(load.text)")
        }
        return FinishedClaim(records: records, verdict: verdict)
    }

    /// The error on one line.
    private static func line(_ error: any Error) -> String {
        "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}
