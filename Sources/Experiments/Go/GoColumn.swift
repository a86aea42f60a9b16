// Further forms in which Go programs take their turns beside the original. A new one is an entry of the list.

import GoBinary
import Peers
import Processes
import Workloads

/// A further form of Go programs: patched with probes, compiled without checks.
package struct GoColumn: Sendable {
    /// What ends the name of its case.
    package let suffix: String
    /// What it is compared with.
    package let baseline: String
    /// The program of one layout in this form; nil where there is none, of which the laboratory is told.
    let make: @Sendable (_ subject: GoSubject, _ layout: Int, _ laboratory: Laboratory) throws -> String?
    /// Whether its programs say on exit how often stacks grew.
    var countsGrowths = false

    /// Compiled by the same version of Go, which emits no checks; on the stacks of the copy with equal checks.
    package static let compiledWithout = "-compiled-without"
    /// Patched: each check is a probe, which faults where a stack is full and so runs Go's own growth.
    package static let probes = "-probes"

    /// The forms that can be made.
    static let all = [
        GoColumn(
            suffix: compiledWithout, baseline: GoCost.equal,
            make: { subject, layout, _ in
                subject.unchecked.indices.contains(layout) ? subject.unchecked[layout] : nil
            }),
        GoColumn(
            suffix: probes, baseline: GoCost.original,
            make: { subject, layout, laboratory in
                do throws(ProcessError) {
                    return try PatchedPrograms().copy(of: subject.layouts[layout], StripOptions(growth: .fault))
                } catch {
                    laboratory.missing("\(subject.name) is not measured with probes: \(error)")
                    return nil
                }
            }, countsGrowths: true),
    ]

    /// Growths of a run, and the processor time that it took.
    package struct Growths: Sendable {
        package let count: Int
        package let seconds: Double
    }

    /// What one run of the first layout says, with collections as Go makes them, after which stacks shrink and grow
    /// again; nil where it does not count.
    ///
    /// - Throws: ``MeasurementFailure`` where it should and does not.
    func growths(of subject: GoSubject, _ laboratory: Laboratory) throws -> Growths? {
        guard countsGrowths, let executable = try make(subject, 0, laboratory) else { return nil }
        let job = subject.job
        try laboratory.step("\(subject.name): counting growths")
        let finished = try Subprocess.finish(
            executable, job.arguments,
            environment: job.environment.filter { !$0.hasPrefix("GOGC=") } + [
                "\(GrowthStatistics.variable.name)=\(GrowthStatistics.variable.value)"
            ],
            seconds: 120,
            isUnwanted: { laboratory.isAskedToStop })
        if laboratory.isAskedToStop { throw Interrupted() }
        guard finished.ending == .exited(0), let counts = GrowthStatistics(finished.errors) else {
            throw MeasurementFailure("\(subject.name) with probes \(finished.ending) and counts no growths")
        }
        return Growths(count: counts.growths, seconds: finished.usage.processorTime / 1e9)
    }
}
