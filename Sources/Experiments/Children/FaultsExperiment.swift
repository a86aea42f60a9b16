// Real faults by the thousand: each in a copy of this process, so that it may die of it, and the copy is made by fork,
// which takes a fraction of what starting the program again would.
//
// A copy that dies cannot say how its fault was classified. It shares a page with this process, in which the handler
// that Faultline hands unresolved faults to leaves the counters (see RaiseFaultCommand for the same with a pipe).

internal import CFaultKinds
import Faultline
import Glibc
import Measurement

/// What became of a fault; how often, is a finding.
package struct FaultOutcome: Hashable {
    /// The name of a ``FaultKind``.
    package let kind: String
    package let verdict: String
    /// Whether the process ended as its kind does.
    package let endedAsExpected: Bool

    /// What stands before the verdict where it did not.
    private static let mark: Character = "!"

    init(kind: String, verdict: String, endedAsExpected: Bool) {
        (self.kind, self.verdict, self.endedAsExpected) = (kind, verdict, endedAsExpected)
    }

    /// Nil where the finding is of something else.
    package init?(_ finding: Finding) {
        let parts = finding.rawValue.split(separator: "/", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        endedAsExpected = parts[1].first != Self.mark
        (kind, verdict) = (String(parts[0]), String(endedAsExpected ? parts[1] : parts[1].dropFirst()))
    }

    var finding: Finding { Finding("\(endedAsExpected ? "" : String(Self.mark))\(verdict)").of(kind) }
}

struct FaultsExperiment: Experiment {
    let name = "faults"

    /// A copy that neither dies nor returns is ended after this many seconds.
    private static let deadline: UInt32 = 20

    /// Options: `count` of each kind; `seed`, which determines addresses and sizes.
    func run(_ options: ExperimentOptions, _ found: Found) throws {
        let count = try options.number("count")
        var random = SeededGenerator(seed: UInt64(try options.number("seed")))
        try Self.silenceErrors()
        try SharedCounts.map()
        // Before Faultline's own handlers, which hand on to these.
        let failure = fk_install_reporter { _ in SharedCounts.save() }
        guard failure == 0 else { throw MeasurementFailure("cannot install a handler: \(ErrorNumber.text(failure))") }
        // The library is at work before it is copied.
        try withStack(StackConfiguration()) {}
        for kind in FaultKind.all {
            var outcomes: [FaultOutcome: Int] = [:]
            for _ in 0..<count {
                outcomes[try Self.outcome(of: kind, seed: random.next()), default: 0] += 1
            }
            for (outcome, count) in outcomes.sorted(by: { $0.key.verdict < $1.key.verdict }) {
                try found(outcome.finding, count)
            }
        }
    }

    private static func outcome(of kind: FaultKind, seed: UInt64) throws -> FaultOutcome {
        SharedCounts.clear()
        var job = Job(kind: kind, variation: FaultVariation(seed: seed))
        var error: Int32 = 0
        let status = withUnsafeMutablePointer(to: &job) { job in
            fk_run_in_copy({ $0?.assumingMemoryBound(to: Job.self).pointee.perform() }, job, deadline, &error)
        }
        guard error == 0 else { throw MeasurementFailure("cannot copy the process: \(ErrorNumber.text(error))") }
        return FaultOutcome(
            kind: kind.name, verdict: FaultChild.verdict(of: SharedCounts.verdicts),
            endedAsExpected: FaultKind.Ending(status: status) == kind.ending)
    }

    /// Thousands of messages about faults that are wanted hide everything else.
    private static func silenceErrors() throws {
        let nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC)
        guard nowhere >= 0, dup2(nowhere, STDERR_FILENO) >= 0 else {
            throw MeasurementFailure("cannot write to /dev/null: \(ErrorNumber.text(errno))")
        }
    }

    private struct Job {
        let kind: FaultKind
        var variation: FaultVariation

        mutating func perform() {
            FaultStatistics.resetProcess()
            do { try kind.raise(&variation) } catch { _exit(1) }
            SharedCounts.save()
        }
    }
}

/// Counters of verdicts, in memory that a process shares with its copies.
private enum SharedCounts {
    // One thread, and a copy runs while its original waits.
    private nonisolated(unsafe) static var counts = UnsafeMutableBufferPointer<Int>(start: nil, count: 0)

    static func map() throws {
        let length = FaultStatistics.verdicts.count * MemoryLayout<Int>.stride
        let memory = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)
        guard let memory, memory != MAP_FAILED else {
            throw MeasurementFailure("no memory to share: \(ErrorNumber.text(errno))")
        }
        counts = UnsafeMutableBufferPointer(
            start: memory.bindMemory(to: Int.self, capacity: FaultStatistics.verdicts.count),
            count: FaultStatistics.verdicts.count)
    }

    static func clear() { counts.update(repeating: 0) }

    /// In a handler this allocates, which a process that goes on must not do; no kind faults inside the allocator.
    static func save() {
        let traps = FaultStatistics.process.traps
        for (index, verdict) in FaultStatistics.verdicts.enumerated() { counts[index] = traps[verdict] ?? 0 }
    }

    static var verdicts: [String: Int] {
        var result: [String: Int] = [:]
        for (index, count) in counts.enumerated() where count > 0 { result[FaultStatistics.verdicts[index]] = count }
        return result
    }
}
