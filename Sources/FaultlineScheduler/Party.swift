// What waits, a job or a Task, and the lists in which it waits.
//
// A wait is a number, odd while the wait lasts. The thread that makes it even with one exchange (`claim`) wakes the
// party, so that an event and a cancellation at the same time wake it once. A party that waits for several things at a
// time is in several lists with the same number.
internal import Synchronization

enum WakeReason { case event, cancelled, closed, timedOut }

/// A job or a Task.
class Party: @unchecked Sendable {
    let cancelled = Atomic<Bool>(false)
    private let wait = Atomic<UInt64>(0)
    /// Written by the thread that claimed the wait, read by the party when it goes on.
    var reason = WakeReason.event

    /// Whether it waits right now. Any thread may ask; the answer may be stale.
    final var isWaiting: Bool { wait.load(ordering: .sequentiallyConsistent) & 1 == 1 }

    /// Begins a wait, before another thread can learn of it.
    final func beginWait() -> UInt64 {
        let number = wait.load(ordering: .relaxed) + 1
        wait.store(number, ordering: .sequentiallyConsistent)
        return number
    }

    /// Ends the wait, if it still lasts. A caller that gets true must set the reason and wake the party.
    final func claim(_ number: UInt64) -> Bool {
        wait.compareExchange(expected: number, desired: number + 1, ordering: .sequentiallyConsistent).exchanged
    }

    /// Lets the party go on, whose wait was claimed. Any thread.
    func wake(_ reason: WakeReason) { preconditionFailure("a party is a job or a Task") }

    /// Ends the wait that lasts, if one does. A caller that wants later waits to end, too, first sets what these look
    /// at when they have begun, so that one of the two sees the other. Any thread.
    final func interrupt() {
        let number = wait.load(ordering: .sequentiallyConsistent)
        if number & 1 == 1, claim(number) { wake(.cancelled) }
    }
}

/// A party in a list of those that wait for the same thing. The list's lock protects the links.
class Waiter: @unchecked Sendable {
    let party: Party
    let number: UInt64
    /// Whether the list's owner has claimed the wait; the party reads it when it goes on.
    fileprivate(set) var isServed = false
    fileprivate(set) unowned(unsafe) var previous: Waiter?
    fileprivate(set) var next: Waiter?
    fileprivate(set) var isListed = false

    /// - Parameter number: a wait that has begun; nil begins one.
    init(_ party: Party, number: UInt64? = nil) {
        self.party = party
        self.number = number ?? party.beginWait()
    }
}

/// Waiters in the order of their arrival. Any of them can be removed in constant time.
struct WaitList: ~Copyable {
    private var first: Waiter?
    private unowned(unsafe) var last: Waiter?

    var isEmpty: Bool { first == nil }

    mutating func append(_ waiter: Waiter) {
        waiter.isListed = true
        waiter.previous = last
        if let last { last.next = waiter } else { first = waiter }
        last = waiter
    }

    /// Does nothing to a waiter that is in no list.
    mutating func remove(_ waiter: Waiter) {
        guard waiter.isListed else { return }
        waiter.isListed = false
        if let previous = waiter.previous { previous.next = waiter.next } else { first = waiter.next }
        if let next = waiter.next { next.previous = waiter.previous } else { last = waiter.previous }
        waiter.previous = nil
        waiter.next = nil
    }

    /// Claims the wait of the first waiter whose wait still lasts. The caller must wake its party.
    mutating func claimFirst() -> Waiter? {
        while let waiter = first {
            remove(waiter)
            if waiter.party.claim(waiter.number) {
                waiter.isServed = true
                return waiter
            }
        }
        return nil
    }

    mutating func wakeAll(_ reason: WakeReason) {
        while let waiter = claimFirst() { waiter.party.wake(reason) }
    }
}

/// Something that ends once, and the parties that wait for its end.
struct Completion: ~Copyable, Sendable {
    private struct State: ~Copyable {
        var hasEnded = false
        var waiting = WaitList()
    }
    private let state = Lock(State())

    var hasEnded: Bool { state.withLock { $0.hasEnded } }

    func end() {
        state.withLock { state in
            state.hasEnded = true
            state.waiting.wakeAll(.event)
        }
    }

    /// Lists `party`, whose wait begins; nil where there is nothing to wait for.
    func enlist(_ party: Party) -> Waiter? {
        state.withLock { state in
            if state.hasEnded { return nil }
            let waiter = Waiter(party)
            state.waiting.append(waiter)
            return waiter
        }
    }

    func remove(_ waiter: Waiter) { state.withLock { $0.waiting.remove(waiter) } }
}
