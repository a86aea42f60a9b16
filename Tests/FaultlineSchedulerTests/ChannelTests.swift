// Channels: order, capacity, closing.
import Faultline
import FaultlineScheduler
import Testing

extension Schedulers {
    @Suite struct Channels {
        @Test(arguments: [0, 1, 2, 7, 1000]) func elementsArriveInTheOrderOfSending(capacity: Int) throws {
            let received = try Scheduler.run(threads: 2) {
                let channel = Channel<Int>(capacity: capacity)
                try Scheduler.spawn {
                    for number in 0..<1000 { try channel.send(number) }
                    channel.close()
                }
                var received: [Int] = []
                while let number = try channel.receive() { received.append(number) }
                return received
            }
            #expect(received == Array(0..<1000))
        }

        @Test(arguments: [0, 1, 3]) func senderWaitsWhenTheCapacityIsReached(capacity: Int) throws {
            let log = Log<String>()
            try Scheduler.run(threads: 1) {
                let channel = Channel<Int>(capacity: capacity)
                try Scheduler.spawn {
                    for number in 0..<5 {
                        try channel.send(number)
                        log.append("sent \(number)")
                    }
                }
                for _ in 0..<10 { try Scheduler.yield() }
                #expect(log.elements == (0..<capacity).map { "sent \($0)" })
                for number in 0..<5 { #expect(try channel.receive() == number) }
                for _ in 0..<10 { try Scheduler.yield() }
                #expect(log.elements == (0..<5).map { "sent \($0)" })
            }
        }

        @Test func waitingReceiversAreServedInTheOrderOfTheirArrival() throws {
            let log = Log<String>()
            try Scheduler.run(threads: 1) {
                let channel = Channel<Int>(capacity: 4)
                for name in ["a", "b", "c"] {
                    try Scheduler.spawn {
                        guard let number = try channel.receive() else { return }
                        log.append("\(name)\(number)")
                    }
                }
                for _ in 0..<5 { try Scheduler.yield() }
                for number in 1...3 { try channel.send(number) }
            }
            #expect(log.elements == ["a1", "b2", "c3"])
        }

        @Test func closingLetsReceiversHaveTheRestAndSendersThrow() throws {
            try Scheduler.run(threads: 1) {
                let channel = Channel<Int>(capacity: 2)
                try channel.send(1)
                try channel.send(2)
                let sender = try Scheduler.spawn { try channel.send(3) }
                try Scheduler.yield()
                channel.close()
                channel.close()
                #expect(throws: SchedulerError.channelClosed) { try sender.join() }
                #expect(throws: SchedulerError.channelClosed) { try channel.send(4) }
                #expect(try channel.receive() == 1)
                #expect(try channel.receive() == 2)
                #expect(try channel.receive() == nil)
                #expect(try channel.receive() == nil)
            }
        }

        @Test func closingEndsWaitingReceivers() throws {
            let ended = Counter()
            try Scheduler.run(threads: 2) {
                let channel = Channel<Int>()
                let receivers = try (0..<10).map { _ in
                    try Scheduler.spawn { if try channel.receive() == nil { ended.increase() } }
                }
                try waitUntil("every receiver waits") { receivers.allSatisfy(\.isWaiting) }
                channel.close()
            }
            #expect(ended.value == 10)
        }

        @Test func optionalElementsMayBeNil() throws {
            try Scheduler.run(threads: 1) {
                let channel = Channel<Int?>(capacity: 1)
                try channel.send(nil)
                channel.close()
                let first = try channel.receive()
                #expect(first == .some(.none))
                #expect(try channel.receive() == .none)
            }
        }

        @Test(arguments: [0, 16]) func manySendersAndReceiversLoseNothing(capacity: Int) throws {
            let sum = Counter()
            let count = Counter()
            try Scheduler.run(threads: 4) {
                let channel = Channel<Int>(capacity: capacity)
                let senders = try (0..<20).map { sender in
                    try Scheduler.spawn { for number in 0..<500 { try channel.send(sender * 500 + number) } }
                }
                for _ in 0..<20 {
                    try Scheduler.spawn {
                        while let number = try channel.receive() {
                            sum.increase(by: number)
                            count.increase()
                        }
                    }
                }
                for sender in senders { try sender.join() }
                channel.close()
            }
            #expect(count.value == 10_000)
            #expect(sum.value == 10_000 * 9_999 / 2)
        }

        @Test func cancelledWaitersLeaveTheQueue() throws {
            try Scheduler.run(threads: 1) {
                let channel = Channel<Int>()
                let senders = try (0..<3).map { number in try Scheduler.spawn { try channel.send(number) } }
                try Scheduler.yield()
                senders[1].cancel()
                #expect(throws: CancellationError.self) { try senders[1].join() }
                #expect(try channel.receive() == 0)
                #expect(try channel.receive() == 2)
            }
        }

        @Test func aLoopTakesElementsUntilTheChannelIsClosed() throws {
            try Scheduler.run(threads: 2) {
                let channel = Channel<Int>(capacity: 2)
                try Scheduler.spawn {
                    for number in 0..<100 { try channel.send(number) }
                    channel.close()
                }
                var received: [Int] = []
                for number in channel {
                    received.append(number)
                    if number == 49 { break }
                }
                received += channel.lazy.map { $0 }
                #expect(received == Array(0..<100))
                let looping = try Scheduler.spawn {
                    for _ in Channel<Int>() {}
                    try Scheduler.checkCancellation()
                }
                try waitUntil("it waits") { looping.isWaiting }
                looping.cancel()
                #expect(throws: CancellationError.self) { try looping.join() }
            }
        }

        @Test func elementsAreReleasedWithTheChannel() throws {
            try Scheduler.run(threads: 1) {
                let channel = Channel<Tracked>(capacity: 10)
                for _ in 0..<10 { try channel.send(Tracked()) }
                for _ in 0..<3 { _ = try channel.receive() }
                #expect(Tracked.alive == 7)
            }
            #expect(Tracked.alive == 0)
        }
    }
}
