// Jobs that compute for long: the watchdog, and what other threads take meanwhile. Counts decide, not times.
import CScheduler
import Faultline
import Glibc
import Testing

@testable import FaultlineScheduler

extension Schedulers {
    @Suite struct LongTurns {
        @Test func aJobThatComputesIsReportedOnceForEachTurn() throws {
            let reports = Log<Watchdog.LongTurn>()
            let watchdog = Watchdog(threshold: .milliseconds(2)) { if $0.name == "computing" { reports.append($0) } }
            let (id, thread) = try Scheduler.run(threads: 2, watchdog: watchdog) {
                let job = try Scheduler.spawn(name: "computing") {
                    blockUntil("it is reported") { reports.elements.count == 1 }
                    // While it computes it is not reported again.
                    for _ in 0..<20 { fls_pause() }
                    #expect(reports.elements.count == 1)
                    try Scheduler.yield()
                    blockUntil("its second turn is reported") { reports.elements.count == 2 }
                    return fls_thread_number()
                }
                return (job.id, try job.join())
            }
            let last = try #require(reports.elements.last)
            #expect(reports.elements.count == 2)
            #expect(last.id == id && last.systemThread == thread && last.duration >= .milliseconds(2))
            #expect(last.description.contains("job \(id) 'computing' has computed for "))
        }

        @Test func onlyATurnThatLastsIsReported() {
            var history = TurnHistory()
            #expect(history.look((0, 0), at: 0, threshold: 10) == nil)
            // No job runs, however long.
            #expect(history.look((0, 0), at: 100, threshold: 10) == nil)
            // Another turn each time.
            for turn in 1...5 as ClosedRange<UInt64> {
                #expect(history.look((1, turn), at: 100 + 10 * turn, threshold: 10) == nil)
            }
            #expect(history.look((1, 5), at: 159, threshold: 10) == nil)
            #expect(history.look((1, 5), at: 160, threshold: 10) == 10)
            #expect(history.look((1, 5), at: 300, threshold: 10) == nil)
            #expect(history.look((2, 6), at: 310, threshold: 10) == nil)
            #expect(history.look((2, 6), at: 330, threshold: 10) == 20)
        }

        @Test func aThresholdOutOfRangeAndAThreadThatCannotBeStartedAreErrors() throws {
            #expect(throws: SchedulerError.self) {
                try Scheduler.run(threads: 1, watchdog: Watchdog(threshold: .microseconds(999))) {}
            }
            fls_debug_fail(.FLS_SITE_THREAD_START, EAGAIN, 0, 1)
            defer { fls_debug_fail(.FLS_SITE_THREAD_START, 0, 0, 0) }
            #expect(throws: SchedulerError.system(call: "pthread_create", errno: EAGAIN)) {
                try Scheduler.run(threads: 1, watchdog: Watchdog(threshold: .seconds(1))) {}
            }
        }

        @Test func withoutAReportThereIsALineOnStandardError() async throws {
            let result = await #expect(
                processExitsWith: .success, observing: [\.standardErrorContent],
                performing: {
                    try await Scheduler.run(threads: 1, watchdog: Watchdog(threshold: .milliseconds(1))) {
                        // Long enough for a report, and nothing to wait for it with.
                        for _ in 0..<2000 { fls_pause() }
                    }
                })
            let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
            #expect(text.contains("FaultlineScheduler: job 1 has computed for "))
        }

        // One job spawns the others and suspends; the one that then computes on its thread waits for all of them.
        @Test(arguments: [2, 4]) func freshJobsLeaveAThreadWhoseJobComputes(threads: Int) throws {
            let (ran, stolen) = (Counter(), Log<UInt>())
            let blocked = try Scheduler.run(threads: threads) {
                let gate = Channel<Int>(capacity: 1)
                let computing = try Scheduler.spawn {
                    _ = try gate.receive()
                    for _ in 0..<100 {
                        try Scheduler.spawn {
                            stolen.append(threadNumber())
                            ran.increase()
                        }
                    }
                    // It has let others run every 64 spawns at most; from here on it keeps its thread.
                    let before = ran.value
                    blockUntil("the other threads have run the rest") { ran.value == 100 }
                    return (threadNumber(), before)
                }
                try gate.send(1)
                return try computing.join()
            }
            #expect(ran.value == 100)
            // Those that the computing thread has run, it ran before.
            #expect(stolen.elements.count { $0 == blocked.0 } <= blocked.1)
        }
    }
}
