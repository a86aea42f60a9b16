// Waiting for the first of several channels, or for time.
//
// As in Go, a select takes the locks of all its channels, in the order of their addresses. With them it first looks in
// a random order for a case that need not wait, and only then lists the job everywhere. So a job never meets itself in
// a channel that it both sends to and receives from, and no case becomes ready unseen. All its waiters have the number
// of one wait; the one that is claimed is the case that is chosen.
internal import CScheduler

/// A case of ``Scheduler/select(_:)-(SelectCase<R>...)``.
public struct SelectCase<R> {
    enum Kind {
        case channel(SelectedChannel)
        case time(Duration)
        case otherwise
    }
    let kind: Kind
    /// What the case does once it was chosen.
    let body: () throws -> R

    /// Receives the oldest element of `channel`; nil once that is closed and empty.
    public static func receive<Element: Sendable>(
        _ channel: Channel<Element>, _ body: @escaping (Element?) throws -> R
    ) -> SelectCase {
        let selected = Selected(channel, sending: nil)
        return SelectCase(kind: .channel(selected)) { try body(selected.received) }
    }

    /// Sends `element` to `channel`. Once that is closed the case is ready, and throws
    /// ``SchedulerError/channelClosed``.
    public static func send<Element: Sendable>(
        _ element: Element, to channel: Channel<Element>, _ body: @escaping () throws -> R
    ) -> SelectCase {
        let selected = Selected(channel, sending: element)
        return SelectCase(kind: .channel(selected)) {
            if selected.isClosed { throw SchedulerError.channelClosed }
            return try body()
        }
    }

    /// Is ready after `duration` of the monotonic clock, if no other case was before.
    public static func after(_ duration: Duration, _ body: @escaping () throws -> R) -> SelectCase {
        SelectCase(kind: .time(duration), body: body)
    }

    /// Is chosen at once if no other case is ready, so that the select does not wait.
    public static func otherwise(_ body: @escaping () throws -> R) -> SelectCase {
        SelectCase(kind: .otherwise, body: body)
    }
}

extension Scheduler {
    /// Waits until one of `cases` is ready, and does that one and no other. Of several that are ready at once each is
    /// as likely to be chosen.
    ///
    ///     let answer = try Scheduler.select(
    ///         .receive(results) { $0 },
    ///         .after(.seconds(1)) { nil })
    ///
    /// Their bodies run afterwards, on the job's stack. A select without cases waits for its cancellation, and for
    /// nothing else.
    /// - Returns: what the body of the chosen case returns.
    /// - Throws: what that body throws; `CancellationError`; ``SchedulerError/timedOut``;
    ///   ``SchedulerError/channelClosed`` as ``SelectCase/send(_:to:_:)`` says; ``SchedulerError/outsideJob``.
    public static func select<R>(_ cases: SelectCase<R>...) throws -> R { try select(cases) }

    /// The same for cases that were collected.
    public static func select<R>(_ cases: [SelectCase<R>]) throws -> R {
        let job = try AnyJob.current()
        var selection = Selection(cases.map(\.kind))
        var end: WakeReason?
        var waited = false
        job.onWorker {
            end = job.interruption
            if end != nil { return .proceed }
            guard let number = selection.start(job) else { return .proceed }
            waited = true
            return job.park(number, at: .selecting, isOutside: selection.isOutside, until: selection.deadline)
        }
        if waited {
            job.onWorkerBriefly { selection.finish(job.reason) }
            let isDue = job.reason == .timedOut && selection.deadline <= job.limit
            if job.reason == .cancelled || (job.reason == .timedOut && !isDue) { end = job.reason }
        }
        if let end { throw AnyJob.error(end) }
        guard let chosen = selection.chosen else { preconditionFailure("a select that ends has chosen a case") }
        return try cases[chosen].body()
    }
}

/// The cases of one select without their bodies.
struct Selection {
    private let kinds: [Int: SelectedChannel]
    /// One of the cases of each channel, in the order of the channels' addresses.
    private let locks: [SelectedChannel]
    private let timed: Int?
    private let otherwise: Int?
    private let delay: Duration
    /// When the wait ends, in nanoseconds of the monotonic clock.
    private(set) var deadline = UInt64.max
    private(set) var chosen: Int?

    init<R>(_ cases: [SelectCase<R>.Kind]) {
        var channels: [Int: SelectedChannel] = [:]
        var (timed, otherwise): (Int?, Int?) = (nil, nil)
        var delay = Duration.zero
        var seen = Set<ObjectIdentifier>()
        for (index, kind) in cases.enumerated() {
            switch kind {
            case .channel(let channel):
                // A case that is given twice is one.
                if seen.insert(ObjectIdentifier(channel)).inserted { channels[index] = channel }
            case .time(let duration):
                if timed == nil || duration < delay { (timed, delay) = (index, duration) }
            case .otherwise: otherwise = otherwise ?? index
            }
        }
        kinds = channels
        (self.timed, self.otherwise, self.delay) = (timed, otherwise, delay)
        var addresses = Set<UInt>()
        locks = channels.values.filter { addresses.insert($0.address).inserted }.sorted { $0.address < $1.address }
    }

    var isOutside: Bool { locks.contains(where: \.isShared) }

    /// Chooses a case that is ready, or lists the job in every channel and returns the number of its wait. On the
    /// worker's stack.
    mutating func start(_ job: AnyJob) -> UInt64? {
        var order = kinds.sorted { $0.key < $1.key }
        // Fisher and Yates.
        for index in stride(from: order.count - 1, to: 0, by: -1) {
            order.swapAt(index, Int((job.worker?.random() ?? 0) % UInt64(index + 1)))
        }
        var number: UInt64?
        withLocks(locks[...]) {
            chosen = order.first { $0.value.proceedAtOnce() }?.key ?? otherwise
            if chosen != nil { return }
            if timed != nil, delay <= .zero {
                chosen = timed
                return
            }
            let begun = job.beginWait()
            number = begun
            for (_, channel) in order { channel.list(job, begun) }
        }
        if timed != nil, number != nil { deadline = fls_now() &+ delay.nanoseconds }
        return number
    }

    private func withLocks(_ rest: ArraySlice<SelectedChannel>, _ body: () -> Void) {
        guard let first = rest.first else { return body() }
        first.withLock { withLocks(rest.dropFirst(), body) }
    }

    /// Takes the job out of the channels and finds what was chosen. On the worker's stack, after the wait.
    mutating func finish(_ reason: WakeReason) {
        for (index, channel) in kinds {
            if channel.finish(reason) { chosen = index }
        }
        if reason == .timedOut { chosen = timed }
    }
}

/// A case of a channel without its element's type.
class SelectedChannel {
    var address: UInt { preconditionFailure("a case has a channel") }
    var isShared: Bool { preconditionFailure("a case has a channel") }
    func withLock(_ body: () -> Void) { preconditionFailure("a case has a channel") }
    /// With the lock: sends or receives if that need not wait.
    func proceedAtOnce() -> Bool { preconditionFailure("a case has a channel") }
    /// With the lock.
    func list(_ job: AnyJob, _ number: UInt64) { preconditionFailure("a case has a channel") }
    /// Whether it was this one that ended the wait.
    func finish(_ reason: WakeReason) -> Bool { preconditionFailure("a case has a channel") }
}

private final class Selected<Element: Sendable>: SelectedChannel {
    private let channel: Channel<Element>
    private let sent: Element?
    private var waiter: ElementWaiter<Element>?
    private(set) var isClosed = false
    private(set) var received: Element?

    init(_ channel: Channel<Element>, sending element: Element?) {
        self.channel = channel
        sent = element
    }

    override var address: UInt { UInt(bitPattern: Unmanaged.passUnretained(channel).toOpaque()) }
    override var isShared: Bool { channel.isShared }
    override func withLock(_ body: () -> Void) { channel.withLock(body) }

    override func proceedAtOnce() -> Bool {
        guard let attempt = sent.map({ channel.sendAtOnce($0) }) ?? channel.receiveAtOnce() else { return false }
        if case .closed = attempt { isClosed = true } else { isClosed = false }
        received = attempt.element
        return true
    }

    override func list(_ job: AnyJob, _ number: UInt64) {
        let added = sent.map { ElementWaiter(job, number: number, sending: $0) } ?? ElementWaiter(job, number: number)
        waiter = added
        channel.list(added)
    }

    override func finish(_ reason: WakeReason) -> Bool {
        guard let waiter = waiter.take() else { return false }
        guard waiter.isServed else {
            channel.remove(waiter)
            return false
        }
        isClosed = reason == .closed
        received = sent == nil ? waiter.element.take() : nil
        return true
    }
}
