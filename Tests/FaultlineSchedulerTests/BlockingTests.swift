// The pool of threads for calls that block, and the names that are looked up there.
import CScheduler
import Faultline
import Glibc
import Testing

@testable import FaultlineScheduler

private enum Bound {
    @TaskLocal static var number = 0
}

extension Schedulers {
    @Suite struct BlockingCalls {
        @Test func aBlockingCallLeavesTheThreadToOthers() throws {
            let turns = Counter()
            let value = try Scheduler.run(threads: 1) {
                let own = threadNumber()
                try Scheduler.spawn { for _ in 0..<10 { turns.increase() } }
                return try Scheduler.blocking {
                    #expect(threadNumber() != own)
                    blockUntil("the other job has run") { turns.value == 10 }
                    return 3
                }
            }
            #expect(value == 3)
        }

        @Test func errorsAndValuesPass() throws {
            try Scheduler.run(threads: 1) {
                #expect(throws: Failure(code: 1)) { try Scheduler.blocking { throw Failure(code: 1) } }
                let bound = try Bound.$number.withValue(4) { try Scheduler.blocking { Bound.number } }
                let unbound = try Scheduler.blocking { Bound.number }
                #expect(bound == 4 && unbound == 0)
                // It runs no job, and may start a run of its own.
                #expect(throws: SchedulerError.outsideJob) { try Scheduler.blocking { try Scheduler.yield() } }
                let inner = try Scheduler.blocking { try Scheduler.run(threads: 1) { 6 } }
                #expect(inner == 6)
            }
            #expect(throws: SchedulerError.outsideJob) { try Scheduler.blocking {} }
        }

        @Test(arguments: [1, 3]) func noMoreCallsRunAtATimeThanThereAreThreads(limit: Int) throws {
            let (running, most, ended) = (Counter(), Log<Int>(), Counter())
            try Scheduler.run(threads: 2, blockingThreads: limit) {
                let jobs = try (0..<30).map { number in
                    try Scheduler.spawn {
                        try Scheduler.blocking {
                            most.append(running.increase())
                            // Until as many run as may, or too few are left for that.
                            blockUntil("all threads are in use") { running.value >= limit || ended.value > 30 - limit }
                            sched_yield()
                            running.increase(by: -1)
                            ended.increase()
                            return number
                        }
                    }
                }
                for (number, job) in jobs.enumerated() { #expect(try job.join() == number) }
                #expect(try AnyJob.current().runtime.blockingPool.threadCount == limit)
            }
            #expect(most.elements.max() == limit)
        }

        @Test func threadsAreUsedAgain() throws {
            try Scheduler.run(threads: 1) {
                for number in 0..<50 {
                    let value = try Scheduler.blocking { number }
                    #expect(value == number)
                }
                #expect(try AnyJob.current().runtime.blockingPool.threadCount == 1)
            }
        }

        @Test func aCancelledJobLeavesItsCallAndTheRunWaitsForIt() throws {
            let (began, go, ended, never) = (Counter(), Counter(), Counter(), Counter())
            try Scheduler.run(threads: 1, blockingThreads: 1) {
                let job = try Scheduler.spawn {
                    try Scheduler.blocking {
                        began.increase()
                        blockUntil("the job has left") { go.value == 1 }
                        ended.increase()
                    }
                }
                try waitUntil("the call has begun") { began.value == 1 }
                // The only thread is in use, so this one does not begin.
                let queued = try Scheduler.spawn { try Scheduler.blocking { _ = never.increase() } }
                try waitUntil("it waits") { queued.isWaiting }
                for job in [job, queued] {
                    job.cancel()
                    #expect(throws: CancellationError.self) { try job.join() }
                }
                go.increase()
            }
            #expect(ended.value == 1 && never.value == 0)
        }

        @Test func waitingForACallIsNoDeadlock() throws {
            let result = try Scheduler.run(threads: 2) {
                let channel = Channel<Int>()
                try Scheduler.spawn {
                    // Longer than it takes to notice that nothing else could run: the sleep is what is tested.
                    try Scheduler.blocking { _ = usleep(20_000) }
                    try channel.send(3)
                }
                return try channel.receive()
            }
            #expect(result == 3)
        }

        @Test func numbersOfThreadsOutOfRangeAreErrors() {
            for count in [0, -1, 1025] {
                #expect(
                    throws: SchedulerError.invalid(
                        "a scheduler cannot have \(count) blocking threads; give it 1 to 1024")
                ) {
                    try Scheduler.run(threads: 1, blockingThreads: count) {}
                }
            }
        }

        @Test func aThreadThatCannotBeStartedFailsTheJobThatAskedUnlessThereIsAnother() throws {
            try Scheduler.run(threads: 1) {
                // The run's own thread runs.
                fls_debug_fail(.FLS_SITE_THREAD_START, EAGAIN, 0, 2)
                defer { fls_debug_fail(.FLS_SITE_THREAD_START, 0, 0, 0) }
                let refused = SchedulerError.system(call: "pthread_create", errno: EAGAIN)
                for _ in 0..<2 { #expect(throws: refused) { try Scheduler.blocking {} } }
                let (began, go) = (Counter(), Counter())
                let first = try Scheduler.spawn {
                    try Scheduler.blocking {
                        began.increase()
                        blockUntil("the second one waits") { go.value == 1 }
                    }
                }
                try waitUntil("the call has begun") { began.value == 1 }
                fls_debug_fail(.FLS_SITE_THREAD_START, EAGAIN, 0, 1)
                let second = try Scheduler.spawn { try Scheduler.blocking { 2 } }
                try waitUntil("it waits for the first one's thread") { second.isWaiting }
                go.increase()
                #expect(try second.join() == 2)
                try first.join()
            }
        }
    }

    @Suite struct Names {
        @Test func addressesAndTheLocalHostAreResolved() throws {
            try Scheduler.run(threads: 1) {
                let addresses = try SocketAddress.resolve("127.0.0.1", port: 80)
                #expect(addresses == [try .ipv4("127.0.0.1", port: 80)])
                #expect(try SocketAddress.resolve("::1", port: 443) == [try .ipv6("::1", port: 443)])
                #expect(try !SocketAddress.resolve("localhost", port: 7).isEmpty)
            }
        }

        @Test func aNameWithoutAnAddressIsAnErrorWithTheResolversReason() throws {
            try Scheduler.run(threads: 1) {
                do {
                    _ = try SocketAddress.resolve("a name with spaces", port: 1)
                    Issue.record("it has an address")
                } catch SchedulerError.unresolved(let host, let reason) {
                    #expect(host == "a name with spaces" && !reason.isEmpty)
                }
            }
        }

        @Test func connectingToAHostTriesItsAddresses() throws {
            try Scheduler.run(threads: 1) {
                let listener = try Descriptor.listening(at: .ipv4("127.0.0.1", port: 0))
                let port = try listener.localAddress.port
                let client = try Descriptor.connected(toHost: "localhost", port: port)
                let server = try listener.accept()
                try client.write([4])
                #expect(try server.read(upTo: 1) == [4])
                #expect(try server.peerAddress == client.localAddress)
                #expect(try client.peerAddress == listener.localAddress)
                try listener.close()
                #expect(throws: SchedulerError.system(call: "connect", errno: ECONNREFUSED)) {
                    try Descriptor.connected(toHost: "127.0.0.1", port: port)
                }
            }
        }
    }

    @Suite struct Datagrams {
        @Test(arguments: ["127.0.0.1", "::1"]) func datagramsCarryTheirSenderAndTheirBounds(host: String) throws {
            try Scheduler.run(threads: 2) {
                func address(_ port: UInt16) throws -> SocketAddress {
                    host == "::1" ? try .ipv6(host, port: port) : try .ipv4(host, port: port)
                }
                let server = try Descriptor.datagrams(at: address(0))
                let to = try server.localAddress
                let echo = try Scheduler.spawn {
                    for _ in 0..<3 {
                        let datagram = try server.receive()
                        try server.send(datagram.bytes.reversed(), to: datagram.source)
                    }
                }
                let client = try Descriptor.datagrams(at: address(0))
                for bytes in [[1, 2, 3], [], [UInt8](repeating: 9, count: 1200)] as [[UInt8]] {
                    try client.send(bytes, to: to)
                    let answer = try client.receive()
                    #expect(answer == Datagram(bytes: bytes.reversed(), source: to, isTruncated: false))
                }
                try echo.join()
                try server.send([1, 2, 3, 4], to: try client.localAddress)
                #expect(try client.receive(upTo: 2) == Datagram(bytes: [1, 2], source: to, isTruncated: true))
                #expect(throws: SchedulerError.self) { try client.receive(upTo: 0) }
                #expect(throws: SchedulerError.system(call: "sendto", errno: EMSGSIZE)) {
                    try client.send([UInt8](repeating: 0, count: 70_000), to: to)
                }
            }
        }

        @Test func aReceiverWaitsAndIsWoken() throws {
            try Scheduler.run(threads: 2) {
                let server = try Descriptor.datagrams(at: .ipv4("127.0.0.1", port: 0))
                let receiving = try Scheduler.spawn { try server.receive() }
                try waitUntil("it waits") { receiving.isWaiting }
                let client = try Descriptor.datagrams(at: .ipv4("127.0.0.1", port: 0))
                try client.send([8], to: try server.localAddress)
                #expect(try receiving.join().bytes == [8])
                #expect(try receiving.join().source == client.localAddress)
            }
        }
    }
}
