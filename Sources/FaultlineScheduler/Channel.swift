internal import Synchronization

/// A queue between jobs: elements are received in the order of sending. Any number of jobs may send and receive, on any
/// of the run's threads; jobs that wait are served in the order of their arrival.
///
/// With a capacity of 0 a sender waits until a receiver has taken its element. Channels are for the jobs of one run: a
/// job that waits for another run or thread looks like a deadlock; use a pipe there.
public final class Channel<Element: Sendable>: Sendable {
    private final class ElementWaiter: Waiter, @unchecked Sendable {
        /// What the sender gives, or what the receiver was given.
        var element: Element?
        init(_ job: AnyJob, _ element: Element?) {
            self.element = element
            super.init(job)
        }
    }

    private struct State: ~Copyable {
        var isClosed = false
        /// A ring: at most `capacity` elements, from `head` on.
        var ring: [Element?] = []
        var head = 0
        var count = 0
        var senders = WaitList()
        var receivers = WaitList()

        mutating func put(_ element: Element, capacity: Int) {
            if count == ring.count { grow(capacity) }
            ring[(head + count) % ring.count] = element
            count += 1
        }

        mutating func take() -> Element? {
            guard count > 0 else { return nil }
            let element = ring[head].take()
            head = (head + 1) % ring.count
            count -= 1
            return element
        }

        // The ring grows with its use, so that a large capacity costs nothing at first.
        private mutating func grow(_ capacity: Int) {
            var larger: [Element?] = []
            let size = min(capacity, max(8, 2 * ring.count))
            larger.reserveCapacity(size)
            for offset in 0..<count { larger.append(ring[(head + offset) % ring.count]) }
            while larger.count < size { larger.append(nil) }
            ring = larger
            head = 0
        }
    }

    /// Elements that may wait for a receiver while their senders go on.
    public let capacity: Int
    private let state = Lock(State())

    /// - Parameter capacity: 0 or more; a negative number is a precondition failure.
    public init(capacity: Int = 0) {
        precondition(capacity >= 0, "a channel's capacity is 0 or more")
        self.capacity = capacity
    }

    /// Sends `element`, and waits while the channel is full.
    /// - Throws: ``SchedulerError/channelClosed`` when the channel is closed, before or while this waits;
    ///   `CancellationError`; ``SchedulerError/outsideJob``. The element was not sent then.
    public func send(_ element: Element) throws {
        let job = try AnyJob.current()
        var outcome = Outcome.done
        job.onWorker {
            outcome = startSending(element, job)
            return outcome.disposition(of: job)
        }
        try finish(outcome, job) { state, waiter in state.senders.remove(waiter) }
    }

    /// Takes the oldest element, and waits while there is none.
    /// - Returns: nil when the channel is closed and empty.
    /// - Throws: `CancellationError`, ``SchedulerError/outsideJob``.
    public func receive() throws -> Element? {
        let job = try AnyJob.current()
        var outcome = Outcome.done
        var element: Element?
        job.onWorker {
            outcome = startReceiving(job, &element)
            return outcome.disposition(of: job)
        }
        do {
            try finish(outcome, job) { state, waiter in state.receivers.remove(waiter) }
        } catch SchedulerError.channelClosed {
            return nil
        }
        if case .waits(let waiter) = outcome { return (waiter as? ElementWaiter)?.element.take() }
        return element
    }

    /// Ends sending; what was sent can still be received. Senders that wait throw, receivers that wait get nil.
    /// May be called on any thread; does nothing the second time. It is not a suspension point.
    public func close() {
        onWorkerIfAny {
            state.withLock { state in
                state.isClosed = true
                while let waiter = state.senders.claimFirst() { waiter.job.wake(.closed) }
                while let waiter = state.receivers.claimFirst() { waiter.job.wake(.closed) }
            }
        }
    }

    private enum Outcome {
        case done, isCancelled, isClosed
        case waits(Waiter)

        func disposition(of job: AnyJob) -> Disposition {
            if case .waits(let waiter) = self { return job.park(waiter.number) }
            return .proceed
        }
    }

    private func startSending(_ element: Element, _ job: AnyJob) -> Outcome {
        if job.isCancelled { return .isCancelled }
        return state.withLock { state in
            if state.isClosed { return .isClosed }
            if let waiter = state.receivers.claimFirst() {
                (waiter as? ElementWaiter)?.element = element
                waiter.job.wake(.event)
                return .done
            }
            if state.count < capacity {
                state.put(element, capacity: capacity)
                return .done
            }
            let waiter = ElementWaiter(job, element)
            state.senders.append(waiter)
            return .waits(waiter)
        }
    }

    private func startReceiving(_ job: AnyJob, _ result: inout Element?) -> Outcome {
        if job.isCancelled { return .isCancelled }
        let (outcome, element): (Outcome, Element?) = state.withLock { state in
            let taken = state.take()
            // The element of a waiting sender comes after those in the ring, which has room now.
            if let waiter = state.senders.claimFirst(), let sent = (waiter as? ElementWaiter)?.element.take() {
                waiter.job.wake(.event)
                guard let taken else { return (.done, sent) }
                state.put(sent, capacity: capacity)
                return (.done, taken)
            }
            if let taken { return (.done, taken) }
            if state.isClosed { return (.isClosed, nil) }
            let waiter = ElementWaiter(job, nil)
            state.receivers.append(waiter)
            return (.waits(waiter), nil)
        }
        result = element
        return outcome
    }

    private func finish(
        _ outcome: Outcome, _ job: AnyJob, _ remove: (inout State, Waiter) -> Void
    ) throws {
        switch outcome {
        case .done: return
        case .isCancelled: throw AnyJob.cancellation()
        case .isClosed: throw SchedulerError.channelClosed
        case .waits(let waiter):
            switch job.reason {
            case .event: return
            case .closed: throw SchedulerError.channelClosed
            case .cancelled:
                job.onWorker {
                    state.withLock { remove(&$0, waiter) }
                    return .proceed
                }
                throw AnyJob.cancellation()
            }
        }
    }
}
