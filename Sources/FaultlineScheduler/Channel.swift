internal import Synchronization

/// A queue between jobs: elements are received in the order of sending. Any number of jobs may send and receive, on any
/// of the run's threads; jobs that wait are served in the order of their arrival.
///
/// With a capacity of 0 a sender waits until a receiver has taken its element. A channel serves the jobs of one run,
/// unless it is made with `isShared`: then Tasks, and jobs of other runs, send and receive as well.
///
/// A channel is a sequence of the elements that are received from it until it is closed:
/// `for element in channel { … }`. The sequence also ends where ``receive(deadline:)`` would throw, because a loop
/// cannot pass that on; ``Scheduler/checkCancellation()`` after the loop does.
public final class Channel<Element: Sendable>: @unchecked Sendable {
    /// Elements that may wait for a receiver while their senders go on.
    public let capacity: Int
    /// Whether Tasks and jobs of other runs may use the channel, too.
    public let isShared: Bool
    private let lock = Lock(())
    /// Belongs to the thread that has the lock.
    private var state = ChannelState<Element>()

    /// - Parameters:
    ///   - capacity: 0 or more; a negative number is a precondition failure.
    ///   - isShared: whether Tasks and jobs of other runs use the channel, too. A job that waits in it counts as
    ///     waiting for input: as long as it waits, its run has no deadlock.
    public init(capacity: Int = 0, isShared: Bool = false) {
        precondition(capacity >= 0, "a channel's capacity is 0 or more")
        self.capacity = capacity
        self.isShared = isShared
    }

    /// Sends `element`, and waits while the channel is full.
    /// - Parameters:
    ///   - element: what is sent.
    ///   - deadline: when this gives up; nil for never.
    /// - Throws: ``SchedulerError/channelClosed`` when the channel is closed, before or while this waits;
    ///   `CancellationError`; ``SchedulerError/timedOut``; ``SchedulerError/outsideJob``. Then the element was not
    ///   sent.
    public func send(_ element: Element, deadline: SuspendingClock.Instant? = nil) throws {
        let job = try AnyJob.current()
        try job.limited(by: deadline) {
            var attempt = Attempt<Element>.sent
            let end = job.wait(at: .sending, isOutside: isShared) {
                attempt = startSending(element, job)
                return attempt.waiter
            }
            try finish(attempt, end, job)
        }
    }

    /// Takes the oldest element, and waits while there is none.
    /// - Parameter deadline: when this gives up; nil for never.
    /// - Returns: nil when the channel is closed and empty.
    /// - Throws: `CancellationError`, ``SchedulerError/timedOut``, ``SchedulerError/outsideJob``.
    public func receive(deadline: SuspendingClock.Instant? = nil) throws -> Element? {
        let job = try AnyJob.current()
        return try job.limited(by: deadline) {
            var attempt = Attempt<Element>.closed
            let end = job.wait(at: .receiving, isOutside: isShared) {
                attempt = startReceiving(job)
                return attempt.waiter
            }
            do { try finish(attempt, end, job) } catch SchedulerError.channelClosed { return nil }
            return attempt.element
        }
    }

    /// ``send(_:deadline:)`` for a Task, which waits without blocking its thread.
    /// - Throws: ``SchedulerError/channelClosed``; `CancellationError` once the Task is cancelled;
    ///   ``SchedulerError/invalid(_:)`` unless the channel is shared.
    public func send(_ element: Element) async throws {
        let task = try waitingTask()
        var attempt = Attempt<Element>.sent
        let end = await task.wait {
            attempt = startSending(element, $0)
            return attempt.waiter
        }
        try finish(attempt, end, task)
    }

    /// ``receive(deadline:)`` for a Task, which waits without blocking its thread.
    /// - Returns: nil when the channel is closed and empty.
    /// - Throws: `CancellationError` once the Task is cancelled; ``SchedulerError/invalid(_:)`` unless the channel is
    ///   shared.
    public func receive() async throws -> Element? {
        let task = try waitingTask()
        var attempt = Attempt<Element>.closed
        let end = await task.wait {
            attempt = startReceiving($0)
            return attempt.waiter
        }
        do { try finish(attempt, end, task) } catch SchedulerError.channelClosed { return nil }
        return attempt.element
    }

    /// Ends sending; what was sent can still be received. Senders that wait throw, receivers that wait get nil.
    /// May be called on any thread; does nothing the second time. It is not a suspension point.
    public func close() {
        onWorkerIfAny {
            withLock {
                state.isClosed = true
                state.senders.wakeAll(.closed)
                state.receivers.wakeAll(.closed)
            }
        }
    }

    private func waitingTask() throws -> WaitingTask {
        guard isShared else {
            throw SchedulerError.invalid("a Task cannot use this channel; make it with Channel(isShared: true)")
        }
        try Task.checkCancellation()
        return WaitingTask()
    }

    // MARK: not on a job's stack

    func withLock<R: Sendable>(_ body: () -> R) -> R {
        lock.withLock { _ in body() }
    }

    /// With the lock.
    func sendAtOnce(_ element: Element) -> Attempt<Element>? { state.send(element, capacity: capacity) }
    /// With the lock.
    func receiveAtOnce() -> Attempt<Element>? { state.receive(capacity: capacity) }
    /// With the lock.
    func list(_ waiter: ElementWaiter<Element>) {
        if waiter.isSender { state.senders.append(waiter) } else { state.receivers.append(waiter) }
    }

    /// With the lock: for tests.
    var hasListedWaiters: Bool { !state.senders.isEmpty || !state.receivers.isEmpty }

    func remove(_ waiter: ElementWaiter<Element>) {
        withLock { if waiter.isSender { state.senders.remove(waiter) } else { state.receivers.remove(waiter) } }
    }

    private func startSending(_ element: Element, _ party: Party) -> Attempt<Element> {
        withLock {
            if let attempt = sendAtOnce(element) { return attempt }
            let waiter = ElementWaiter(party, sending: element)
            list(waiter)
            return .waits(waiter)
        }
    }

    private func startReceiving(_ party: Party) -> Attempt<Element> {
        withLock {
            if let attempt = receiveAtOnce() { return attempt }
            let waiter = ElementWaiter<Element>(party)
            list(waiter)
            return .waits(waiter)
        }
    }

    /// - Parameter end: why the wait ended, nil without one.
    private func finish(_ attempt: Attempt<Element>, _ end: WakeReason?, _ party: Party) throws {
        switch (end, attempt) {
        case (nil, .closed), (.closed, _): throw SchedulerError.channelClosed
        case (nil, _), (.event, _): return
        case (.cancelled, _), (.timedOut, _):
            if let waiter = attempt.waiter { onWorkerIfAny { remove(waiter) } }
            if party is AnyJob { throw AnyJob.error(end ?? .cancelled) }
            throw CancellationError()
        }
    }
}

extension Channel: Sequence {
    public struct Iterator: IteratorProtocol {
        fileprivate let channel: Channel
        /// The next element that a job receives; nil at the end, and where ``Channel/receive(deadline:)`` throws.
        public mutating func next() -> Element? { (try? channel.receive(deadline: nil)) ?? nil }
    }

    public func makeIterator() -> Iterator { Iterator(channel: self) }
}
