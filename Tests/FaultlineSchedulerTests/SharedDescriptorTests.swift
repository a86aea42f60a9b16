// What the threads of one run share with another run, or with threads of none: descriptors, and how they wake each
// other.
import CScheduler
import FaultlineScheduler
import Glibc
import Testing

extension Schedulers {
    @Suite struct SharedDescriptors {
        @Test func descriptorMayServeTwoRuns() throws {
            let (reader, writer) = try Descriptor.pipe()
            for number in 1...3 as ClosedRange<UInt8> {
                let received = try Scheduler.run(threads: 2) {
                    let reading = try Scheduler.spawn { try reader.read(upTo: 1) }
                    try waitUntil("the reader waits") { reading.isWaiting }
                    try writer.write([number])
                    return try reading.join()
                }
                #expect(received == [number])
            }
        }

        @Test func descriptorServesARunWhoseNeighbourEndedFirst() throws {
            let (reader, writer) = try Descriptor.pipe()
            let waiting = Counter()
            // The first to wait, so that its worker has the descriptor in its epoll.
            let first = Thread {
                try? Scheduler.run(threads: 1) {
                    let reading = try Scheduler.spawn { try reader.read(upTo: 1) }
                    try waitUntil("the reader waits") { reading.isWaiting }
                    waiting.increase()
                    try waitUntil("the other run's reader waits") { waiting.value == 2 }
                    reading.cancel()
                }
            }
            blockUntil("the first run's reader waits") { waiting.value == 1 }
            let received = try Thread.result {
                try Scheduler.run(threads: 1) {
                    let reading = try Scheduler.spawn { try reader.read(upTo: 1) }
                    try waitUntil("the reader waits") { reading.isWaiting }
                    waiting.increase()
                    first.join()
                    try writer.write([7])
                    // If nothing wakes it, it does not wait for ever.
                    try Scheduler.spawn {
                        for _ in 0..<1000 where !reading.isFinished { try Scheduler.sleep(for: .milliseconds(5)) }
                        reading.cancel()
                    }
                    return try reading.join()
                }
            }
            #expect(received == [7])
        }

        @Test func readingWakesFromAnotherThreadThanAnyWorker() throws {
            let (reader, writer) = try Descriptor.pipe()
            let number = writer.number
            let handle = Log<Job<[UInt8]>>()
            let outside = Thread {
                blockUntil("the reader waits") { handle.elements.first?.isWaiting == true }
                var byte: UInt8 = 6
                _ = write(number, &byte, 1)
            }
            let received = try Scheduler.run(threads: 2) {
                let reading = try Scheduler.spawn { try reader.read(upTo: 1) }
                handle.append(reading)
                return try reading.join()
            }
            #expect(received == [6])
            outside.join()
            withExtendedLifetime(writer) {}
        }

        // In a process of its own, where nothing else takes the numbers that the run gave back.
        @Test func threadThatWakesARunAtItsEndWritesToNothingElse() async throws {
            await #expect(processExitsWith: .success) {
                // A thread that found the worker asleep has not written yet when the worker wakes by itself and ends.
                var hasHit = false
                for _ in 0..<50 where !hasHit {
                    let calls = fls_debug_calls(.FLS_SITE_WAKE)
                    let handle = Log<Job<Void>>()
                    fls_debug_pause(.FLS_SITE_WAKE, 200)
                    let canceller = Thread {
                        blockUntil("the job exists") { !handle.elements.isEmpty }
                        let waits = fls_debug_calls(.FLS_SITE_EPOLL_WAIT)
                        blockUntil("the worker waits") { fls_debug_calls(.FLS_SITE_EPOLL_WAIT) > waits }
                        handle.elements[0].cancel()
                    }
                    try await Scheduler.run(threads: 1) {
                        let job = try Scheduler.spawn { try Scheduler.sleep(for: .seconds(1000)) }
                        try Scheduler.yield()
                        handle.append(job)
                        while fls_debug_calls(.FLS_SITE_WAKE) == calls && !job.isFinished {
                            // After which the worker wakes by itself.
                            try Scheduler.sleep(for: .milliseconds(20))
                        }
                    }
                    hasHit = fls_debug_calls(.FLS_SITE_WAKE) > calls
                    // The kernel gives the lowest free numbers.
                    let reused = (0..<4).map { _ in fls_eventfd() }
                    canceller.join()
                    for number in reused {
                        var value: UInt64 = 0
                        #expect(read(number, &value, 8) == -1 && errno == EAGAIN, "\(value) was written")
                        _ = fls_close(number)
                    }
                }
                #expect(hasHit)
            }
        }
    }
}
