// Channels that Tasks, and jobs of other runs, share.
import Testing

@testable import FaultlineScheduler

extension Schedulers {
    @Suite struct SharedChannels {
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
                await suspendUntil("the Task waits") { channel.hasWaiters }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                #expect(!channel.hasWaiters)
            }
            #expect(Tracked.alive == 0)
            let late = Task {
                await suspendUntil("the Task is cancelled") { Task.isCancelled }
                try await channel.send(Tracked())
            }
            late.cancel()
            await #expect(throws: CancellationError.self) { try await late.value }
        }

        @Test func closingEndsTheWaitsOfTasks() async throws {
            let channel = Channel<Int>(isShared: true)
            let receiver = Task { try await channel.receive() }
            await suspendUntil("the Task waits") { channel.hasWaiters }
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
    }
}
