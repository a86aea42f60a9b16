// What every suite here shares: the serialized parent, and small helpers.
import FaultlineScheduler
import Glibc
import Synchronization
import Testing

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
    private let list = Mutex<[Element]>([])
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

/// What the library opens once in a process, it has.
private let warmedUp: Void = { try? Scheduler.run(threads: 1) {} }()

/// Descriptors that this process has open, without the one that counts them.
func openDescriptors() throws -> Int {
    warmedUp
    guard let directory = opendir("/proc/self/fd") else { throw Failure(code: Int(errno)) }
    defer { closedir(directory) }
    var count = 0
    while let entry = readdir(directory) {
        if entry.pointee.d_name.0 != UInt8(ascii: ".") { count += 1 }
    }
    return count - 1
}

/// Keeps a frame from being removed.
@inline(never) @_optimize(none) func keep<T>(_ value: T) -> T { value }

@inline(never) func recurse(_ depth: Int) -> Int { depth == 0 ? 0 : keep(recurse(depth - 1)) + 1 }

/// Lets the thread's other jobs run until `condition` holds.
func waitUntil(_ condition: () -> Bool) throws {
    while !condition() { try Scheduler.sleep(for: .milliseconds(1)) }
}
