// A descriptor with its users and the jobs that wait for it.
//
// Invariants:
//  - the number is closed when its last user is done, so that no system call uses a number that was opened anew
//    meanwhile;
//  - it is registered with one epoll, that of the worker whose job first had to wait (its home), edge-triggered for
//    both directions. Each edge is counted. A job that is about to wait names the count that it read before its call
//    failed, so that no edge is missed;
//  - the home keeps a registered core alive until its thread has seen that it is closed, because events carry its
//    address.
internal import CScheduler
internal import Synchronization

enum Direction { case reading, writing }

final class DescriptorCore: @unchecked Sendable {
    let number: Int32
    /// Place in its home's list; the home's thread.
    fileprivate var index = -1

    private struct Side: ~Copyable {
        var edges: UInt64 = 0
        var waiting = WaitList()
    }

    private struct State: ~Copyable {
        var users = 0
        var isClosed = false
        var home: Worker?
        var reading = Side()
        var writing = Side()

        mutating func with<R>(_ direction: Direction, _ body: (inout Side) -> R) -> R {
            switch direction {
            case .reading: body(&reading)
            case .writing: body(&writing)
            }
        }
    }
    private let state = Lock(State())

    init(_ number: Int32) { self.number = number }

    /// Begins to use the descriptor until ``endUse()``. Returns the number of edges so far, nil when it is closed.
    func beginUse(_ direction: Direction) -> UInt64? {
        state.withLock { state in
            if state.isClosed { return nil }
            state.users += 1
            return state.with(direction) { $0.edges }
        }
    }

    func endUse() {
        let isLast = state.withLock { state in
            state.users -= 1
            return state.isClosed && state.users == 0
        }
        if isLast { _ = release() }
    }

    enum WaitResult {
        case waits(Waiter)
        case isClosed, hasNews
        case failed(SchedulerError)
    }

    /// Lets `job` wait unless there was an edge since `edges`. The caller uses the descriptor meanwhile.
    func wait(_ job: AnyJob, _ direction: Direction, since edges: UInt64) -> WaitResult {
        state.withLock { state in
            if state.isClosed { return .isClosed }
            if state.home == nil {
                guard let worker = job.worker else { preconditionFailure("a job that runs has a worker") }
                let result = worker.register(self)
                if result < 0 { return .failed(SchedulerError(.FLS_SITE_EPOLL_ADD, Int(result))) }
                state.home = worker
            }
            return state.with(direction) { side in
                if side.edges != edges { return .hasNews }
                let waiter = Waiter(job)
                side.waiting.append(waiter)
                return .waits(waiter)
            }
        }
    }

    func stopWaiting(_ waiter: Waiter, _ direction: Direction) {
        state.withLock { state in state.with(direction) { $0.waiting.remove(waiter) } }
    }

    /// An event: the home's thread.
    func arrived(readable: Bool, writable: Bool) {
        state.withLock { state in
            if readable {
                state.reading.edges += 1
                state.reading.waiting.wakeAll(.event)
            }
            if writable {
                state.writing.edges += 1
                state.writing.waiting.wakeAll(.event)
            }
        }
    }

    /// Wakes the jobs that wait. The last user closes the number: returns the result of close(2) where this call does,
    /// else 0.
    func close() -> Int32 {
        let isLast = state.withLock { state in
            if state.isClosed { return false }
            state.isClosed = true
            state.reading.waiting.wakeAll(.closed)
            state.writing.waiting.wakeAll(.closed)
            return state.users == 0
        }
        return isLast ? release() : 0
    }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Closes the number, which has no user any more and gets none.
    private func release() -> Int32 {
        let home = state.withLock { $0.home.take() }
        home?.forget(self)
        return fls_close(number)
    }

    /// The home's thread ends. Jobs that still wait belong to another run and would get no event any more. They are
    /// woken and try again; the first that has to wait makes its own worker the home, whose epoll reports what has
    /// arrived meanwhile.
    fileprivate func leaveHome() {
        state.withLock { state in
            state.home = nil
            state.reading.waiting.wakeAll(.event)
            state.writing.waiting.wakeAll(.event)
        }
    }
}

/// The descriptors that wait for events of one worker's epoll. The worker's thread, but for ``closed(_:)``.
final class Registrations: Sendable {
    private struct Closed {
        var cores: [DescriptorCore] = []
    }
    private let closed = Lock(Closed())
    private let hasClosed = Atomic<Bool>(false)
    private nonisolated(unsafe) var cores: [DescriptorCore] = []

    static func pointer(_ core: DescriptorCore) -> UnsafeMutableRawPointer { Unmanaged.passUnretained(core).toOpaque() }
    static func descriptor(_ pointer: UnsafeMutableRawPointer) -> DescriptorCore {
        Unmanaged<DescriptorCore>.fromOpaque(pointer).takeUnretainedValue()
    }

    func add(_ core: DescriptorCore) {
        core.index = cores.count
        cores.append(core)
    }

    /// Any thread: no event of `core` comes from now on, but events that were fetched before may still be delivered.
    func markClosed(_ core: DescriptorCore) {
        closed.withLock { $0.cores.append(core) }
        hasClosed.store(true, ordering: .sequentiallyConsistent)
    }

    /// Called when the fetched events are delivered.
    func releaseClosed() {
        guard hasClosed.load(ordering: .relaxed), hasClosed.exchange(false, ordering: .sequentiallyConsistent) else {
            return
        }
        var left: [DescriptorCore] = []
        closed.withLock { swap(&left, &$0.cores) }
        for core in left {
            let last = cores.count - 1
            cores.swapAt(core.index, last)
            cores[core.index].index = core.index
            cores.removeLast()
        }
    }

    func removeAll() {
        releaseClosed()
        for core in cores { core.leaveHome() }
        cores = []
    }
}
