// How many instructions a program executes with and without checks. The processor's own counter where the machine has
// one, else valgrind; each count says by which it was made. What valgrind counted in this process is not counted again:
// it depends on nothing but the code and its input.

import CPeers
import CProbes
import Faultline
import Measurement
import Processes
import Report
import Synchronization
import Workloads

/// What counted.
package enum InstructionCounting: String {
    case processor
    case valgrind
}

extension Metric {
    /// How many instructions plain code executes for each check that checked code executes.
    package static let instructionsPerCheck = Metric("instructions-per-check", .instructions)
}

/// What counted, opened once for a claim.
package struct InstructionCounts {
    private static let known = Mutex<[String: ExecutionCount]>([:])

    package let counting: InstructionCounting
    private let counter: ExecutionCounter?

    /// - Parameter simulating: only valgrind will do, because caches are simulated too.
    /// - Returns: Nil when nothing can count here, which is reported as missing.
    package init?(_ laboratory: Laboratory, simulating: Bool = false) {
        if !simulating, Self.processorCounts() {
            (counting, counter) = (.processor, nil)
            return
        }
        do throws(ProcessError) {
            (counting, counter) = (.valgrind, try ExecutionCounter())
            let version = try counter?.version() ?? ""
            laboratory.note(
                simulating
                    ? "instruction caches are simulated by \(version) (cachegrind, \(ExecutionCounter.cache))"
                    : "instructions are counted by \(version), because this machine shows no hardware counters")
        } catch {
            laboratory.missing("\(error)")
            return nil
        }
    }

    /// Executed instructions of one run of `code`, simulated misses where they are simulated, and touched lines if
    /// asked for.
    private func count(
        _ prepared: PreparedWorkload, _ code: LoadedCode, withLines: Bool, _ laboratory: Laboratory
    ) throws -> ExecutionCount {
        guard let counter else { return try processorCount(prepared, code) }
        let key = "\(code.path ?? "") \(prepared.summary)"
        if let count = Self.known.withLock({ $0[key] }) { return count }
        let count = try WorkloadError.reporting { () throws(ProcessError) in
            try counter.count(prepared, code, withLines: withLines) { laboratory.isAskedToStop }
        }
        Self.known.withLock { $0[key] = count }
        return count
    }

    /// What one run of the short input takes, without checks and with them.
    package func pair(
        _ subject: CheckSubject, layoutSeed: UInt32? = nil, inlining: CodeInlining = .standard, claim: String,
        _ laboratory: Laboratory
    ) throws -> (plain: ExecutionCount, checked: ExecutionCount) {
        let prepared = try ShortRuns.prepare(subject.workload, .counted)
        let counts = try [CodeVariant.plain, .checked].map { variant in
            try laboratory.step("\(claim): \(subject.name): counting the instructions of \(variant) code")
            let code = try CodeLoader().load(
                subject.workload, variant: variant, layoutSeed: layoutSeed, inlining: inlining)
            // Lines are the same in every order of functions but for their ends.
            return try count(prepared, code, withLines: layoutSeed == nil && inlining == .standard, laboratory)
        }
        return (counts[0], counts[1])
    }

    private func processorCount(_ prepared: PreparedWorkload, _ code: LoadedCode) throws -> ExecutionCount {
        // The first run fills caches of the allocator and of the runtime; the minimum of the others is without
        // interrupts.
        let counts = try (0..<6).map { _ in
            try Self.counted { _ = try withStack(CheckSubject.stack) { try prepared.run(code) } }
        }
        guard let minimum = counts.dropFirst().min() else { throw MeasurementFailure("nothing was counted") }
        return ExecutionCount(instructions: Double(minimum))
    }

    /// The instructions that this thread executes in `body`.
    private static func counted(_ body: () throws -> Void) throws -> UInt64 {
        let descriptor = fl_counter_open()
        guard descriptor >= 0 else {
            throw MeasurementFailure("instructions cannot be counted: \(ErrorNumber.text(-descriptor))")
        }
        defer { fl_counter_close(descriptor) }
        var (before, after): (UInt64, UInt64) = (0, 0)
        let first = fl_counter_read(descriptor, &before)
        try body()
        let second = fl_counter_read(descriptor, &after)
        guard first == 0, second == 0 else {
            throw MeasurementFailure("instructions cannot be counted: \(ErrorNumber.text(max(first, second)))")
        }
        return after - before
    }

    /// Some virtual machines have a counter that stands still: only one that counts a known loop will do.
    private static func processorCounts() -> Bool {
        let calls: UInt64 = 100_000
        guard let count = try? counted({ fl_peer_plain_calls(calls) }) else { return false }
        // A call, a return and the loop around them: from 3 to 100 instructions each.
        return count > 3 * calls && count < 100 * calls
    }
}
