// What a channel's lock protects: its elements and who waits.

/// A party that waits in a channel.
final class ElementWaiter<Element: Sendable>: Waiter, @unchecked Sendable {
    let isSender: Bool
    /// What the sender gives, or what the receiver was given.
    var element: Element?

    init(_ party: Party, number: UInt64? = nil, sending element: Element) {
        isSender = true
        self.element = element
        super.init(party, number: number)
    }

    /// A receiver.
    override init(_ party: Party, number: UInt64? = nil) {
        isSender = false
        super.init(party, number: number)
    }
}

/// How far sending or receiving came.
enum Attempt<Element: Sendable>: Sendable {
    case sent, closed
    case received(Element)
    case waits(ElementWaiter<Element>)

    var waiter: ElementWaiter<Element>? { if case .waits(let waiter) = self { waiter } else { nil } }

    /// What was received, also after a wait.
    var element: Element? {
        switch self {
        case .received(let element): element
        case .waits(let waiter): waiter.element.take()
        case .sent, .closed: nil
        }
    }
}

struct ChannelState<Element: Sendable>: ~Copyable {
    var isClosed = false
    /// A ring: at most the channel's capacity of elements, from `head` on.
    private var ring: [Element?] = []
    private var head = 0
    private var count = 0
    var senders = WaitList()
    var receivers = WaitList()

    init() {}

    /// Nil where the sender would have to wait.
    mutating func send(_ element: Element, capacity: Int) -> Attempt<Element>? {
        if isClosed { return .closed }
        if let receiver = receivers.claimFirst() {
            (receiver as? ElementWaiter<Element>)?.element = element
            receiver.party.wake(.event)
            return .sent
        }
        guard count < capacity else { return nil }
        put(element, capacity)
        return .sent
    }

    /// Nil where the receiver would have to wait.
    mutating func receive(capacity: Int) -> Attempt<Element>? {
        let taken = take()
        // The element of a waiting sender comes after those in the ring, which has room now.
        if let sender = senders.claimFirst(), let sent = (sender as? ElementWaiter<Element>)?.element.take() {
            sender.party.wake(.event)
            guard let taken else { return .received(sent) }
            put(sent, capacity)
            return .received(taken)
        }
        if let taken { return .received(taken) }
        return isClosed ? .closed : nil
    }

    private mutating func put(_ element: Element, _ capacity: Int) {
        if count == ring.count { grow(capacity) }
        ring[(head + count) % ring.count] = element
        count += 1
    }

    private mutating func take() -> Element? {
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
