// What a thread keeps for the code that runs on it belongs to the job.
import Faultline
import FaultlineScheduler
import TestSupport
import Testing

private enum Bound {
    @TaskLocal static var number = 0
}

extension Schedulers {
    @Suite struct JobThreadState {
        private static func exchangeValues(_ count: Int, threads: Int) throws {
            let before = Bound.number
            try Scheduler.run(threads: threads) {
                #expect(Bound.number == before)
                let jobs = try (1...count).map { number in
                    try Bound.$number.withValue(number) {
                        try Scheduler.spawn {
                            for round in 0..<20 {
                                #expect(Bound.number == number)
                                try Bound.$number.withValue(1000 * number + round) {
                                    try Scheduler.yield()
                                    #expect(Bound.number == 1000 * number + round)
                                }
                                try Scheduler.yield()
                            }
                            return Bound.number
                        }
                    }
                }
                #expect(Bound.number == before)
                #expect(try jobs.map { try $0.join() } == Array(1...count))
            }
            #expect(Bound.number == before)
        }

        @Test(arguments: [1, 4]) func eachJobHasTheValuesOfWhereItWasSpawned(_ threads: Int) async throws {
            try Self.exchangeValues(50, threads: threads)
            try Bound.$number.withValue(7) { try Self.exchangeValues(10, threads: threads) }
            try await Task.detached { try Bound.$number.withValue(8) { try Self.exchangeValues(10, threads: threads) } }
                .value
        }

        @Test func aJobThatNeverStartsGivesItsValuesBack() throws {
            #expect(throws: CancellationError.self) {
                try Scheduler.run(threads: 1) {
                    for number in 1...10 {
                        try Bound.$number.withValue(number) { _ = try Scheduler.spawn { Issue.record("it ran") } }
                    }
                    throw CancellationError()
                }
            }
            #expect(Bound.number == 0)
        }

        /// Each job suspends inside a C++ handler and throws again what it caught.
        @Test(arguments: [1, 4]) func jobsThatSleepInsideAHandlerKeepTheirExceptions(_ threads: Int) throws {
            try Scheduler.run(threads: threads) {
                let jobs = try (1...40).map { number in
                    try Scheduler.spawn {
                        ts_catch_around(
                            Int32(number),
                            { _ in
                                do { for _ in 0..<5 { try Scheduler.yield() } } catch { Issue.record("\(error)") }
                            }, nil)
                    }
                }
                #expect(try jobs.map { try $0.join() } == (1...40).map { Int32($0) })
            }
            #expect(!ts_handles_exception() && ts_uncaught_exceptions() == 0)
        }
    }
}
