// Stacks that grow on several threads at the same moment, in one address space, or tasks that descend.
//
// Each thread has coroutines that wait. At a barrier all threads begin to resume theirs, each of which grows and waits
// again; the phase ends when the last thread is through. Making stacks and giving them back happens outside the phase,
// and a phase has enough growths for the barrier not to count. Tasks do the same on executors of their own.

import CPeers
import CProbes
import Faultline
import Glibc
import Measurement
import Peers

extension Finding {
    /// How many; not there where that mover did nothing.
    static func moves(by mover: PageMover) -> Finding { Finding("moves/\(mover.rawValue)") }
    /// In nanoseconds.
    static func elapsed(phase: Int) -> Finding { Finding("elapsed/\(phase)") }
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
        let others = try (1..<max(1, threads)).map { _ in try job.start() }
        job.work(isFirst: true)
        for thread in others { pthread_join(thread, nil) }
        let expected = try options.number("growths") * Self.stacks * threads * (phases + 1)
        let statistics = FaultStatistics.process
        guard statistics.growths == expected else {
            throw MeasurementFailure("\(statistics.growths) growths instead of \(expected)")
        }
        for (mover, count) in statistics.moves where count > 0 { try found(.moves(by: mover), count) }
        // The first phase warms up.
        for (phase, elapsed) in job.elapsed.dropFirst().enumerated() { try found(.elapsed(phase: phase), elapsed) }
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
    // Safe to share: constants, and `elapsed`, which only the first thread touches.
    private final class Job: @unchecked Sendable {
        let work: Work
        let phases: Int
        let stacks: Int
        private let barrier = UnsafeMutablePointer<pthread_barrier_t>.allocate(capacity: 1)
        private(set) var elapsed: [UInt64] = []

        init(_ work: Work, phases: Int, stacks: Int, threads: Int) {
            (self.work, self.phases, self.stacks) = (work, phases, stacks)
            pthread_barrier_init(barrier, nil, UInt32(threads))
        }

        func start() throws -> pthread_t {
            var thread = pthread_t()
            let error = pthread_create(
                &thread, nil,
                { job in
                    Unmanaged<Job>.fromOpaque(job!).takeRetainedValue().work(isFirst: false)
                    return nil
                }, Unmanaged.passRetained(self).toOpaque())
            guard error == 0 else { throw MeasurementFailure("cannot make a thread: \(ErrorNumber.text(error))") }
            return thread
        }

        func work(isFirst: Bool) {
            do {
                for _ in 0...phases { try phase(isFirst: isFirst) }
            } catch {
                // The others wait at the barrier for ever: the process must end.
                _ = write("\(error)\n")
                _exit(1)
            }
        }

        private func phase(isFirst: Bool) throws {
            switch work {
            case .stores(let configuration, let depths, let calls):
                try store(configuration, depths, calls, isFirst: isFirst)
            case .descent(let frames):
                let descents = TaskPeer.Descents(stacks, depth: frames)
                together(isFirst: isFirst, descents.proceed)
                guard descents.waiting == stacks else { throw MeasurementFailure("a task does not wait") }
                descents.proceed()
                guard descents.ended == stacks else { throw MeasurementFailure("a task did not end as it should") }
            }
        }

        /// All threads at once; the first one times it.
        private func together(isFirst: Bool, _ body: () throws -> Void) rethrows {
            pthread_barrier_wait(barrier)
            let start = MeasurementClock.monotonic.now()
            try body()
            pthread_barrier_wait(barrier)
            if isFirst { elapsed.append(MeasurementClock.monotonic.now() - start) }
        }

        private func store(
            _ configuration: StackConfiguration, _ depths: [Int], _ calls: UInt64, isFirst: Bool
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
            try together(isFirst: isFirst) {
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
