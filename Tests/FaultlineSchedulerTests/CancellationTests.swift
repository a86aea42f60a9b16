// Cancellation at every suspension point: of a job that was cancelled before, and of one that waits there.
import Faultline
import FaultlineScheduler
import Glibc
import Testing

/// Something that a job can wait for, and would for ever.
enum WaitingPlace: String, CaseIterable, Sendable {
    case yield, sleep, join, send, sendFull, receive, read, write, accept, datagram, select, scope, task, blocking

    func wait(_ log: Log<String>) throws {
        switch self {
        case .yield: while true { try Scheduler.yield() }
        case .sleep: try Scheduler.sleep(for: .seconds(1000))
        case .join:
            let job = try Scheduler.spawn { try Scheduler.sleep(for: .seconds(1000)) }
            defer { job.cancel() }
            try job.join()
        case .send: try Channel<Tracked>().send(Tracked())
        case .sendFull:
            let channel = Channel<Tracked>(capacity: 2)
            for _ in 0..<3 { try channel.send(Tracked()) }
        case .receive: _ = try Channel<Int>().receive()
        case .read:
            let pipe = try Descriptor.pipe()
            _ = try pipe.reading.read(upTo: 1)
            withExtendedLifetime(pipe) {}
        case .write:
            let pipe = try Descriptor.pipe()
            try pipe.writing.write([UInt8](repeating: 0, count: 1 << 20))
            withExtendedLifetime(pipe) {}
        case .datagram: _ = try Descriptor.datagrams(at: .ipv4("127.0.0.1", port: 0)).receive()
        case .select:
            let channel = Channel<Tracked>()
            try Scheduler.select(
                .receive(Channel<Int>()) { _ in }, .send(Tracked(), to: channel) {}, .receive(channel) { _ in },
                .after(.seconds(1000)) {})
        case .scope:
            try Scheduler.withScope { scope in _ = try scope.spawn { try Scheduler.sleep(for: .seconds(1000)) } }
        case .task: try Scheduler.await { try await Task.sleep(for: .seconds(1000)) }
        case .blocking:
            let gate = Counter()
            defer { gate.increase() }
            try Scheduler.blocking { blockUntil("the job has gone on") { gate.value > 0 } }
        case .accept: _ = try Descriptor.listening(at: .ipv4("127.0.0.1", port: 0)).accept()
        }
        log.append("went on")
    }
}

extension Schedulers {
    @Suite struct Cancellation {
        @Test(arguments: WaitingPlace.allCases) func cancellationWakesAWaitingJob(place: WaitingPlace) throws {
            let descriptors = openDescriptors()
            let log = Log<String>()
            try Scheduler.run(threads: 2) {
                let started = Counter()
                let jobs = try (0..<8).map { _ in
                    try Scheduler.spawn {
                        started.increase()
                        try place.wait(log)
                    }
                }
                // One that lets others run is ready again at once.
                try waitUntil("every job waits") {
                    started.value == 8 && (place == .yield || jobs.allSatisfy(\.isWaiting))
                }
                for job in jobs { job.cancel() }
                for job in jobs { #expect(throws: CancellationError.self) { try job.join() } }
            }
            #expect(log.elements == [])
            #expect(Tracked.alive == 0)
            #expect(openDescriptors() == descriptors)
        }

        @Test(arguments: WaitingPlace.allCases) func cancellationIsNoticedBeforeWaiting(place: WaitingPlace) throws {
            let log = Log<String>()
            try Scheduler.run(threads: 1) {
                let handles = Channel<Job<Void>>(capacity: 1)
                let job = try Scheduler.spawn {
                    try #require(try handles.receive()).cancel()
                    #expect(Scheduler.isCancelled)
                    #expect(throws: CancellationError.self) { try Scheduler.checkCancellation() }
                    try place.wait(log)
                }
                try handles.send(job)
                #expect(throws: CancellationError.self) { try job.join() }
                #expect(!Scheduler.isCancelled)
            }
            #expect(log.elements == [])
        }

        @Test func cancellationStaysAndDoesNotReachTheJobsThatWereSpawned() throws {
            let log = Log<String>()
            try Scheduler.run(threads: 2) {
                let job = try Scheduler.spawn {
                    try? Scheduler.sleep(for: .seconds(1000))
                    for _ in 0..<3 { #expect(throws: CancellationError.self) { try Scheduler.yield() } }
                    try Scheduler.spawn {
                        try Scheduler.yield()
                        log.append("child")
                    }
                    return 5
                }
                try waitUntil("the job sleeps") { job.isWaiting }
                job.cancel()
                #expect(try job.join() == 5)
            }
            #expect(log.elements == ["child"])
        }

        @Test func aCancelledJobThatHasNotStartedNeverRuns() throws {
            let log = Log<String>()
            try Scheduler.run(threads: 1) {
                let job = try Scheduler.spawn { log.append("ran") }
                job.cancel()
                #expect(throws: CancellationError.self) { try job.join() }
            }
            #expect(log.elements == [])
        }

        @Test func cancellingAnEndedJobChangesNothing() throws {
            try Scheduler.run(threads: 1) {
                let job = try Scheduler.spawn { 1 }
                #expect(try job.join() == 1)
                job.cancel()
                #expect(try job.join() == 1)
            }
        }

        @Test func cancellationComesFromAnyThread() throws {
            let handle = Log<Job<Void>>()
            let canceller = Thread {
                blockUntil("the job sleeps") { handle.elements.first?.isWaiting == true }
                handle.elements[0].cancel()
            }
            try Scheduler.run(threads: 2) {
                let job = try Scheduler.spawn { try Scheduler.sleep(for: .seconds(1000)) }
                handle.append(job)
                #expect(throws: CancellationError.self) { try job.join() }
            }
            canceller.join()
        }

        @Test func cancellationRacesWithWakingWithoutLosingOrDoublingAnything() throws {
            let sent = Counter()
            let received = Counter()
            let cancelled = Counter()
            try Scheduler.run(threads: 4) {
                for _ in 0..<300 {
                    let channel = Channel<Int>()
                    let receiver = try Scheduler.spawn { try channel.receive() }
                    let sender = try Scheduler.spawn { try channel.send(1) }
                    try Scheduler.spawn {
                        receiver.cancel()
                        sender.cancel()
                    }
                    do {
                        try sender.join()
                        sent.increase()
                    } catch is CancellationError { cancelled.increase() }
                    do {
                        if try receiver.join() == 1 { received.increase() }
                    } catch is CancellationError { cancelled.increase() }
                }
            }
            // Without a buffer both got through, or neither.
            #expect(sent.value == received.value)
            #expect(sent.value + received.value + cancelled.value == 600)
        }
    }
}
