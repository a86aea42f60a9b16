// Jobs: results, errors, where they run, and what is left of them.
import Faultline
import Glibc
import TestNeeds
import Testing

@testable import FaultlineScheduler

extension Schedulers {
    @Suite struct JobBehaviour {
        @Test(arguments: [1, 2, 4]) func runReturnsWhatItsBodyReturns(threads: Int) throws {
            #expect(try Scheduler.run(threads: threads) { 42 } == 42)
        }

        @Test func runThrowsWhatItsBodyThrowsAndCancelsTheRest() throws {
            let ended = Log<String>()
            #expect(throws: Failure(code: 7)) {
                try Scheduler.run(threads: 2) {
                    let jobs = try (0..<10).map { _ in
                        try Scheduler.spawn {
                            do { try Scheduler.sleep(for: .seconds(1000)) } catch {
                                ended.append("\(error is CancellationError)")
                                throw error
                            }
                        }
                    }
                    try waitUntil("every job sleeps") { jobs.allSatisfy(\.isWaiting) }
                    throw Failure(code: 7)
                }
            }
            #expect(ended.elements == Array(repeating: "true", count: 10))
        }

        @Test func runWaitsForEveryJob() throws {
            let ended = Counter()
            try Scheduler.run(threads: 2) {
                for _ in 0..<100 {
                    try Scheduler.spawn {
                        try Scheduler.yield()
                        try Scheduler.spawn { ended.increase() }
                        ended.increase()
                    }
                }
            }
            #expect(ended.value == 200)
        }

        @Test func joinGivesResultsAndErrorsToEveryoneAndAlsoLater() throws {
            try Scheduler.run(threads: 3) {
                let gates = (good: Channel<Int>(), bad: Channel<Int>())
                let good = try Scheduler.spawn {
                    _ = try gates.good.receive()
                    return "good"
                }
                let bad = try Scheduler.spawn { () -> Int in
                    _ = try gates.bad.receive()
                    throw Failure(code: 3)
                }
                let joining = try (0..<10).map { _ in
                    try Scheduler.spawn {
                        #expect(throws: Failure(code: 3)) { try bad.join() }
                        return try good.join()
                    }
                }
                try waitUntil("all wait for the one that fails") { joining.allSatisfy(\.isWaiting) }
                gates.bad.close()
                try waitUntil("it has ended, and all wait for the other one") {
                    bad.isFinished && joining.allSatisfy(\.isWaiting)
                }
                gates.good.close()
                for job in joining { #expect(try job.join() == "good") }
                #expect(try good.join() == "good")
                #expect(good.isFinished && bad.isFinished)
                #expect(throws: Failure(code: 3)) { try bad.join() }
            }
        }

        @Test func aJobMayBeGivenWhatCannotBeShared() throws {
            final class Unshared {
                var number = 1
            }
            let value = try Scheduler.run(threads: 2) {
                let unshared = Unshared()
                unshared.number += 1
                let job = try Scheduler.spawn {
                    unshared.number += 1
                    return unshared.number
                }
                return try job.join()
            }
            #expect(value == 3)
        }

        @Test func jobsOfOneThreadTakeTurns() throws {
            let log = Log<String>()
            try Scheduler.run(threads: 1) {
                for name in ["a", "b", "c"] {
                    try Scheduler.spawn {
                        for turn in 1...3 {
                            log.append("\(name)\(turn)")
                            try Scheduler.yield()
                        }
                    }
                }
            }
            #expect(log.elements == ["a1", "b1", "c1", "a2", "b2", "c2", "a3", "b3", "c3"])
        }

        @Test func startedJobStaysOnItsThread() throws {
            let moved = Counter()
            let threads = Log<UInt>()
            try Scheduler.run(threads: 4) {
                for _ in 0..<400 {
                    try Scheduler.spawn {
                        let first = threadNumber()
                        for turn in 0..<20 {
                            if turn % 5 == 0 {
                                try Scheduler.sleep(for: .microseconds(50))
                            } else {
                                try Scheduler.yield()
                            }
                            if threadNumber() != first { moved.increase() }
                        }
                        threads.append(first)
                    }
                }
            }
            #expect(moved.value == 0)
            #expect(threads.elements.count == 400)
        }

        @Test func freshJobsOfABlockedThreadAreStolen() throws {
            let ran = Counter()
            let threads = Log<UInt>()
            let blocked = try Scheduler.run(threads: 3) {
                for _ in 0..<50 {
                    try Scheduler.spawn {
                        threads.append(threadNumber())
                        ran.increase()
                    }
                }
                // Fewer than make a job let others run, so that none has started here yet.
                // Against the rules, on purpose: nothing else runs on this thread until the others have done it all.
                blockUntil("the others have done it all") { ran.value == 50 }
                return threadNumber()
            }
            #expect(ran.value == 50)
            #expect(!threads.elements.contains(blocked))
        }

        @Test func manyJobsOnManyThreadsAllRunOnce() throws {
            let sum = Counter()
            let total = try Scheduler.run(threads: 4) {
                let parents = try (0..<100).map { parent in
                    try Scheduler.spawn {
                        let children = try (0..<100).map { child in
                            try Scheduler.spawn {
                                sum.increase(by: parent * 100 + child)
                                try Scheduler.yield()
                                return 1
                            }
                        }
                        return try children.reduce(0) { try $0 + $1.join() }
                    }
                }
                return try parents.reduce(0) { try $0 + $1.join() }
            }
            #expect(total == 10_000)
            #expect(sum.value == 10_000 * 9_999 / 2)
        }

        @Test(.needs(.noThreadSanitizer)) func tenThousandJobsAreSuspendedAtATime() throws {
            let resumed = Counter()
            try Scheduler.run(threads: 2) {
                let gate = Channel<Int>()
                let jobs = try (0..<10_000).map { _ in
                    try Scheduler.spawn {
                        let element = try gate.receive()
                        #expect(element == nil)
                        resumed.increase()
                    }
                }
                try waitUntil("every job waits") { jobs.allSatisfy(\.isWaiting) }
                gate.close()
                for job in jobs { try job.join() }
            }
            #expect(resumed.value == 10_000)
        }

        @Test func sleepersWakeInTheOrderOfTheirDeadlines() throws {
            // Their deadlines and not their delays: however late one is asked for, its deadline is later than now.
            let log = Log<UInt64>()
            try Scheduler.run(threads: 1) {
                for delay in [50, 10, 40, 20, 30] {
                    try Scheduler.spawn {
                        try Scheduler.sleep(for: .milliseconds(delay))
                        log.append(try AnyJob.current().deadline)
                    }
                }
            }
            #expect(log.elements.count == 5 && log.elements == log.elements.sorted())
        }

        @Test(
            arguments: [
                .seconds(Int64.max) * 2, .seconds(Int64.max), .nanoseconds(Int64.max), .seconds(3600),
            ] as [Duration]) func sleepMayBeOfAnyLength(duration: Duration) throws
        {
            try Scheduler.run(threads: 1) {
                let job = try Scheduler.spawn { try Scheduler.sleep(for: duration) }
                // Enough for a sleep whose end is computed wrongly to be over.
                try Scheduler.sleep(for: .milliseconds(1))
                #expect(!job.isFinished)
                job.cancel()
                #expect(throws: CancellationError.self) { try job.join() }
            }
        }

        @Test func sleepLastsAtLeastAsLongAsAsked() throws {
            let clock = SuspendingClock()
            let elapsed = try Scheduler.run(threads: 1) {
                let start = clock.now
                try Scheduler.sleep(for: .milliseconds(20))
                try Scheduler.sleep(for: .zero)
                try Scheduler.sleep(for: .seconds(-5))
                return clock.now - start
            }
            #expect(elapsed >= .milliseconds(20))
        }

        @Test func nothingIsLeftOfEndedJobs() throws {
            let descriptors = openDescriptors()
            let ignore: @Sendable (UnreceivedError) -> Void = { _ in }
            try Scheduler.run(threads: 2, onUnreceivedError: ignore) {
                for number in 0..<200 {
                    let owned = Tracked()
                    try Scheduler.spawn {
                        try Scheduler.yield()
                        if number % 3 == 0 { throw Failure(code: number) }
                        withExtendedLifetime(owned) {}
                    }
                }
            }
            #expect(Tracked.alive == 0)
            #expect(openDescriptors() == descriptors)
        }
    }
}
