// Stacks that grow on several threads at the same moment, in one address space.
//
// Each thread has coroutines that wait. At a barrier all threads begin to resume theirs, each of which grows and waits
// again; the phase ends when the last thread is through. Making stacks and giving them back happens outside the phase,
// and so many growths are in one that the barrier does not count.

import CPeers
import Faultline
import Glibc
import Measurement

struct ContentionExperiment: Experiment {
    let name = "contention"

    /// Coroutines of each thread.
    private static let stacks = 64

    /// Options: `threads`; `phases`; `depths`, at which each coroutine stores, in bytes below its first frames, separated
    /// by commas; `growths` of each coroutine, as they must be counted; `calls` that do nothing, at each depth, as work
    /// that threads share nothing for; those of a stack.
    func run(
        _ options: ExperimentOptions, _ found: (_ key: String, _ value: any CustomStringConvertible) throws -> Void
    ) throws {
        let threads = try options.number("threads")
        let phases = try options.number("phases")
        let depths = (options.text("depths") ?? "").split(separator: ",").compactMap { Int($0) }
        let job = Job(
            configuration: try options.stackConfiguration(), depths: depths,
            calls: UInt64(try options.number("calls", or: 0)), phases: phases, stacks: Self.stacks,
            threads: threads)
        // The process's first stack, and with it the handlers.
        try withStack(job.configuration) {}
        FaultStatistics.resetProcess()
        let others = try (1..<max(1, threads)).map { _ in try job.start() }
        job.work(isFirst: true)
        for thread in others { pthread_join(thread, nil) }
        let expected = try options.number("growths") * Self.stacks * threads * (phases + 1)
        let statistics = FaultStatistics.process
        guard statistics.growths == expected else {
            throw MeasurementFailure("\(statistics.growths) growths instead of \(expected)")
        }
        for (mover, count) in statistics.moves where count > 0 { try found("moves/\(mover.rawValue)", count) }
        // The first phase warms up.
        for (phase, elapsed) in job.elapsed.dropFirst().enumerated() { try found("elapsed/\(phase)", elapsed) }
        try found("stores", depths.count * Self.stacks * threads)
        Experiments.finish()
    }

    /// What the threads share.
    // Safe to share: constants, and `elapsed`, which only the first thread touches.
    private final class Job: @unchecked Sendable {
        let configuration: StackConfiguration
        let depths: [Int]
        let calls: UInt64
        let phases: Int
        let stacks: Int
        private let barrier = UnsafeMutablePointer<pthread_barrier_t>.allocate(capacity: 1)
        private(set) var elapsed: [UInt64] = []

        init(
            configuration: StackConfiguration, depths: [Int], calls: UInt64, phases: Int, stacks: Int, threads: Int
        ) {
            (self.configuration, self.depths, self.calls) = (configuration, depths, calls)
            (self.phases, self.stacks) = (phases, stacks)
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
            let (depths, calls) = (depths, calls)
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
            pthread_barrier_wait(barrier)
            let start = MeasurementClock.monotonic.now()
            for coroutine in waiting { _ = try coroutine.resume() }
            pthread_barrier_wait(barrier)
            if isFirst { elapsed.append(MeasurementClock.monotonic.now() - start) }
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
