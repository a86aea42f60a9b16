// Between jobs and Swift's Tasks, in both directions.
import CScheduler
import Faultline
import Glibc
import Testing

@testable import FaultlineScheduler

private enum Bound {
    @TaskLocal static var number = 0
}

/// Cannot be shared; may be sent.
private final class Unshared {
    var number = 0
}

extension Schedulers {
    @Suite struct TaskBridges {
        // MARK: a Task waits for a job

        @Test func aTaskAwaitsTheValueOfAJobOfARunInProgress() async throws {
            let handles = Channel<Job<Int>>(capacity: 1, isShared: true)
            let gate = Channel<Int>(isShared: true)
            async let result = Scheduler.run(threads: 2) {
                try handles.send(try Scheduler.spawn { (try gate.receive() ?? 0) + 1 })
                return "run"
            }
            let job = try #require(try await handles.receive())
            async let value = job.value
            await suspendUntil("the job waits") { job.isWaiting }
            try await gate.send(41)
            #expect(try await value == 42)
            #expect(try await job.value == 42)
            #expect(try await result == "run")
        }

        @Test func aTaskGetsTheErrorOfAJob() async throws {
            let handles = Channel<Job<Int>>(capacity: 2, isShared: true)
            let reports = Log<UnreceivedError>()
            try await Scheduler.run(threads: 1, onUnreceivedError: reports.append) {
                try handles.send(try Scheduler.spawn { throw Failure(code: 4) })
                let small = StackConfiguration(maximum: 64 << 10, isIsolated: true)
                try handles.send(try Scheduler.spawn(stack: small) { recurse(10_000_000) })
                let jobs = try [#require(try handles.receive()), #require(try handles.receive())]
                // Awaited before the run ends, so that no error is left over.
                try Scheduler.await {
                    await #expect(throws: Failure(code: 4)) { try await jobs[0].value }
                    await #expect(throws: StackFault.self) { try await jobs[1].value }
                }
            }
            #expect(reports.elements.isEmpty)
        }

        @Test func cancellingATaskCancelsTheJobThatItAwaits() async throws {
            let handles = Channel<Job<Void>>(capacity: 1, isShared: true)
            async let run: Void = Scheduler.run(threads: 1) {
                let job = try Scheduler.spawn { try Scheduler.sleep(for: .seconds(1000)) }
                try handles.send(job)
                #expect(throws: CancellationError.self) { try job.join() }
            }
            let job = try #require(try await handles.receive())
            let task = Task { try await job.value }
            await suspendUntil("the job sleeps") { job.isWaiting }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(job.isFinished)
            try await run
        }

        @Test func cancellingATaskCancelsTheRunThatItAwaits() async throws {
            let started = Counter()
            let ended = Counter()
            let task = Task {
                try await Scheduler.run(threads: 2) {
                    for _ in 0..<5 {
                        try Scheduler.spawn {
                            started.increase()
                            defer { ended.increase() }
                            try Scheduler.sleep(for: .seconds(1000))
                        }
                    }
                    try Scheduler.sleep(for: .seconds(1000))
                }
            }
            await suspendUntil("all have started") { started.value == 5 }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(ended.value == 5)
            let early = Task {
                await suspendUntil("the Task is cancelled") { Task.isCancelled }
                return try await Scheduler.run(threads: 1) { try Scheduler.yield() }
            }
            early.cancel()
            await #expect(throws: CancellationError.self) { try await early.value }
        }

        @Test func aRunThatATaskAwaitsThrowsAsTheOtherFormDoes() async throws {
            await #expect(throws: Failure(code: 3)) { try await Scheduler.run(threads: 1) { throw Failure(code: 3) } }
            await #expect(throws: SchedulerError.deadlock(jobs: 1)) {
                try await Scheduler.run(threads: 1) { _ = try Channel<Int>().receive() }
            }
            // First the thread that would wait for the run, then one of the run's.
            let descriptors = openDescriptors()
            for passing in 0...2 as ClosedRange<UInt32> {
                fls_debug_fail(.FLS_SITE_THREAD_START, EAGAIN, passing, 1)
                defer { fls_debug_fail(.FLS_SITE_THREAD_START, 0, 0, 0) }
                await #expect(throws: SchedulerError.system(call: "pthread_create", errno: EAGAIN)) {
                    try await Scheduler.run(threads: 2) { 1 }
                }
                #expect(openDescriptors() == descriptors)
            }
            let value = try await Bound.$number.withValue(6) { try await Scheduler.run(threads: 1) { Bound.number } }
            #expect(value == 6)
        }

        // MARK: a job waits for a Task

        @Test func aJobThatAwaitsLeavesItsThreadToOthers() throws {
            let turns = Counter()
            let value = try Scheduler.run(threads: 1) {
                let gate = Channel<Int>(isShared: true)
                try Scheduler.spawn {
                    for _ in 0..<10 {
                        try Scheduler.yield()
                        turns.increase()
                    }
                    try gate.send(5)
                }
                return try Scheduler.await { try await gate.receive() }
            }
            #expect(value == 5)
            #expect(turns.value == 10)
        }

        @Test func anAwaitedTaskPassesItsErrorAndHasTheJobsValues() throws {
            try Scheduler.run(threads: 1) {
                #expect(throws: Failure(code: 8)) { try Scheduler.await { throw Failure(code: 8) } }
                let number = try Bound.$number.withValue(9) {
                    try Scheduler.await {
                        await Task.yield()
                        return Bound.number
                    }
                }
                #expect(number == 9)
                #expect(try Scheduler.await { @MainActor in 1 } == 1)
                // Sent, not shared.
                let unshared = Unshared()
                #expect(
                    try Scheduler.await {
                        unshared.number += 1
                        await Task.yield()
                        return unshared.number
                    } == 1)
            }
        }

        @Test func cancellingAJobCancelsTheTaskThatItAwaits() throws {
            let log = Log<String>()
            try Scheduler.run(threads: 1) {
                let job = try Scheduler.spawn {
                    try Scheduler.await {
                        do { try await Task.sleep(for: .seconds(1000)) } catch {
                            log.append("\(Task.isCancelled)")
                            // It goes on, and the job waits for it.
                            for _ in 0..<10 { await Task.yield() }
                            log.append("end")
                        }
                        return 7
                    }
                }
                try waitUntil("the job waits") { job.isWaiting }
                job.cancel()
                job.cancel()
                #expect(try job.join() == 7)
                #expect(log.elements == ["true", "end"])
            }
        }

        @Test func waitingForATaskIsNoDeadlock() throws {
            for threads in [1, 3] {
                let result = try Scheduler.run(threads: threads) {
                    let channel = Channel<Int>()
                    try Scheduler.spawn {
                        // Longer than it takes to notice that nothing else could run: the sleep is what is tested.
                        try Scheduler.await { try await Task.sleep(for: .milliseconds(20)) }
                        try channel.send(3)
                    }
                    return try channel.receive()
                }
                #expect(result == 3)
            }
        }

        @Test func aJobOverflowsAfterItAwaitedAndOthersGoOn() throws {
            let small = StackConfiguration(maximum: 64 << 10, isIsolated: true)
            try Scheduler.run(threads: 2) {
                let jobs = try (0..<10).map { _ in
                    try Scheduler.spawn(stack: small) {
                        recurse(
                            try Scheduler.await {
                                await Task.yield()
                                return 10_000_000
                            })
                    }
                }
                for job in jobs { #expect(throws: StackFault.self) { try job.join() } }
                #expect(try Scheduler.await { 1 } == 1)
            }
        }
    }
}
