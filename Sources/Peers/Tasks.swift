// Swift's own alternative to stacks: tasks, whose frames live on the heap across a suspension.
//
// All tasks run on the thread that asks, by an executor of their own, so that no wake-up of another thread is measured.

/// Operations of Swift tasks. Each returns when all its tasks have ended, or wait as they should.
public enum TaskPeer {
    /// `count` times: make a task that does nothing and wait for its end.
    public static func spawn(_ count: Int) {
        ThreadExecutor().run { executor in
            for _ in 0..<count { await Task(executorPreference: executor) {}.value }
        }
    }

    /// `count` times: a task suspends itself and is resumed.
    public static func yields(_ count: Int) {
        ThreadExecutor().run { _ in
            for _ in 0..<count { await Task.yield() }
        }
    }

    /// `count` times: a recursion of `depth` asynchronous frames, none of which suspends. Returns the sum of their
    /// values.
    public static func descend(_ count: Int, depth: Int) -> Int {
        let sum = Sum()
        ThreadExecutor().run { _ in
            for _ in 0..<count { sum.value &+= await handle(depth) {} }
        }
        return sum.value
    }

    /// Makes `count` tasks, each of which does `work`, then descends `depth` asynchronous frames and waits there.
    public static func suspend(_ count: Int, depth: Int, work: @escaping @Sendable () -> Void) -> Waiting {
        let waiting = Waiting(capacity: count)
        waiting.executor.run { executor in
            for _ in 0..<count {
                Task(executorPreference: executor) {
                    work()
                    _ = await handle(depth) { await withUnsafeContinuation { waiting.continuations.append($0) } }
                }
            }
        }
        return waiting
    }

    /// `count` times: the oldest of `alive` tasks that wait is resumed, does `work` and ends, and a new one is made and
    /// waits. Returns the time of that, after each was replaced once, and how many tasks ended: twice `alive` more than
    /// `count`.
    public static func connections(
        _ count: Int, alive: Int, work: @escaping @Sendable () -> Void
    ) -> (nanoseconds: UInt64, ended: Int) {
        let waiting = Waiting(capacity: alive)
        let ended = Sum()
        let took = Sum()
        waiting.executor.run { executor in
            @Sendable func open(_ index: Int) {
                Task(executorPreference: executor) {
                    await withUnsafeContinuation { continuation in
                        if index == waiting.continuations.count {
                            waiting.continuations.append(continuation)
                        } else {
                            waiting.continuations[index] = continuation
                        }
                    }
                    work()
                    ended.value += 1
                }
            }
            for index in 0..<alive { open(index) }
            await Task.yield()
            @Sendable func replace(_ count: Int) async {
                for number in 0..<count {
                    let index = number % alive
                    waiting.continuations[index].resume()
                    open(index)
                    await Task.yield()
                }
            }
            await replace(alive)
            let start = ContinuousClock.now
            await replace(count)
            took.value = Int((ContinuousClock.now - start) / .nanoseconds(1))
        }
        waiting.resume()
        return (UInt64(took.value), ended.value)
    }

    /// Tasks that wait.
    // Safe to share: everything runs on the thread that made it.
    public final class Waiting: @unchecked Sendable {
        fileprivate let executor = ThreadExecutor()
        fileprivate var continuations: [UnsafeContinuation<Void, Never>] = []

        fileprivate init(capacity: Int) { continuations.reserveCapacity(capacity) }

        /// How many wait.
        public var count: Int { continuations.count }

        /// Lets them end.
        public func resume() {
            for continuation in continuations { continuation.resume() }
            continuations = []
            executor.drain()
        }
    }

    /// Tasks of one thread that descend side by side.
    // Safe to share: everything runs on the thread that made it.
    public final class Descents: @unchecked Sendable {
        private let executor = ThreadExecutor()
        private var continuations: [UnsafeContinuation<Void, Never>] = []
        private let right = Sum()

        /// Makes `count` tasks that wait, each of which is to descend `depth` asynchronous frames.
        public init(_ count: Int, depth: Int) {
            continuations.reserveCapacity(count)
            let sum = RequestHandler.handle(depth) {}
            executor.run { [self, right] executor in
                for _ in 0..<count {
                    Task(executorPreference: executor) {
                        await withUnsafeContinuation { self.continuations.append($0) }
                        let found = await handle(depth) {
                            await withUnsafeContinuation { self.continuations.append($0) }
                        }
                        right.value += found == sum ? 1 : 0
                    }
                }
            }
        }

        /// How many wait.
        public var waiting: Int { continuations.count }

        /// Lets those that wait go on until they wait again, at the innermost frame, or end.
        public func proceed() {
            let waiting = continuations
            continuations.removeAll(keepingCapacity: true)
            for continuation in waiting { continuation.resume() }
            executor.drain()
        }

        /// How many ended with the right sum.
        public var ended: Int { right.value }
    }

    // Safe to share: one thread.
    private final class Sum: @unchecked Sendable {
        var value = 0
    }
}

/// The recursion of a request's handler: four values of each frame are used after the call below it has returned.
@inline(never)
private func handle(_ depth: Int, _ innermost: () async -> Void) async -> Int {
    let (first, second, third, fourth) = RequestHandler.values(depth)
    if depth == 0 {
        await innermost()
        return first
    }
    let below = await handle(depth - 1, innermost)
    return below &+ first ^ second &+ third ^ fourth
}

/// The same recursion on a stack.
public enum RequestHandler {
    /// Descends `depth` frames and calls `innermost` there.
    @inline(never)
    public static func handle(_ depth: Int, _ innermost: () throws -> Void) rethrows -> Int {
        let (first, second, third, fourth) = values(depth)
        if depth == 0 {
            try innermost()
            return first
        }
        let below = try handle(depth - 1, innermost)
        return below &+ first ^ second &+ third ^ fourth
    }

    /// Numbers that the compiler cannot work out again after the call.
    @inline(never)
    fileprivate static func values(_ depth: Int) -> (Int, Int, Int, Int) {
        (depth &* 0x9E37, depth ^ 0x79B9, depth &+ 0x7F4A, depth &* depth)
    }
}

/// Runs tasks on the thread that calls ``run(_:)``.
// Safe to share: jobs are enqueued by what runs on that thread only.
private final class ThreadExecutor: TaskExecutor, @unchecked Sendable {
    private var jobs: [UnownedJob] = []

    func enqueue(_ job: consuming ExecutorJob) { jobs.append(UnownedJob(job)) }

    /// Runs `body` and whatever it starts until all of it has ended or waits.
    func run(_ body: @escaping @Sendable (ThreadExecutor) async -> Void) {
        let ended = Ended()
        Task(executorPreference: self) {
            await body(self)
            ended.value = true
        }
        drain()
        precondition(ended.value, "a task waits and nothing will resume it")
    }

    /// Runs what is enqueued, and what that enqueues.
    func drain() {
        var batch: [UnownedJob] = []
        while !jobs.isEmpty {
            swap(&batch, &jobs)
            for job in batch { job.runSynchronously(on: asUnownedTaskExecutor()) }
            batch.removeAll(keepingCapacity: true)
        }
    }

    private final class Ended: @unchecked Sendable {
        var value = false
    }
}
