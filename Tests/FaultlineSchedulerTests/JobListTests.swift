// The list of jobs: each state, and each thing that a job can wait for.
import Faultline
import Glibc
import Testing

@testable import FaultlineScheduler

/// Functions that a job waits below.
@inline(never) private func outerFunction(_ gate: Channel<Int>) throws { _ = keep(try innerFunction(gate)) }
@inline(never) private func innerFunction(_ gate: Channel<Int>) throws -> Int? { keep(try gate.receive()) }

extension Schedulers {
    @Suite struct JobLists {
        @Test(arguments: [1, 3]) func aJobThatWaitsShowsItsFrames(threads: Int) throws {
            try Self.showFrames(threads: threads, hibernates: false)
        }

        // In a process of its own: other suites count what hibernates in theirs.
        @Test(arguments: [1, 3]) func aJobThatHibernatesShowsItsFrames(threads: Int) async {
            await #expect(processExitsWith: .success) { [threads] in
                try Self.showFrames(threads: threads, hibernates: true)
            }
        }

        private static func showFrames(threads: Int, hibernates: Bool) throws {
            let policy = hibernates ? HibernationPolicy(idle: .zero, isUnshared: true) : nil
            try Scheduler.run(threads: threads, hibernation: policy) {
                let gate = Channel<Int>()
                let jobs = try (0..<12).map { _ in try Scheduler.spawn(name: "list deep") { try outerFunction(gate) } }
                try waitUntil("all wait") { jobs.allSatisfy(\.isWaiting) }
                let listed = Scheduler.jobs.filter { $0.name == "list deep" }
                #expect(listed.count == 12)
                for info in listed {
                    let functions = try Scheduler.backtrace(of: info).compactMap(\.symbol)
                    let inner = functions.firstIndex { $0.contains("innerFunction") }
                    let outer = functions.firstIndex { $0.contains("outerFunction") }
                    #expect(try #require(inner) < #require(outer), "\(functions)")
                }
                gate.close()
                for job in jobs { try job.join() }
                #expect(try Scheduler.backtrace(of: listed[0]).isEmpty)
            }
        }

        @Test func theFramesOfAJobOfAnotherRunAreAskedFor() async throws {
            let gate = Channel<Int>(isShared: true)
            async let other: Void = Scheduler.run(threads: 1) {
                try Scheduler.spawn(name: "list foreign") { try outerFunction(gate) }.join()
            }
            try await Scheduler.run(threads: 1) {
                func find() -> JobInfo? {
                    Scheduler.jobs.first { $0.name == "list foreign" && $0.state == .waiting(.receiving) }
                }
                try waitUntil("it waits") { find() != nil }
                let info = try #require(find())
                let functions = try Scheduler.backtrace(of: info).compactMap(\.symbol)
                #expect(functions.contains { $0.contains("outerFunction") })
                gate.close()
                try waitUntil("its run has ended") { !Scheduler.jobs.contains { $0.run == info.run } }
                #expect(try Scheduler.backtrace(of: info).isEmpty)
            }
            try await other
            let info = JobInfo(run: 0, id: 1, name: nil, state: .ready, isCancelled: false, thread: 0)
            #expect(throws: SchedulerError.outsideJob) { try Scheduler.backtrace(of: info) }
        }

        private static func state(_ name: String) -> JobInfo.State? {
            Scheduler.jobs.first { $0.name == name }?.state
        }

        @Test func everyWaitIsListed() async throws {
            let shared = Channel<Int>(isShared: true)
            try await Scheduler.run(threads: 2) {
                let (empty, done) = (Channel<Int>(), Counter())
                let pipe = try Descriptor.pipe()
                let sleeper = try Scheduler.spawn(name: "list time") { try Scheduler.sleep(for: .seconds(1000)) }
                let waits: [(String, JobInfo.Wait, @Sendable () throws -> Void)] = [
                    ("list job", .job(sleeper.id), { try sleeper.join() }),
                    ("list sending", .sending, { try Channel<Int>().send(1) }),
                    ("list receiving", .receiving, { _ = try empty.receive() }),
                    ("list selecting", .selecting, { try Scheduler.select(.receive(empty) { _ in }) }),
                    ("list reading", .reading(pipe.reading.number), { _ = try pipe.reading.read(upTo: 1) }),
                    (
                        "list writing", .writing(pipe.writing.number),
                        { try pipe.writing.write([UInt8](repeating: 0, count: 1 << 20)) }
                    ),
                    ("list task", .task, { _ = try Scheduler.await { try await shared.receive() } }),
                    (
                        "list blocking", .blockingCall,
                        { try Scheduler.blocking { blockUntil("all were listed") { done.value == 1 } } }
                    ),
                    (
                        "list scope", .scope,
                        {
                            try Scheduler.withScope { scope in
                                _ = try scope.spawn { try Scheduler.sleep(for: .seconds(1000)) }
                            }
                        }
                    ),
                ]
                // The reader would empty the pipe for the writer.
                let jobs = try waits.filter { $0.0 != "list reading" }.map { name, _, body in
                    try Scheduler.spawn(name: name, body)
                }
                for (name, wait, _) in waits where name != "list reading" {
                    try waitUntil("\(name) waits") { Self.state(name) == .waiting(wait) }
                }
                #expect(Self.state("list time") == .waiting(.time))
                for job in jobs { job.cancel() }
                done.increase()
                for job in jobs { #expect(throws: CancellationError.self) { try job.join() } }
                let other = try Descriptor.pipe()
                let reading = try Scheduler.spawn(name: "list reading") { try other.reading.read(upTo: 1) }
                try waitUntil("it waits") { Self.state("list reading") == .waiting(.reading(other.reading.number)) }
                for job in [reading.cancel, sleeper.cancel] { job() }
            }
        }

        @Test func freshReadyRunningAndCancelledJobsAreListed() throws {
            try Scheduler.run(threads: 1) {
                let other = try Scheduler.spawn(name: "list other") { while true { try Scheduler.yield() } }
                #expect(Self.state("list other") == .fresh)
                try Scheduler.yield()
                #expect(Self.state("list other") == .ready)
                let run = try AnyJob.current().runtime.number
                let own = try #require(Scheduler.jobs.first { $0.run == run && $0.id == 1 })
                #expect(own.state == .running && own.thread == 0 && !own.isCancelled)
                other.cancel()
                let info = try #require(Scheduler.jobs.first { $0.name == "list other" })
                #expect(info.isCancelled && info.id == other.id && info.run == own.run)
                #expect(info.description == "run \(own.run) thread 0 job \(other.id) 'list other': ready, cancelled")
                #expect(throws: CancellationError.self) { try other.join() }
                #expect(Self.state("list other") == nil)
            }
        }

        @Test func anotherThreadListsTheJobsOfARunWhileTheyCompute() throws {
            let listed = Counter()
            let outside = Thread {
                blockUntil("the job runs and its neighbour is fresh") {
                    Self.state("list computing") == .running && Self.state("list behind") == .fresh
                }
                listed.increase()
            }
            try Scheduler.run(threads: 1) {
                _ = try Scheduler.spawn(name: "list computing") {
                    try Scheduler.spawn(name: "list behind") {}
                    blockUntil("they were listed") { listed.value == 1 }
                }
            }
            outside.join()
            #expect(Self.state("list computing") == nil)
        }

        @Test(
            arguments: [
                .time, .job(7), .scope, .sending, .receiving, .selecting, .reading(3), .writing(Int32.max), .task,
                .blockingCall, .backtrace,
            ] as [JobInfo.Wait]) func aWaitAndItsWordAreTheSame(wait: JobInfo.Wait)
        {
            #expect(JobInfo.Wait(word: wait.word) == wait)
        }
    }

    @Suite struct ErrorTexts {
        @Test func systemErrorsHaveTheirTextBesideTheNumber() {
            #expect(
                "\(SchedulerError.system(call: "connect", errno: ECONNREFUSED))"
                    == "connect failed with errno \(ECONNREFUSED): Connection refused")
            let unknown = SchedulerError.system(call: "read", errno: 5000)
            #expect("\(unknown)" == "read failed with errno 5000: Unknown error 5000")
            #expect("\(SchedulerError.unresolved(host: "a", reason: "b"))" == "no address of 'a': b")
        }
    }
}
