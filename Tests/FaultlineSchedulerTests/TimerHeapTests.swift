// The heap of timers, against sorting.
import Faultline
import Measurement
import Testing

@testable import FaultlineScheduler

extension Schedulers {
    @Suite struct TimerHeaps {
        @Test(arguments: [1, 2, 3, 10, 257]) func theHeapGivesJobsByDeadlineWhateverWasTakenOut(count: Int) throws {
            let runtime = try Runtime(threads: 1)
            defer { runtime.workers[0].closeDescriptors() }
            var generator = SeededGenerator(seed: UInt64(count))
            var heap = TimerHeap()
            let jobs = try (0..<count).map { _ in try AnyJob(runtime: runtime, configuration: .init()) }
            for job in jobs { heap.insert(job, wait: 1, deadline: UInt64.random(in: 0..<100, using: &generator)) }
            for (index, job) in jobs.enumerated() where index % 3 == 1 {
                heap.remove(job)
                heap.remove(job)
            }
            var left: [UInt64] = []
            for (index, job) in jobs.enumerated() where index % 3 != 1 { left.append(job.deadline) }
            #expect(heap.count == left.count)
            var taken: [UInt64] = []
            for now in 0..<UInt64(100) {
                while let job = heap.popDue(at: now) {
                    #expect(job.deadline == now)
                    #expect(job.timerIndex == -1)
                    taken.append(job.deadline)
                }
            }
            #expect(taken == left.sorted())
            #expect(heap.count == 0)
        }
    }
}
