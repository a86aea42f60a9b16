// Stacks that grow on several threads at the same moment, in one address space, or tasks that descend.
//
// Each thread has coroutines that wait. At a barrier all threads begin to resume theirs, each of which grows and waits
// again; the phase ends when the last thread is through. Making stacks and giving them back happens outside the phase.
// Every thread's processor time is read from its own clock, around its own work: what a thread waits for the others at
// the barrier counts as elapsed time alone. Tasks do the same on executors of their own.

import CPeers
import CProbes
import Faultline
import Glibc
import Measurement
import Peers

extension Finding {
    /// How many; not there where that mover did nothing.
    static func moves(by mover: PageMover) -> Finding { Finding("moves/\(mover.rawValue)") }
    /// From the first thread's begin to the last one's end, in nanoseconds.
    static func elapsed(phase: Int) -> Finding { Finding("elapsed/\(phase)") }
    /// Processor time of all threads, in nanoseconds.
    static func processorTime(phase: Int) -> Finding { Finding("processor-time/\(phase)") }
    /// Of one phase.
    static let stores = Finding("stores")
}

struct ContentionExperiment: Experiment {
    let name = "contention"

    /// Coroutines of each thread, or tasks.
    private static let stacks = 64

    /// What grows.
    private enum Kind: String { case stack, task }

    /// Options: `kind`; `threads`; `phases`; `depths`, at which each coroutine stores, in bytes below its first frames,
    /// separated by commas; `growths` of each coroutine, as they must be counted; `calls` that do nothing, at each
    /// depth, as work that threads share nothing for; those of a stack. A task descends by `bytes` of frames instead of
    /// its stores.
    func run(_ options: ExperimentOptions, _ found: Found) throws {
        let threads = try options.number("threads")
        let phases = try options.number("phases")
        let depths = (options.text("depths") ?? "").split(separator: ",").compactMap { Int($0) }
        let configuration = try options.stackConfiguration()
        let work: Work =
            switch try options.choice("kind", or: Kind.stack) {
            case .stack: .stores(configuration, depths, calls: UInt64(try options.number("calls", or: 0)))
            case .task: .descent(frames: try Self.frames(in: options.number("bytes")))
            }
        let job = Job(work, phases: phases, stacks: Self.stacks, threads: threads)
        // The process's first stack, and with it the handlers.
        try withStack(configuration) {}
        FaultStatistics.resetProcess()
        let others = try (1..<max(1, threads)).map { try job.start($0) }
        job.work(0)
        for thread in others { pthread_join(thread, nil) }
        let expected = try options.number("growths") * Self.stacks * threads * (phases + 1)
        let statistics = FaultStatistics.process
        guard statistics.growths == expected else {
            throw MeasurementFailure("\(statistics.growths) growths instead of \(expected)")
        }
        for (mover, count) in statistics.moves where count > 0 { try found(.moves(by: mover), count) }
        // The first phase warms up.
        for (phase, took) in job.took.dropFirst().enumerated() {
            try found(.elapsed(phase: phase), took.elapsed)
            try found(.processorTime(phase: phase), took.processor)
        }
        try found(.stores, depths.count * Self.stacks * threads)
        Experiments.finish()
    }

    /// How many asynchronous frames take that many bytes of a task: found by trying, because how large one is depends
    /// on how this program was compiled.
    private static func frames(in bytes: Int) throws -> Int {
        func taken(frames: Int) throws -> Int {
            let descents = TaskPeer.Descents(stacks, depth: frames)
            let before = fl_probe_heap_in_use()
            descents.proceed()
            let after = fl_probe_heap_in_use()
            descents.proceed()
            guard descents.ended == stacks, after > before else {
                throw MeasurementFailure("tasks that descend \(frames) frames took no memory")
            }
            return Int(after - before) / stacks
        }
        let few = 1000
        let frames = bytes * few / (try taken(frames: few))
        let found = try taken(frames: frames)
        guard abs(found - bytes) < bytes / 10 else {
            throw MeasurementFailure("\(frames) frames of tasks take \(found) bytes instead of \(bytes)")
        }
        return frames
    }

    /// What a thread does to make things grow.
    private enum Work {
        /// Coroutines store at these depths, and call something between that does nothing.
        case stores(StackConfiguration, [Int], calls: UInt64)
        /// Tasks descend.
        case descent(frames: Int)
    }

    /// What the threads share.
    // Safe to share: constants; `took`, which only the first thread touches; and for each thread its place in
    // `processorTimes`, which the first one reads between two barriers.
    private final class Job: @unchecked Sendable {
        let work: Work
        let phases: Int
        let stacks: Int
        private let barrier = UnsafeMutablePointer<pthread_barrier_t>.allocate(capacity: 1)
        private let processorTimes: UnsafeMutableBufferPointer<UInt64>
        private(set) var took: [(elapsed: UInt64, processor: UInt64)] = []

        init(_ work: Work, phases: Int, stacks: Int, threads: Int) {
            (self.work, self.phases, self.stacks) = (work, phases, stacks)
            processorTimes = .allocate(capacity: threads)
            processorTimes.initialize(repeating: 0)
            pthread_barrier_init(barrier, nil, UInt32(threads))
        }

        private struct Start {
            let job: Job
            let thread: Int
        }

        func start(_ number: Int) throws -> pthread_t {
            let start = UnsafeMutablePointer<Start>.allocate(capacity: 1)
            start.initialize(to: Start(job: self, thread: number))
            var thread = pthread_t()
            let error = pthread_create(
                &thread, nil,
                { start in
                    let start = start!.assumingMemoryBound(to: Start.self)
                    start.pointee.job.work(start.pointee.thread)
                    start.deinitialize(count: 1).deallocate()
                    return nil
                }, start)
            guard error == 0 else { throw MeasurementFailure("cannot make a thread: \(ErrorNumber.text(error))") }
            return thread
        }

        func work(_ thread: Int) {
            do {
                for _ in 0...phases { try phase(thread) }
            } catch {
                // The others wait at the barrier for ever: the process must end.
                _ = write("\(error)\n")
                _exit(1)
            }
        }

        private func phase(_ thread: Int) throws {
            switch work {
            case .stores(let configuration, let depths, let calls):
                try store(configuration, depths, calls, thread)
            case .descent(let frames):
                let descents = TaskPeer.Descents(stacks, depth: frames)
                together(thread, descents.proceed)
                guard descents.waiting == stacks else { throw MeasurementFailure("a task does not wait") }
                descents.proceed()
                guard descents.ended == stacks else { throw MeasurementFailure("a task did not end as it should") }
            }
        }

        /// All threads at once; the first one times it.
        private func together(_ thread: Int, _ body: () throws -> Void) rethrows {
            // Two barriers: the first thread reads the clock when all are ready and before any begins.
            pthread_barrier_wait(barrier)
            let start = MeasurementClock.monotonic.now()
            pthread_barrier_wait(barrier)
            let before = MeasurementClock.threadTime()
            try body()
            processorTimes[thread] = MeasurementClock.threadTime() - before
            pthread_barrier_wait(barrier)
            guard thread == 0 else { return }
            // The others write theirs again after the next barriers only.
            took.append((MeasurementClock.monotonic.now() - start, processorTimes.reduce(0, +)))
        }

        private func store(
            _ configuration: StackConfiguration, _ depths: [Int], _ calls: UInt64, _ thread: Int
        ) throws {
            let waiting = try (0..<stacks).map { _ in
                let coroutine = try Coroutine<Void, Void, Void>(configuration: configuration) { co, _ in
                    try co.suspend(())
                    for depth in depths {
                        fl_probe_store_at(depth)
                        fl_peer_plain_calls(calls)
                    }
                    try co.suspend(())
                }
                _ = try coroutine.resume()
                return coroutine
            }
            try together(thread) {
                for coroutine in waiting { _ = try coroutine.resume() }
            }
            for coroutine in waiting { _ = try coroutine.resume() }
            // New memory for the next phase.
            withExtendedLifetime(waiting) {}
            StackPool.drain()
        }

        private func write(_ text: String) -> Int {
            Array(text.utf8).withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
        }
    }
}
