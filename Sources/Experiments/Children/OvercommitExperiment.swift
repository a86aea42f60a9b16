// What a stack's reservation is charged for in each mode of overcommit.

internal import CFaultKinds
import CProbes
import Faultline
import Glibc
import Measurement
import Workloads

extension Finding {
    /// Of what may be committed, in KiB, where it had to be raised.
    package static let limit = Finding("limit")
    /// Whether the stack could also grow.
    static let grown = Finding("grown")
    // In bytes.
    package static let reserved = Finding("reserved")
    package static let charged = Finding("charged")
    /// What mode 2 would charge.
    package static let chargedInMode2 = Finding("charged-in-mode-2")
}

/// A strategy with a kind of guard, nil for what the library chooses.
package struct OvercommitSubject: Sendable {
    package let strategy: StackStrategy
    package let guardKind: StackGuard?

    /// Every pair that means something.
    package static let all = StackStrategy.allCases.flatMap { strategy in
        ([nil] + StackGuard.allCases).filter { $0 == nil || StackOption.guardKind.isUsed(by: strategy) }.map {
            OvercommitSubject(strategy: strategy, guardKind: $0)
        }
    }

    /// What the library chooses.
    package static let automatic = "automatic"

    package var guardName: String { guardKind?.rawValue ?? Self.automatic }
    /// What the keys of its findings begin with.
    package var key: String { "\(strategy.rawValue)/\(guardName)" }
}

/// One stack of each kind, made and grown under a mode of overcommit, each in a copy of this process: the mode is the
/// whole machine's, and copies are quickly made.
struct OvercommitExperiment: Experiment {
    let name = "overcommit"

    /// A copy that does not end is ended after this many seconds.
    private static let deadline: UInt32 = 5
    /// Bytes that each stack grows by.
    private static let growth = 64 << 10

    /// Options: `mode`, which is set meanwhile; without it, and where it cannot be set (`refused` says why), the one
    /// that is in force. Finds `limit` where the limit of what may be committed had to be raised meanwhile, in KiB.
    func run(_ options: ExperimentOptions, _ found: Found) throws {
        var keeper: OvercommitKeeper?
        let inForce = SystemFiles().number(OvercommitModeExperiment.path)
        if options.text("mode") != nil, try options.number("mode") != inForce {
            let limit = SystemFiles().number(CommitLimit.path)
            do {
                keeper = try OvercommitKeeper(mode: options.number("mode"))
                if let raised = SystemFiles().number(CommitLimit.path), raised != limit { try found(.limit, raised) }
            } catch let refusal as OvercommitModeRefused {
                try found(.refused, refusal)
            }
        }
        for subject in OvercommitSubject.all {
            try withoutActuallyEscaping(found) { found in
                var job = Job(subject: subject, found: found)
                var error: Int32 = 0
                let status = withUnsafeMutablePointer(to: &job) { job in
                    fk_run_in_copy(
                        { $0?.assumingMemoryBound(to: Job.self).pointee.perform() }, job, Self.deadline, &error)
                }
                guard error == 0 else {
                    throw MeasurementFailure("cannot copy the process: \(ErrorNumber.text(error))")
                }
                guard status == 0 else { throw MeasurementFailure("\(subject.key) did not end as it should") }
            }
        }
        keeper?.end()
        Experiments.finish()
    }

    private struct Job {
        let subject: OvercommitSubject
        let found: Found

        func perform() {
            do { try make() } catch { _exit(1) }
        }

        private func make() throws {
            // What the library takes once: on a stack of a slot in which no default begins.
            try withStack(StackConfiguration(reservation: 1 << 20)) {}
            let configuration = StackConfiguration(
                strategy: subject.strategy, guardKind: subject.guardKind, isIsolated: true)
            // Twice, because reading takes memory too.
            _ = try CommitCharge.current()
            let before = try CommitCharge.current()
            do {
                let stack = try Coroutine<Void, Void, Void>(configuration: configuration) { co, _ in
                    try co.suspend(())
                    fl_probe_touch_stack(OvercommitExperiment.growth)
                }
                _ = try stack.resume()
                let after = try CommitCharge.current()
                try found(.made.of(subject.key), 1)
                try found(.reserved.of(subject.key), after.reserved - before.reserved)
                try found(.charged.of(subject.key), after.charged - before.charged)
                try found(.chargedInMode2.of(subject.key), after.writable - before.writable)
                do {
                    _ = try stack.resume()
                    try found(.grown.of(subject.key), 1)
                } catch let fault as StackFault {
                    try found(.grown.of(subject.key), 0)
                    try found(.error.of(subject.key), "\(fault)".prefix { !$0.isNewline })
                }
            } catch let error as StackError {
                try found(.made.of(subject.key), 0)
                try found(.error.of(subject.key), error)
            }
            _exit(0)
        }
    }
}

/// What the kernel charges this process for, by the flags of its mappings.
private struct CommitCharge {
    /// Address space.
    var reserved = 0
    /// Mappings with the flag `ac` (VM_ACCOUNT): they count towards Committed_AS in full.
    var charged = 0
    /// Private mappings that may be written to: under vm.overcommit_memory 2, where MAP_NORESERVE means nothing, all of
    /// them are charged (mm/mmap.c, accountable_mapping).
    var writable = 0

    /// - Throws: ``MeasurementFailure`` where the kernel does not show flags.
    static func current() throws -> CommitCharge {
        var sum = CommitCharge()
        var size = 0
        var isWritable = false
        var hasFlags = false
        for line in SystemFiles().lines("/proc/self/smaps") {
            let words = line.split(separator: " ")
            guard let first = words.first else { continue }
            if !first.hasSuffix(":") {
                // The line of a mapping: addresses, permissions, …
                isWritable = words.count > 1 && words[1].hasPrefix("rw") && words[1].hasSuffix("p")
            } else if first == "Size:", words.count == 3, let kibibytes = Int(words[1]) {
                size = kibibytes << 10
            } else if first == "VmFlags:" {
                hasFlags = true
                sum.reserved += size
                if words.contains("ac") { sum.charged += size }
                if isWritable { sum.writable += size }
            }
        }
        guard hasFlags else { throw MeasurementFailure("/proc/self/smaps has no VmFlags: the kernel is too old") }
        return sum
    }
}
