// Overflows of stacks that are no job's, wherever they meet a call that takes a lock of the scheduler.
import Faultline
import FaultlineScheduler
import Glibc
import TestSupport
import Testing

/// Calls `body` below a frame of `bytes`.
private func below(_ bytes: Int, _ body: () -> Void) {
    withoutActuallyEscaping(body) { body in
        var body = body
        withUnsafeMutablePointer(to: &body) { pointer in
            ts_call_below(bytes, { $0!.assumingMemoryBound(to: (() -> Void).self).pointee() }, pointer)
        }
    }
}

/// Calls `body` on small isolated stacks, with every distance to their end from none to seven pages: a
/// sanitizer makes frames several times as large.
/// - Returns: how many of them overflowed, and how many calls returned.
private func sweep(_ body: () -> Void) throws -> (overflows: Int, returns: Int) {
    let maximum = 32 << 10
    let small = StackConfiguration(maximum: maximum, isIsolated: true)
    var count = (overflows: 0, returns: 0)
    for distance in stride(from: 0, to: 7 * 4096, by: 16) {
        do {
            try withStack(small) { below(maximum - distance, body) }
            count.returns += 1
        } catch StackFault.overflow {
            count.overflows += 1
        }
    }
    return count
}

extension Schedulers {
    // In processes of their own: a lock that stays locked stops for ever what wants it, so an alarm ends them.
    @Suite struct NoAbandonLocks {
        @Test func overflowInsideACallLeavesNoLockBehind() async throws {
            await #expect(processExitsWith: .success) {
                alarm(60)
                let (job, sleeper) = try await Scheduler.run(threads: 1) {
                    (try Scheduler.spawn { 1 }, try Scheduler.spawn { 2 })
                }
                let channel = Channel<Int>(capacity: 1)
                let (one, other) = try Descriptor.socketPair()
                let calls: [@Sendable () -> Void] = [
                    { _ = job.isFinished }, { sleeper.cancel() }, { channel.close() },
                    { _ = Scheduler.jobs }, { try? one.shutDownWriting() }, { try? one.close() },
                ]
                for (number, call) in calls.enumerated() {
                    let count = try sweep(call)
                    #expect(count.overflows > 0 && count.returns > 0, "call \(number): \(count)")
                    // From another thread, which would wait for the lock.
                    try Thread.result { call() }
                }
                #expect(job.isFinished)
                try other.close()
            }
        }

        // Near the end of a stack that a job made for itself.
        @Test func overflowOfAJobsGrowableStackLeavesNoLockBehind() async throws {
            await #expect(processExitsWith: .success) {
                alarm(60)
                try await Scheduler.run(threads: 2) {
                    let channel = Channel<Int>()
                    let receivers = try (0..<4).map { _ in try Scheduler.spawn { try channel.receive() } }
                    let sleeper = try Scheduler.spawn { try Scheduler.sleep(for: .seconds(1000)) }
                    try waitUntil("all wait") { sleeper.isWaiting && receivers.allSatisfy(\.isWaiting) }
                    try Scheduler.withScope { scope in
                        let child = try scope.spawn { try Scheduler.sleep(for: .seconds(1000)) }
                        try waitUntil("it waits") { child.isWaiting }
                        let calls = [
                            { _ = sleeper.isFinished }, { sleeper.cancel() }, { channel.close() },
                            { _ = Scheduler.jobs }, { scope.cancel() },
                        ]
                        for call in calls {
                            let count = try sweep(call)
                            #expect(count.overflows > 0 && count.returns > 0, "\(count)")
                        }
                    }
                    #expect(throws: CancellationError.self) { try sleeper.join() }
                    for receiver in receivers { #expect(try receiver.join() == nil) }
                }
            }
        }
    }
}
