// What a run and its jobs refuse, and how: overflows, missing memory, wrong callers, deadlocks.
import CShim
import FaultlineScheduler
import Glibc
import Testing

@testable import Faultline

extension Schedulers {
    @Suite struct Refusals {
        @Test func overflowFailsTheJoinAndNothingElse() throws {
            let small = StackConfiguration(maximum: 64 << 10, isIsolated: true)
            let others = Counter()
            try Scheduler.run(threads: 2) {
                for _ in 0..<20 {
                    try Scheduler.spawn {
                        for _ in 0..<50 { try Scheduler.yield() }
                        others.increase()
                    }
                }
                let deep = try (0..<20).map { number in
                    try Scheduler.spawn(stack: small) {
                        try Scheduler.yield()
                        return recurse(number % 2 == 0 ? 10_000_000 : 10)
                    }
                }
                for (number, job) in deep.enumerated() {
                    if number % 2 == 1 {
                        #expect(try job.join() == 10)
                        continue
                    }
                    do {
                        _ = try job.join()
                        Issue.record("no overflow")
                    } catch StackFault.overflow(let overflow) {
                        #expect(overflow.limit == 64 << 10)
                    }
                }
            }
            #expect(others.value == 20)
        }

        @Test func mainJobsOverflowIsThrownByRun() throws {
            #expect {
                try Scheduler.run(threads: 1, stack: StackConfiguration(maximum: 64 << 10, isIsolated: true)) {
                    recurse(10_000_000)
                }
            } throws: { error in
                if case StackFault.overflow = error { true } else { false }
            }
        }

        // In a process of its own, because the failing call is every stack's.
        @Test func jobThatGetsNoStackFailsAlone() async throws {
            await #expect(processExitsWith: .success) {
                try await Scheduler.run(threads: 1) {
                    // Nothing has stacks of this size so far, so that an arena has to be made.
                    fl_debug_fail(.FL_SITE_ARENA_MAP, ENOMEM, 0)
                    let huge = StackConfiguration(reservation: 1 << 30, isIsolated: true)
                    let large = try Scheduler.spawn(stack: huge) { 1 }
                    let other = try Scheduler.spawn { 2 }
                    #expect(throws: StackError.unavailable(.init(.call(.FL_SITE_ARENA_MAP), ENOMEM, for: .creation))) {
                        try large.join()
                    }
                    #expect(try other.join() == 2)
                    fl_debug_fail(.FL_SITE_ARENA_MAP, 0, 0)
                    #expect(try Scheduler.spawn(stack: huge) { 3 }.join() == 3)
                }
            }
        }

        // Each job owns a descriptor, which is closed while the job is made to fail.
        @Test func jobWithoutAStackGivesUpTheDescriptorItOwns() async throws {
            await #expect(processExitsWith: .success) {
                @Sendable func job(_ stack: StackConfiguration = Scheduler.defaultStack) throws -> Job<Int32> {
                    let (one, other) = try Descriptor.socketPair()
                    return try Scheduler.spawn(stack: stack) { one.number + other.number }
                }
                try await Scheduler.run(threads: 2) {
                    let descriptors = openDescriptors()
                    fl_debug_fail(.FL_SITE_ARENA_MAP, ENOMEM, 0)
                    let huge = try job(StackConfiguration(reservation: 1 << 30, isIsolated: true))
                    #expect(throws: StackError.unavailable(.init(.call(.FL_SITE_ARENA_MAP), ENOMEM, for: .creation))) {
                        try huge.join()
                    }
                    fl_debug_fail(.FL_SITE_ARENA_MAP, 0, 0)
                    #expect(openDescriptors() == descriptors)

                    // The other thread has not run a job yet: this one is blocked until it has tried to.
                    fl_debug_fail(.FL_SITE_ALTERNATE_MAP, ENOMEM, 0)
                    let calls = fl_debug_calls(.FL_SITE_ALTERNATE_MAP)
                    let first = try job()
                    blockUntil("it has tried") { fl_debug_calls(.FL_SITE_ALTERNATE_MAP) > calls }
                    #expect(throws: StackError.self) { try first.join() }
                    #expect(openDescriptors() == descriptors)
                    fl_debug_fail(.FL_SITE_ALTERNATE_MAP, 0, 0)
                    let second = try job()
                    #expect(try second.join() > 0)
                }
            }
        }

        @Test func invalidStackFailsTheJoin() throws {
            try Scheduler.run(threads: 1) {
                let job = try Scheduler.spawn(stack: StackConfiguration(maximum: 2 << 30)) { 1 }
                #expect(throws: StackError.self) { try job.join() }
            }
        }

        @Test func nestedRunAndWrongThreadNumbersAreErrors() throws {
            _ = try Scheduler.run(threads: 1) {
                #expect(throws: SchedulerError.nested) { _ = try Scheduler.run { 1 } }
            }
            for threads in [0, -1, 1025] {
                #expect(throws: SchedulerError.invalid("a scheduler cannot have \(threads) threads; give it 1 to 1024"))
                {
                    try Scheduler.run(threads: threads) { 1 }
                }
            }
        }

        @Test func nothingSuspendsOutsideAJob() throws {
            let job = try Scheduler.run(threads: 1) { try Scheduler.spawn { 1 } }
            let channel = Channel<Int>(capacity: 1)
            let (one, other) = try Descriptor.socketPair()
            #expect(throws: SchedulerError.outsideJob) { try Scheduler.yield() }
            #expect(throws: SchedulerError.outsideJob) { try Scheduler.sleep(for: .seconds(1)) }
            #expect(throws: SchedulerError.outsideJob) { try Scheduler.spawn { 1 } }
            #expect(throws: SchedulerError.outsideJob) { try job.join() }
            #expect(throws: SchedulerError.outsideJob) { try channel.send(1) }
            #expect(throws: SchedulerError.outsideJob) { try channel.receive() }
            #expect(throws: SchedulerError.outsideJob) { try Scheduler.await { 1 } }
            #expect(throws: SchedulerError.outsideJob) { try SocketAddress.resolve("localhost", port: 1) }
            #expect(throws: SchedulerError.outsideJob) { try one.receive() }
            #expect(throws: SchedulerError.outsideJob) { try one.read(upTo: 1) }
            #expect(throws: SchedulerError.outsideJob) { try other.write([1]) }
            #expect(!Scheduler.isCancelled)
            #expect(job.isFinished)
        }

        @Test func nothingSuspendsInsideACoroutineOfAJob() throws {
            try Scheduler.run(threads: 1) {
                let inside = Generator<Int> { (yield: borrowing Generator<Int>.Yield) in
                    #expect(throws: SchedulerError.outsideJob) { try Scheduler.yield() }
                    try yield.suspend(1)
                }
                #expect(Array(inside) == [1])
                try Scheduler.yield()
            }
        }
    }

    @Suite struct Deadlocks {
        @Test(arguments: [1, 3]) func receivingWhatIsNeverSentIsADeadlock(threads: Int) throws {
            let ended = Counter()
            #expect(throws: SchedulerError.deadlock(jobs: 3)) {
                try Scheduler.run(threads: threads) {
                    let channel = Channel<Int>()
                    for _ in 0..<2 {
                        try Scheduler.spawn {
                            defer { ended.increase() }
                            _ = try channel.receive()
                        }
                    }
                    defer { ended.increase() }
                    _ = try channel.receive()
                }
            }
            #expect(ended.value == 3)
        }

        @Test func jobsThatJoinEachOtherAreADeadlock() throws {
            #expect(throws: SchedulerError.deadlock(jobs: 2)) {
                try Scheduler.run(threads: 2) {
                    let handles = Channel<Job<Void>>(capacity: 1)
                    let job = try Scheduler.spawn {
                        if let own = try handles.receive() { try own.join() }
                    }
                    try handles.send(job)
                    try job.join()
                }
            }
        }

        @Test func jobsLeftWhenTheMainJobEndedAreADeadlock() throws {
            #expect(throws: SchedulerError.deadlock(jobs: 1)) {
                try Scheduler.run(threads: 2) {
                    try Scheduler.spawn { try Channel<Int>().send(1) }
                    return
                }
            }
        }

        @Test func sleepingOrWaitingForInputIsNoDeadlock() throws {
            let result = try Scheduler.run(threads: 2) {
                let channel = Channel<Int>()
                let (reader, writer) = try Descriptor.pipe()
                try Scheduler.spawn {
                    // The sleep is what is tested: meanwhile nothing else could wake the others.
                    try Scheduler.sleep(for: .milliseconds(30))
                    try writer.write([5])
                }
                try Scheduler.spawn { try channel.send(Int(try reader.read(upTo: 8)[0])) }
                return try channel.receive()
            }
            #expect(result == 5)
        }
    }
}
