// Between jobs and Swift's Tasks, in both directions.
import CScheduler
import Faultline
import Glibc
import Testing

@testable import FaultlineScheduler

private enum Bound {
    @TaskLocal static var number = 0
}

/// Lets other Tasks run until `condition` holds, for a minute at most.
private func wait(until what: String, _ condition: () -> Bool) async {
    let deadline = ContinuousClock.now + .seconds(60)
    while !condition() {
        guard ContinuousClock.now < deadline else {
            Issue.record("never happened: \(what)")
            return
        }
        await Task.yield()
    }
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
            await wait(until: "the job waits") { job.isWaiting }
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
            await wait(until: "the job sleeps") { job.isWaiting }
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
            await wait(until: "all have started") { started.value == 5 }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(ended.value == 5)
            let early = Task {
                await wait(until: "the Task is cancelled") { Task.isCancelled }
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
            fls_debug_fail(.FLS_SITE_THREAD_START, EAGAIN, 0, 1)
            defer { fls_debug_fail(.FLS_SITE_THREAD_START, 0, 0, 0) }
            await #expect(throws: SchedulerError.system(call: "pthread_create", errno: EAGAIN)) {
                try await Scheduler.run(threads: 1) { 1 }
            }
            let value = try await Bound.$number.withValue(6) { try await Scheduler.run(threads: 1) { Bound.number } }
            #expect(value == 6)
        }

        // MARK: channels

        @Test(arguments: [0, 3]) func tasksAndJobsShareAChannelInBothDirections(capacity: Int) async throws {
            let there = Channel<Int>(capacity: capacity, isShared: true)
            let back = Channel<Int>(capacity: capacity, isShared: true)
            async let run: Void = Scheduler.run(threads: 2) {
                for number in there { try back.send(number * 2) }
                back.close()
            }
            async let sending: Void = {
                for number in 0..<500 { try await there.send(number) }
                there.close()
            }()
            var received: [Int] = []
            while let number = try await back.receive() { received.append(number) }
            #expect(received == (0..<500).map { $0 * 2 })
            _ = try await (sending, run)
        }

        @Test func manyTasksAndJobsLoseNothing() async throws {
            let channel = Channel<Int>(capacity: 2, isShared: true)
            let sum = Counter()
            async let run: Void = Scheduler.run(threads: 3) {
                let senders = try (0..<10).map { sender in
                    try Scheduler.spawn { for number in 0..<200 { try channel.send(sender * 200 + number) } }
                }
                for _ in 0..<5 { try Scheduler.spawn { for number in channel { sum.increase(by: number) } } }
                for sender in senders { try sender.join() }
                try Scheduler.await { try await channel.send(0) }
                channel.close()
            }
            try await withThrowingTaskGroup { group in
                for _ in 0..<5 {
                    group.addTask { while let number = try await channel.receive() { sum.increase(by: number) } }
                }
                try await group.waitForAll()
            }
            try await run
            #expect(sum.value == 2000 * 1999 / 2)
        }

        @Test func aCancelledTaskLeavesTheChannel() async throws {
            let channel = Channel<Tracked>(isShared: true)
            for isSender in [true, false] {
                let task = Task {
                    if isSender { try await channel.send(Tracked()) } else { _ = try await channel.receive() }
                }
                await wait(until: "the Task waits") { channel.hasWaiters }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                #expect(!channel.hasWaiters)
            }
            #expect(Tracked.alive == 0)
            let late = Task {
                await wait(until: "the Task is cancelled") { Task.isCancelled }
                try await channel.send(Tracked())
            }
            late.cancel()
            await #expect(throws: CancellationError.self) { try await late.value }
        }

        @Test func closingEndsTheWaitsOfTasks() async throws {
            let channel = Channel<Int>(isShared: true)
            let receiver = Task { try await channel.receive() }
            await wait(until: "the Task waits") { channel.hasWaiters }
            channel.close()
            #expect(try await receiver.value == nil)
            await #expect(throws: SchedulerError.channelClosed) { try await channel.send(1) }
        }

        @Test func aChannelOfOneRunRefusesTasks() async throws {
            let channel = Channel<Int>(capacity: 1)
            await #expect(throws: SchedulerError.self) { try await channel.send(1) }
            await #expect(throws: SchedulerError.self) { try await channel.receive() }
        }

        @Test func aCancelledTaskAndASenderAtTheSameTimeLoseNothing() async throws {
            let (sent, received) = (Counter(), Counter())
            try await Scheduler.run(threads: 2) {
                for _ in 0..<300 {
                    let channel = Channel<Int>(isShared: true)
                    let task = Task { try await channel.receive() }
                    let sender = try Scheduler.spawn { try channel.send(1) }
                    task.cancel()
                    let isReceived = try Scheduler.await { try? await task.value } != nil
                    if isReceived { received.increase() } else { sender.cancel() }
                    do {
                        try sender.join()
                        sent.increase()
                    } catch is CancellationError {}
                }
            }
            #expect(sent.value == received.value)
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

        @Test func waitingForATaskInAChannelIsNoDeadlock() async throws {
            let channel = Channel<Int>(isShared: true)
            async let result = Scheduler.run(threads: 2) { try channel.receive() }
            // The sleep is what is tested: nothing else could wake the job meanwhile.
            try await Task.sleep(for: .milliseconds(20))
            try await channel.send(4)
            #expect(try await result == 4)
        }

        @Test func jobsOfTwoRunsShareAChannelAndJoinEachOther() async throws {
            let channel = Channel<Job<Int>>(isShared: true)
            let gate = Channel<Int>(isShared: true)
            async let first: Void = Scheduler.run(threads: 1) {
                let job = try Scheduler.spawn { (try gate.receive() ?? 0) + 1 }
                try channel.send(job)
            }
            async let second = Scheduler.run(threads: 1) {
                let job = try #require(try channel.receive())
                try Scheduler.spawn {
                    try waitUntil("the job of the other run waits") { job.isWaiting }
                    try gate.send(1)
                }
                return try job.join()
            }
            #expect(try await second == 2)
            try await first
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
