// Deadlines and timeouts at every suspension point. Nothing here depends on how long anything takes: what must time out
// waits for what never comes, and what must not has more time than a test may take.
import Faultline
import Glibc
import Testing

@testable import FaultlineScheduler

private let soon = Duration.milliseconds(2)
private let never = Duration.seconds(1000)

/// Calls that take a deadline, each waiting for what never comes.
private enum TimedCall: String, CaseIterable, Sendable {
    case send, sendFull, receive, join, read, readInto, write, accept, connect, datagram, resolve

    func wait(until deadline: SuspendingClock.Instant) throws {
        switch self {
        case .send: try Channel<Tracked>().send(Tracked(), deadline: deadline)
        case .sendFull:
            let channel = Channel<Tracked>(capacity: 1)
            try channel.send(Tracked())
            try channel.send(Tracked(), deadline: deadline)
        case .receive: _ = try Channel<Int>().receive(deadline: deadline)
        case .join:
            let job = try Scheduler.spawn { try Scheduler.sleep(for: never) }
            defer { job.cancel() }
            try job.join(deadline: deadline)
        case .read, .readInto:
            let pipe = try Descriptor.pipe()
            if self == .read {
                _ = try pipe.reading.read(upTo: 1, deadline: deadline)
            } else {
                _ = try withUnsafeTemporaryAllocation(byteCount: 8, alignment: 1) {
                    try pipe.reading.read(into: $0, deadline: deadline)
                }
            }
            withExtendedLifetime(pipe) {}
        case .write:
            let pipe = try Descriptor.pipe()
            try pipe.writing.write([UInt8](repeating: 0, count: 1 << 20), deadline: deadline)
            withExtendedLifetime(pipe) {}
        case .accept:
            _ = try Descriptor.listening(at: .ipv4("127.0.0.1", port: 0)).accept(deadline: deadline)
        case .connect:
            // The listener has room for one connection, and accepts none.
            let path = "/tmp/faultline-\(getpid())-full"
            unlink(path)
            defer { unlink(path) }
            let listener = try Descriptor.listening(at: .unix(path: path), backlog: 0)
            var connections: [Descriptor] = []
            while connections.count < 100 {
                connections.append(try Descriptor.connected(to: try listener.localAddress, deadline: deadline))
            }
        case .datagram:
            _ = try Descriptor.datagrams(at: .ipv4("127.0.0.1", port: 0)).receive(deadline: deadline)
        case .resolve: _ = try SocketAddress.resolve("localhost", port: 1, deadline: deadline)
        }
    }
}

extension Schedulers {
    @Suite struct Timeouts {
        @Test(arguments: TimedCall.allCases.filter { $0 != .resolve }) private func aDeadlineEndsTheWait(
            call: TimedCall
        ) throws {
            let descriptors = openDescriptors()
            try Scheduler.run(threads: 2) {
                #expect(throws: SchedulerError.timedOut) { try call.wait(until: .now + soon) }
                // The limit was the call's.
                try Scheduler.sleep(for: soon)
            }
            #expect(Tracked.alive == 0)
            #expect(openDescriptors() == descriptors)
        }

        @Test(arguments: TimedCall.allCases) private func aDeadlineThatIsOverIsNoticedBeforeWaiting(
            call: TimedCall
        ) throws {
            _ = try Scheduler.run(threads: 1) {
                #expect(throws: SchedulerError.timedOut) { try call.wait(until: .now - soon) }
            }
        }

        @Test(arguments: TimedCall.allCases.filter { $0 != .resolve }) private func timeoutsLimitEveryWaitInThem(
            call: TimedCall
        ) throws {
            try Scheduler.run(threads: 1) {
                #expect(throws: SchedulerError.timedOut) {
                    try Scheduler.withTimeout(soon) { try call.wait(until: .now + never) }
                }
                try Scheduler.yield()
            }
        }

        @Test func timeoutsEndSleepsSelectsScopesTasksAndBlockingCalls() throws {
            let (started, ended, gate) = (Counter(), Counter(), Counter())
            try Scheduler.run(threads: 2) {
                let calls: [@Sendable () throws -> Void] = [
                    { try Scheduler.sleep(for: never) },
                    { while true { try Scheduler.yield() } },
                    { try Scheduler.select(.receive(Channel<Int>()) { _ in }, .after(never) {}) },
                    {
                        try Scheduler.withScope { scope in
                            _ = try scope.spawn {
                                started.increase()
                                defer { ended.increase() }
                                try Scheduler.sleep(for: never)
                            }
                        }
                    },
                    {
                        try Scheduler.await {
                            started.increase()
                            defer { ended.increase() }
                            try await Task.sleep(for: never)
                        }
                    },
                    { try Scheduler.blocking { blockUntil("the job has gone on") { gate.value == 1 } } },
                ]
                for call in calls {
                    #expect(throws: SchedulerError.timedOut) { try Scheduler.withTimeout(soon, call) }
                }
                #expect(started.value == ended.value)
                #expect(!Scheduler.isCancelled)
                gate.increase()
            }
        }

        @Test func theEarliestOfSeveralTimeoutsCounts() throws {
            try Scheduler.run(threads: 1) {
                let log = Log<String>()
                #expect(throws: SchedulerError.timedOut) {
                    try Scheduler.withTimeout(soon) {
                        do { try Scheduler.withTimeout(never) { try Scheduler.sleep(for: never) } } catch {
                            log.append("inner \(error as? SchedulerError == .timedOut)")
                        }
                        // The outer one is still over.
                        try Scheduler.yield()
                        log.append("went on")
                    }
                }
                #expect(log.elements == ["inner true"])
                let value = try Scheduler.withTimeout(never) {
                    #expect(throws: SchedulerError.timedOut) {
                        try Scheduler.withTimeout(soon) { try Scheduler.sleep(for: never) }
                    }
                    try Scheduler.sleep(for: soon)
                    return 4
                }
                #expect(value == 4)
                #expect(throws: SchedulerError.timedOut) { try Scheduler.withTimeout(.zero) { try Scheduler.yield() } }
                #expect(throws: SchedulerError.timedOut) {
                    try Scheduler.withTimeout(.seconds(-1)) { try Scheduler.yield() }
                }
                // Nothing in it suspends.
                #expect(try Scheduler.withTimeout(.zero) { 5 } == 5)
                try Scheduler.withTimeout(.seconds(Int64.max)) { try Scheduler.sleep(for: soon) }
            }
        }

        @Test func whatComesInTimeIsNoTimeout() throws {
            try Scheduler.run(threads: 2) {
                let channel = Channel<Int>()
                for number in 0..<200 {
                    try Scheduler.spawn { try channel.send(number, deadline: .now + never) }
                    #expect(try channel.receive(deadline: .now + never) == number)
                }
                #expect(throws: Failure(code: 1)) { try Scheduler.withTimeout(never) { throw Failure(code: 1) } }
            }
        }

        // An element that was sent was received, whatever ended which wait.
        @Test func timeoutsRaceWithWakingWithoutLosingOrDoublingAnything() throws {
            let (sent, received) = (Counter(), Counter())
            try Scheduler.run(threads: 4) {
                for number in 0..<400 {
                    let channel = Channel<Int>()
                    let limit = Duration.microseconds(number % 40)
                    let receiver = try Scheduler.spawn {
                        do {
                            if try channel.receive(deadline: .now + limit) == 1 { received.increase() }
                        } catch SchedulerError.timedOut {}
                    }
                    let sender = try Scheduler.spawn {
                        do {
                            try channel.send(1, deadline: .now + limit)
                            sent.increase()
                        } catch SchedulerError.timedOut {}
                    }
                    try receiver.join()
                    try sender.join()
                }
            }
            #expect(sent.value == received.value)
        }

        @Test func timeoutsOutsideJobsAreErrors() {
            #expect(throws: SchedulerError.outsideJob) { try Scheduler.withTimeout(never) {} }
        }
    }
}
