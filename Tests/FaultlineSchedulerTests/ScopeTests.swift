// Scopes: what ends before what, which errors are thrown, and errors that no code receives.
import Faultline
import Testing

@testable import FaultlineScheduler

/// Waits until it is cancelled, and counts that.
@Sendable private func waitForCancellation(_ cancelled: Counter) throws {
    do { try Scheduler.sleep(for: .seconds(1000)) } catch is CancellationError {
        cancelled.increase()
        throw CancellationError()
    }
}

extension Schedulers {
    @Suite struct Scopes {
        @Test(arguments: [1, 3]) func jobsOfAScopeEndBeforeItDoes(threads: Int) throws {
            try Scheduler.run(threads: threads) {
                let ended = Counter()
                let value = try Scheduler.withScope { scope in
                    for number in 0..<20 {
                        try scope.spawn {
                            for _ in 0..<number { try Scheduler.yield() }
                            // A job of the scope may add to it.
                            try scope.spawn { ended.increase() }
                            ended.increase()
                        }
                    }
                    return try scope.spawn { 5 }.join()
                }
                #expect(value == 5)
                #expect(ended.value == 40)
            }
        }

        @Test(arguments: [1, 3]) func theErrorOfAJobCancelsTheRestAndIsThrown(threads: Int) throws {
            let cancelled = Counter()
            let reports = Log<UnreceivedError>()
            try Scheduler.run(threads: threads, onUnreceivedError: reports.append) {
                #expect(throws: Failure(code: 6)) {
                    try Scheduler.withScope { scope in
                        let others = try (0..<5).map { _ in try scope.spawn { try waitForCancellation(cancelled) } }
                        try waitUntil("all wait") { others.allSatisfy(\.isWaiting) }
                        try scope.spawn { throw Failure(code: 6) }
                        // The body is woken, too.
                        #expect(throws: CancellationError.self) { _ = try Channel<Int>().receive() }
                        #expect(Scheduler.isCancelled)
                        #expect(throws: CancellationError.self) { try scope.spawn {} }
                    }
                }
                #expect(cancelled.value == 5)
                // Only the scope was cancelled.
                #expect(!Scheduler.isCancelled)
                try Scheduler.yield()
            }
            #expect(reports.elements.isEmpty)
        }

        // Each level is a job in a scope of the one before.
        @Test func aDeepTreeOfScopesIsCancelledFromASmallStack() throws {
            let depth = 1000
            let cancelled = Counter()
            let innermost = Channel<Bool>(capacity: 1)
            @Sendable func level(_ below: Int) throws {
                if below == 0 {
                    try innermost.send(true)
                    return try waitForCancellation(cancelled)
                }
                try Scheduler.withScope { scope in
                    _ = try scope.spawn(stack: StackConfiguration(maximum: 64 << 10)) { try level(below - 1) }
                }
            }
            try Scheduler.run(threads: 1) {
                let job = try Scheduler.spawn { try level(depth) }
                _ = try innermost.receive()
                // On a stack that a call for each level would overflow.
                try withGrowableStack(maximum: 64 << 10) { job.cancel() }
                #expect(throws: CancellationError.self) { try job.join() }
            }
            #expect(cancelled.value == 1)
        }

        @Test func cancellationReachesTheOuterScopesOfAJobAtOnce() throws {
            let cancelled = Counter()
            try Scheduler.run(threads: 1) {
                let job = try Scheduler.spawn {
                    try Scheduler.withScope { outer in
                        try outer.spawn(name: "outer") { try waitForCancellation(cancelled) }
                        try Scheduler.withScope { inner in
                            _ = try inner.spawn(name: "inner") { try waitForCancellation(cancelled) }
                        }
                    }
                }
                try waitUntil("both wait") { Scheduler.jobs.count { $0.name != nil } == 2 }
                job.cancel()
                // No other job has run since.
                #expect(Set(Scheduler.jobs.filter(\.isCancelled).compactMap(\.name)) == ["outer", "inner"])
                #expect(throws: CancellationError.self) { try job.join() }
            }
            #expect(cancelled.value == 2)
        }

        @Test func theErrorOfTheBodyCancelsTheJobsAndIsThrown() throws {
            let cancelled = Counter()
            try Scheduler.run(threads: 2) {
                #expect(throws: Failure(code: 1)) {
                    try Scheduler.withScope { scope in
                        let jobs = try (0..<5).map { _ in try scope.spawn { try waitForCancellation(cancelled) } }
                        try waitUntil("all wait") { jobs.allSatisfy(\.isWaiting) }
                        throw Failure(code: 1)
                    }
                }
                #expect(cancelled.value == 5)
            }
        }

        @Test func anErrorAfterTheFirstIsReported() throws {
            let reports = Log<UnreceivedError>()
            _ = try Scheduler.run(threads: 1, onUnreceivedError: reports.append) {
                #expect(throws: Failure(code: 1)) {
                    try Scheduler.withScope { scope in
                        let late = try scope.spawn(name: "late") {
                            do { try Scheduler.sleep(for: .seconds(1000)) } catch { throw Failure(code: 2) }
                        }
                        try waitUntil("it waits") { late.isWaiting }
                        throw Failure(code: 1)
                    }
                }
            }
            #expect(reports.elements.map { $0.error as? Failure } == [Failure(code: 2)])
            #expect(reports.elements.map(\.name) == ["late"])
        }

        @Test func aJobThatIsCancelledAloneIsNoFailure() throws {
            try Scheduler.run(threads: 1) {
                let value = try Scheduler.withScope { scope in
                    let job = try scope.spawn { try Scheduler.sleep(for: .seconds(1000)) }
                    try Scheduler.yield()
                    job.cancel()
                    #expect(throws: CancellationError.self) { try job.join() }
                    return try scope.spawn { 3 }.join()
                }
                #expect(value == 3)
                try Scheduler.withScope { scope in
                    try scope.spawn { try Scheduler.sleep(for: .seconds(1000)) }
                    try Scheduler.yield()
                    scope.cancel()
                }
            }
        }

        @Test func cancellingTheParentReachesTheJobsOfItsScopesAtOnce() throws {
            let (started, cancelled, parents) = (Counter(), Counter(), Log<Job<Void>>())
            // Not a job, which could have the thread on which the parent computes.
            let canceller = Thread {
                blockUntil("the parent computes") { started.value == 4 && parents.elements.count == 1 }
                parents.elements[0].cancel()
            }
            try Scheduler.run(threads: 3) {
                let parent = try Scheduler.spawn {
                    try Scheduler.withScope { outer in
                        try outer.spawn {
                            try Scheduler.withScope { inner in
                                for _ in 0..<3 {
                                    try inner.spawn(name: "of the inner scope") {
                                        started.increase()
                                        try waitForCancellation(cancelled)
                                    }
                                }
                            }
                        }
                        try waitUntil("all have started") { started.value == 3 }
                        started.increase()
                        // It computes, and its jobs are cancelled all the same; some may have its thread.
                        blockUntil("the jobs of the inner scope were cancelled") {
                            Scheduler.jobs.allSatisfy { $0.name != "of the inner scope" || $0.isCancelled }
                        }
                    }
                }
                parents.append(parent)
                #expect(throws: CancellationError.self) { try parent.join() }
                #expect(cancelled.value == 3)
            }
            canceller.join()
        }

        @Test func aFailureOfAnOuterScopeEndsTheInnerOne() throws {
            let cancelled = Counter()
            try Scheduler.run(threads: 2) {
                let gate = Channel<Int>()
                #expect(throws: Failure(code: 9)) {
                    try Scheduler.withScope { outer in
                        try outer.spawn {
                            _ = try gate.receive()
                            throw Failure(code: 9)
                        }
                        try Scheduler.withScope { inner in
                            try inner.spawn { try waitForCancellation(cancelled) }
                            let open = try inner.spawn { gate.close() }
                            try open.join()
                        }
                    }
                }
                #expect(cancelled.value == 1)
                try Scheduler.yield()
            }
        }

        // A failure must not end a wait that its scope's owner begins after the scope.
        @Test func theOwnersNextWaitIsItsOwn() throws {
            try Scheduler.run(threads: 3) {
                for number in 0..<300 {
                    let answers = Channel<Int>()
                    #expect(throws: Failure(code: number)) {
                        try Scheduler.withScope { scope in
                            try scope.spawn { throw Failure(code: number) }
                            try scope.spawn {}
                        }
                    }
                    try Scheduler.spawn { try answers.send(number) }
                    #expect(try answers.receive() == number)
                }
            }
        }

        @Test func manyFailedScopesAreNoJobThatGoesOnAfterItsCancellation() throws {
            try Scheduler.run(threads: 1) {
                for _ in 0..<1500 {
                    #expect(throws: Failure(code: 0)) {
                        try Scheduler.withScope { scope in
                            try scope.spawn { throw Failure(code: 0) }
                            _ = try Channel<Int>().receive()
                        }
                    }
                }
            }
        }

        @Test func aScopeWhoseOwnerOverflowsEndsItsJobsBeforeTheOwnerEnds() throws {
            let small = StackConfiguration(maximum: 64 << 10, isIsolated: true)
            let (cancelled, late) = (Counter(), Counter())
            try Scheduler.run(threads: 2) {
                let owner = try Scheduler.spawn(stack: small) {
                    try Scheduler.withScope { outer in
                        try outer.spawn { try waitForCancellation(cancelled) }
                        return try Scheduler.withScope { inner in
                            let jobs = try (0..<4).map { _ in
                                try inner.spawn {
                                    defer { late.increase() }
                                    do { try waitForCancellation(cancelled) } catch {
                                        // The owner has ended long ago, and must not be seen to.
                                        for _ in 0..<20 { try? Scheduler.yield() }
                                    }
                                }
                            }
                            try waitUntil("all wait") { jobs.allSatisfy(\.isWaiting) }
                            return recurse(10_000_000)
                        }
                    }
                }
                #expect(throws: StackFault.self) { try owner.join() }
                #expect(late.value == 4)
                #expect(cancelled.value == 5)
            }
        }

        @Test func anEndedScopeAndAnotherRunsScopeRefuseJobs() async throws {
            let scopes = Channel<Scope>(capacity: 1, isShared: true)
            let gate = Channel<Int>(isShared: true)
            async let first: Void = Scheduler.run(threads: 1) {
                let ended = try Scheduler.withScope { $0 }
                #expect(throws: SchedulerError.self) { try ended.spawn {} }
                try Scheduler.withScope { scope in
                    try scopes.send(scope)
                    _ = try gate.receive()
                }
            }
            try await Scheduler.run(threads: 1) {
                let foreign = try #require(try scopes.receive())
                #expect(throws: SchedulerError.self) { try foreign.spawn {} }
                gate.close()
            }
            try await first
        }

        @Test func scopesOutsideJobsAreErrors() {
            #expect(throws: SchedulerError.outsideJob) { try Scheduler.withScope { _ in } }
        }
    }

    @Suite struct UnreceivedErrors {
        @Test func theErrorOfAJobThatNoJobJoinsIsReportedOnce() throws {
            let reports = Log<UnreceivedError>()
            let kept = Log<Job<Int>>()
            try Scheduler.run(threads: 2, onUnreceivedError: reports.append) {
                try Scheduler.spawn(name: "lost") { throw Failure(code: 1) }
                // Its handle outlives the run.
                kept.append(try Scheduler.spawn { throw Failure(code: 2) })
                let joined = try Scheduler.spawn { throw Failure(code: 3) }
                #expect(throws: Failure(code: 3)) { try joined.join() }
                try Scheduler.spawn { throw CancellationError() }.cancel()
                let waiting = try Scheduler.spawn { try Scheduler.sleep(for: .seconds(1000)) }
                waiting.cancel()
            }
            #expect(reports.elements.compactMap { ($0.error as? Failure)?.code }.sorted() == [1, 2])
            #expect(reports.elements.contains { $0.name == "lost" })
            let text = try #require(reports.elements.first { $0.name == "lost" }).description
            #expect(text.contains("'lost' ended with an error that no code received: Failure(code: 1)"))
        }

        @Test func anErrorIsReportedWhenTheLastHandleGoesWhileTheRunGoesOn() throws {
            let reports = Log<UnreceivedError>()
            try Scheduler.run(threads: 1, onUnreceivedError: reports.append) {
                var job: Job<Void>? = try Scheduler.spawn { throw Failure(code: 1) }
                try waitUntil("it has ended") { job?.isFinished == true }
                #expect(reports.elements.isEmpty)
                job = nil
                #expect(reports.elements.count == 1)
            }
            #expect(reports.elements.count == 1)
        }

        @Test func theMainJobsErrorIsReportedWhereTheRunThrowsAnother() throws {
            let reports = Log<UnreceivedError>()
            #expect(throws: SchedulerError.deadlock(jobs: 1)) {
                try Scheduler.run(threads: 1, onUnreceivedError: reports.append) {
                    do { _ = try Channel<Int>().receive() } catch { throw Failure(code: 5) }
                }
            }
            #expect(reports.elements.compactMap { $0.error as? Failure } == [Failure(code: 5)])
        }

        @Test func withoutAHandlerThereIsALineOnStandardError() async throws {
            let result = await #expect(
                processExitsWith: .success, observing: [\.standardErrorContent],
                performing: {
                    try await Scheduler.run(threads: 1) {
                        _ = try Scheduler.spawn(name: "first") { throw SchedulerError.invalid("two\nlines") }
                    }
                })
            let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
            let line = "FaultlineScheduler: job 2 'first' ended with an error that no code received: two lines\n"
            #expect(text.contains(line))
        }
    }
}
