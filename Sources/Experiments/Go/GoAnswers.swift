// Whether programs with probes leave behind what the originals leave: their output and the files that they write, once
// as programs are timed and once as Go runs them by itself, where collections shrink stacks that then grow again.

import Glibc
import GoBinary
import Processes
import Report
import Workloads

extension Metric {
    /// 1 where a program in another form did what the original does, otherwise 0.
    package static let alike = Metric("alike", .count)
}

/// Real programs with probes, beside the originals.
package enum GoAnswers {
    /// For each program of the newest Go, in a full run of every version that is installed: whether it did the same
    /// with probes, and how many of them faulted meanwhile. One that cannot be patched, or fails as it is, is missing.
    package static func records(suite: String, _ laboratory: Laboratory) throws -> [Record] {
        try GoSubject.withAll(claim: suite, laboratory) { subjects in
            try subjects.flatMap { try records(of: $0, suite: suite, laboratory) }
        }
    }

    static func records(of subject: GoSubject, suite: String, _ laboratory: Laboratory) throws -> [Record] {
        try laboratory.step("\(suite): \(subject.name) as it is and with probes")
        let copy: String
        let jobs = [subject.job, subject.job.withGoSettings]
        let expected: [GoJob.Outcome]
        do {
            copy = try PatchedPrograms().copy(of: subject.layouts[0], StripOptions(growth: .fault))
            expected = try jobs.map { try $0.run(subject.layouts[0], laboratory) }
        } catch let error where !(error is Interrupted) {
            laboratory.missing("\(subject.name) is not compared with a copy with probes: \(error)")
            return []
        }
        return try records(of: subject, with: copy, jobs, expected, suite: suite, laboratory)
    }

    /// The records of one program, whose copy is at `copy`.
    static func records(
        of subject: GoSubject, with copy: String, _ jobs: [GoJob], _ expected: [GoJob.Outcome], suite: String,
        _ laboratory: Laboratory
    ) throws -> [Record] {
        var (isAlike, faults) = (true, 0)
        do {
            for (job, expected) in zip(jobs, expected) {
                var job = job
                job.environment.append("\(GrowthStatistics.variable.name)=\(GrowthStatistics.variable.value)")
                // What the original wrote is no file of the copy's.
                if let file = job.file { unlink(file) }
                let outcome = try job.run(copy, laboratory)
                isAlike = isAlike && outcome.isEqual(expected)
                faults += GrowthStatistics(outcome.errors)?.probeFaults ?? 0
            }
        } catch let error where !(error is Interrupted) {
            laboratory.note("\(subject.name) with probes does not do what it did: \(error)")
            isAlike = false
        }
        return [(Metric.alike, isAlike ? 1 : 0), (.probeFaults, Double(faults))].map { metric, value in
            Record(
                suite: suite, case: subject.name + GoColumn.probes, metric: metric, exactly: value,
                parameters: [
                    .peer: .string(subject.version), .work: .string(subject.job.work), .language: "go",
                    .origin: .string(subject.origin.rawValue),
                ])
        }
    }
}
