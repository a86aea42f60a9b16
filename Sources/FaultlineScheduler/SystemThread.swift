internal import CScheduler
internal import Glibc

/// A thread that runs a closure. It must be joined or detached.
struct SystemThread: Sendable {
    private let thread: UInt

    private final class Entry: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    static func start(_ body: @escaping @Sendable () -> Void) throws(SchedulerError) -> SystemThread {
        var thread: UInt = 0
        let entry = Unmanaged.passRetained(Entry(body))
        let result = fls_thread_start(
            &thread, { Unmanaged<Entry>.fromOpaque($0!).takeRetainedValue().body() }, entry.toOpaque())
        guard result >= 0 else {
            entry.release()
            throw SchedulerError(.FLS_SITE_THREAD_START, Int(result))
        }
        return SystemThread(thread: thread)
    }

    func join() { fls_thread_join(thread) }
    func detach() { fls_thread_detach(thread) }
}

/// A counter that threads wait for.
final class Semaphore: @unchecked Sendable {
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(semaphore, 0, 0) }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func post() { sem_post(semaphore) }
    func wait() { fls_semaphore_wait(semaphore) }
    /// False where `deadline`, in nanoseconds of the monotonic clock, came first.
    func wait(until deadline: UInt64) -> Bool { fls_semaphore_wait_until(semaphore, deadline) }
}
