// What every suite here shares: the serialized parent, and small helpers.
import CScheduler
import Glibc
import Synchronization
import Testing

@testable import FaultlineScheduler

/// Parent of all suites of this target: they count the process's descriptors and let system calls fail, so they run one
/// after the other. A test that hangs fails after the limit.
@Suite(.serialized, .timeLimit(.minutes(2))) struct Schedulers {}

struct Failure: Error, Equatable { let code: Int }

/// A counter that jobs on several threads share.
final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .sequentiallyConsistent) }
    @discardableResult func increase(by amount: Int = 1) -> Int {
        count.add(amount, ordering: .sequentiallyConsistent).newValue
    }
}

/// A list that jobs on several threads share. No job suspends while it has the lock.
final class Log<Element: Sendable>: Sendable {
    private let list = Lock<[Element]>([])
    var elements: [Element] { list.withLock { $0 } }
    func append(_ element: Element) { list.withLock { $0.append(element) } }
}

/// Counts the instances that are alive.
final class Tracked: Sendable {
    private static let count = Atomic<Int>(0)
    static var alive: Int { count.load(ordering: .sequentiallyConsistent) }
    init() { Self.count.add(1, ordering: .sequentiallyConsistent) }
    deinit { Self.count.subtract(1, ordering: .sequentiallyConsistent) }
}

/// Tells this thread from all others that are alive.
func threadNumber() -> UInt { UInt(pthread_self()) }

/// Descriptors that the scheduler has open. Other tests of this process open and close their own meanwhile.
func openDescriptors() -> Int { Int(fls_debug_descriptors()) }

/// Keeps a frame from being removed.
@inline(never) @_optimize(none) func keep<T>(_ value: T) -> T { value }

@inline(never) func recurse(_ depth: Int) -> Int { depth == 0 ? 0 : keep(recurse(depth - 1)) + 1 }

/// What a test waited for and did not come.
private struct NeverHappened: Error { let what: String }

/// Lets the thread's other jobs run until `condition` holds, for a minute at most.
func waitUntil(_ what: String, _ condition: () -> Bool) throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while !condition() {
        guard ContinuousClock.now < deadline else { throw NeverHappened(what: what) }
        try Scheduler.sleep(for: .milliseconds(1))
    }
}

/// The same on a thread that runs no job, or that must not run another one meanwhile.
func blockUntil(_ what: String, _ condition: () -> Bool) {
    let deadline = ContinuousClock.now + .seconds(60)
    while !condition() {
        guard ContinuousClock.now < deadline else {
            Issue.record(NeverHappened(what: what))
            return
        }
        sched_yield()
    }
}

/// Lets other Tasks run until `condition` holds, for a minute at most.
func suspendUntil(_ what: String, _ condition: () -> Bool) async {
    let deadline = ContinuousClock.now + .seconds(60)
    while !condition() {
        guard ContinuousClock.now < deadline else {
            Issue.record(NeverHappened(what: what))
            return
        }
        await Task.yield()
    }
}

extension Channel {
    /// Whether a job or a Task waits in it.
    var hasWaiters: Bool { withLock { hasListedWaiters } }
}

extension Job {
    /// Whether it waits right now. Whatever wakes it takes the lock under which it began to wait, so it misses nothing.
    var isWaiting: Bool { core.isWaiting }
}

/// Waits until the job has read everything that was written, and waits for more.
func waitUntilDrained<R>(_ descriptor: Descriptor, by job: Job<R>) throws {
    try waitUntil("the reader waits for more") {
        var byte: UInt8 = 0
        let isEmpty = recv(descriptor.number, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) < 0
        return isEmpty && job.isWaiting
    }
}

/// A thread outside any scheduler.
final class Thread: @unchecked Sendable {
    private var thread = pthread_t()

    init(_ body: @escaping @Sendable () -> Void) {
        final class Entry {
            let body: () -> Void
            init(_ body: @escaping () -> Void) { self.body = body }
        }
        let error = pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<Entry>.fromOpaque(argument!).takeRetainedValue().body()
                return nil
            }, Unmanaged.passRetained(Entry(body)).toOpaque())
        precondition(error == 0, "a thread can be created")
    }

    func join() { pthread_join(thread, nil) }

    /// Runs `body` on a thread and waits for it.
    static func result<R: Sendable>(_ body: @escaping @Sendable () throws -> R) throws -> R {
        let results = Log<Result<R, any Error>>()
        Thread { results.append(Result { try body() }) }.join()
        return try results.elements[0].get()
    }
}
