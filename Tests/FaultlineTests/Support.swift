// What every suite here shares: the serialized parent, and small helpers.
import CShim
import CSwitch
import Faultline
import Glibc
import Synchronization
import TestNeeds
import TestSupport
import Testing

/// Parent of all suites of this target: they install handlers, take stacks of the whole process and count what the
/// handler did, so they run one after the other.
@Suite(.serialized) struct Stacks {}

/// A thread that runs a closure and is joined for its result.
final class Worker<R> {
    private final class Work {
        let body: () throws -> R
        var result: Result<R, any Error>?
        init(_ body: @escaping () throws -> R) { self.body = body }
    }
    private let work: Work
    private var thread = pthread_t()

    init(_ body: @escaping () throws -> R) {
        let work = Work(body)
        self.work = work
        let entry = Unmanaged.passRetained(ThreadEntry { work.result = Result { try body() } })
        let error = pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<ThreadEntry>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, entry.toOpaque())
        precondition(error == 0, "a thread can be created")
    }

    func result() throws -> R {
        pthread_join(thread, nil)
        return try work.result!.get()
    }
}

private final class ThreadEntry {
    let run: () -> Void
    init(_ run: @escaping () -> Void) { self.run = run }
}

/// Runs `body` on a new thread and waits for it.
func onThread<R>(_ body: @escaping () throws -> R) throws -> R { try Worker(body).result() }

/// What one thread tells another, once.
final class Flag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
}

/// Counts the instances that are alive.
final class Tracked {
    nonisolated(unsafe) static var alive = 0
    init() { Self.alive += 1 }
    deinit { Self.alive -= 1 }
}

/// Keeps a value from being computed away or a frame from being removed.
@inline(never) @_optimize(none) func keep<T>(_ value: T) -> T { value }

/// `depth` Swift frames, each with a local that is used after the call below it.
@inline(never) func sum(to depth: Int) -> Int {
    if depth == 0 { return 0 }
    let below = sum(to: depth - 1)
    return below &+ keep(depth)
}

/// Runs `body` on a stack made from `configuration` and returns its result and what the stack went through.
func measured<R>(_ configuration: StackConfiguration, _ body: () throws -> R) throws -> (R, FaultStatistics) {
    var statistics: FaultStatistics?
    let result = try withStack(configuration, statistics: { statistics = $0 }, body)
    return (result, try #require(statistics))
}

extension FaultStatistics {
    var allMoves: Int { moves.values.reduce(0, +) }
    var allTraps: Int { traps.values.reduce(0, +) }
}

/// A guard and a mover that may be combined.
struct MoverCase: Sendable, CustomTestStringConvertible {
    let mover: PageMover
    let guardKind: StackGuard
    var testDescription: String { "\(mover.rawValue) with \(guardKind.rawValue)" }

    /// Cancels the argument where the kernel does not offer this, or a sanitizer forbids it.
    func configuration(initial: Int = 4096, maximum: Int? = nil) throws -> StackConfiguration {
        try Need.noSanitizer.check()
        try Need.check(guard: guardKind.rawValue, mover: mover.rawValue)
        return StackConfiguration(
            strategy: .faultMove, initial: initial, maximum: maximum, guardKind: guardKind, mover: mover)
    }

    static let all: [MoverCase] = [
        MoverCase(mover: .copy, guardKind: .protNone), MoverCase(mover: .copy, guardKind: .guardPages),
        MoverCase(mover: .uffdioMove, guardKind: .guardPages), MoverCase(mover: .mremap, guardKind: .protNone),
        MoverCase(mover: .mremap, guardKind: .guardPages),
    ]
}

/// Stacks as small as can be, where no sanitizer forbids that they move.
let smallest = isSanitized ? StackStrategy.fault : .faultMove

/// Touches pages below the stack pointer one by one.
func touch(pages: Int) { ts_touch_down(pages) }

func writeToStandardError(_ text: String) { _ = (text + "\n").withCString { write(2, $0, strlen($0)) } }

/// Size of the slot of the stack that runs here, in bytes.
func runningSlot() -> Int {
    guard let stack = ts_running_stack() else { return 0 }
    return Int(fl_slot_geometry_of(fl_slot_size(rawValue: UInt32(stack.pointee.slot))!).size)
}

/// Traps of the stack that runs here, of every kind.
func runningTraps() -> Int {
    var counters = fl_counters()
    fl_stack_counters(ts_running_stack()!, &counters)
    return withUnsafeBytes(of: counters.traps) { $0.bindMemory(to: UInt64.self).reduce(0) { $0 + Int($1) } }
}

/// Exit tests run async closures, which stay on their thread here.
extension Coroutine {
    func resumeHere(_ input: Input) throws -> Step { try resume(input) }
}

extension Coroutine where Input == Void {
    func resumeHere() throws -> Step { try resume() }
}
