// Select: which case is chosen, that no other one is done, and that nothing is lost.
import Faultline
import Testing

@testable import FaultlineScheduler

extension Schedulers {
    @Suite struct Selects {
        private enum Choice: Equatable {
            case first(Int?)
            case second(String?)
            case sent, late, none
        }

        @Test func aReadyCaseIsDoneAtOnce() throws {
            try Scheduler.run(threads: 1) {
                let numbers = Channel<Int>(capacity: 1)
                let texts = Channel<String>(capacity: 1)
                func choose() throws -> Choice {
                    try Scheduler.select(
                        .receive(numbers) { .first($0) }, .receive(texts) { .second($0) }, .otherwise { .none })
                }
                #expect(try choose() == .none)
                try texts.send("a")
                #expect(try choose() == .second("a"))
                try numbers.send(1)
                #expect(try choose() == .first(1))
                numbers.close()
                #expect(try choose() == .first(nil))
                #expect(try Scheduler.select(.send("b", to: texts) { true }, .otherwise { false }))
                #expect(try !Scheduler.select(.send("c", to: texts) { true }, .otherwise { false }))
                #expect(try texts.receive() == "b")
                #expect(throws: SchedulerError.channelClosed) { try Scheduler.select(.send(1, to: numbers) {}) }
            }
        }

        @Test func aSelectWaitsForTheFirstCase() throws {
            try Scheduler.run(threads: 2) {
                let numbers = Channel<Int>()
                let texts = Channel<String>()
                let replies = Channel<Int>()
                let selecting = try Scheduler.spawn {
                    try (0..<4).map { _ -> Choice in
                        try Scheduler.select(
                            .receive(numbers) { .first($0) }, .send(5, to: replies) { .sent },
                            .receive(texts) { .second($0) })
                    }
                }
                try waitUntil("it waits") { selecting.isWaiting }
                try texts.send("x")
                try waitUntil("it waits") { selecting.isWaiting }
                #expect(try replies.receive() == 5)
                try waitUntil("it waits") { selecting.isWaiting }
                try numbers.send(2)
                try waitUntil("it waits") { selecting.isWaiting }
                texts.close()
                #expect(try selecting.join() == [.second("x"), .sent, .first(2), .second(nil)])
                #expect(!numbers.hasWaiters && !texts.hasWaiters && !replies.hasWaiters)
                // The bodies' errors pass.
                #expect(throws: Failure(code: 2)) {
                    try Scheduler.select(.receive(texts) { _ in throw Failure(code: 2) })
                }
            }
        }

        @Test func aCaseThatIsGivenTwiceIsOne() throws {
            try Scheduler.run(threads: 2) {
                let numbers = Channel<Int>()
                let receiving = SelectCase<Int>.receive(numbers) { $0 ?? -1 }
                for number in 0..<20 {
                    let sender = try Scheduler.spawn { try numbers.send(number) }
                    #expect(try Scheduler.select([receiving, receiving]) == number)
                    try sender.join()
                    let receiver = try Scheduler.spawn { try numbers.receive() }
                    let sending = SelectCase<Int>.send(number, to: numbers) { number }
                    #expect(try Scheduler.select([sending, sending]) == number)
                    #expect(try receiver.join() == number)
                }
            }
        }

        @Test func closingEndsTheWaitOfASelectThatSends() throws {
            try Scheduler.run(threads: 1) {
                let channel = Channel<Tracked>()
                let sending = try Scheduler.spawn {
                    try Scheduler.select(.send(Tracked(), to: channel) {}, .receive(Channel<Int>()) { _ in })
                }
                try waitUntil("it waits") { sending.isWaiting }
                channel.close()
                #expect(throws: SchedulerError.channelClosed) { try sending.join() }
            }
            #expect(Tracked.alive == 0)
        }

        @Test func theTimerIsChosenWhenNothingElseIsReady() throws {
            try Scheduler.run(threads: 1) {
                let channel = Channel<Int>(capacity: 1)
                #expect(
                    try Scheduler.select(
                        .receive(channel) { .first($0) }, .after(.seconds(1000)) { Choice.none },
                        .after(.milliseconds(2)) { .late }) == .late)
                #expect(!channel.hasWaiters)
                #expect(try Scheduler.select(.receive(channel) { .first($0) }, .after(.zero) { .late }) == Choice.late)
                try channel.send(3)
                #expect(
                    try Scheduler.select(.receive(channel) { .first($0) }, .after(.zero) { .late }) == Choice.first(3))
            }
        }

        @Test func ofReadyCasesEachIsChosenAboutAsOften() throws {
            try Scheduler.run(threads: 1) {
                let channels = (0..<4).map { _ in Channel<Int>(capacity: 1) }
                for channel in channels { channel.close() }
                var counts = [Int](repeating: 0, count: 4)
                for _ in 0..<8000 {
                    let chosen = try Scheduler.select(
                        channels.enumerated().map { index, channel in .receive(channel) { _ in index } })
                    counts[chosen] += 1
                }
                // The deviation of each count is 39.
                #expect(counts.allSatisfy { (1700...2300).contains($0) }, "\(counts)")
            }
        }

        @Test func aJobDoesNotMeetItselfInAChannel() throws {
            try Scheduler.run(threads: 1) {
                let channel = Channel<Int>()
                let choice = try Scheduler.select(
                    .send(1, to: channel) { Choice.sent }, .receive(channel) { .first($0) }, .otherwise { .none })
                #expect(choice == .none)
                let both = try Scheduler.spawn {
                    try Scheduler.select(.send(1, to: channel) { Choice.sent }, .receive(channel) { .first($0) })
                }
                try waitUntil("it waits") { both.isWaiting }
                try channel.send(7)
                #expect(try both.join() == .first(7))
            }
        }

        @Test(arguments: [1, 4]) func selectsThatMeetEachOtherLoseNothing(threads: Int) throws {
            let (sent, received) = (Counter(), Counter())
            try Scheduler.run(threads: threads) {
                let channels = (0..<3).map { _ in Channel<Int>() }
                let stop = Channel<Int>()
                let senders = try (0..<6).map { sender in
                    try Scheduler.spawn {
                        for number in 1...200 {
                            let element = sender * 1000 + number
                            // In another order than the receivers.
                            try Scheduler.select(
                                channels.reversed().map { channel in
                                    .send(element, to: channel) { _ = sent.increase(by: element) }
                                })
                        }
                    }
                }
                for _ in 0..<4 {
                    try Scheduler.spawn {
                        var isOpen = true
                        while isOpen {
                            try Scheduler.select(
                                channels.map { channel in .receive(channel) { _ = received.increase(by: $0 ?? 0) } }
                                    + [.receive(stop) { _ in isOpen = false }])
                        }
                    }
                }
                for sender in senders { try sender.join() }
                stop.close()
            }
            #expect(sent.value == received.value)
            #expect(sent.value == (0..<6).reduce(0) { $0 + $1 * 1000 * 200 + 200 * 201 / 2 })
        }

        @Test func aSelectThatNothingCanEndIsADeadlock() throws {
            #expect(throws: SchedulerError.deadlock(jobs: 2)) {
                try Scheduler.run(threads: 2) {
                    try Scheduler.spawn { try Scheduler.select([SelectCase<Void>]()) }
                    try Scheduler.select(.receive(Channel<Int>()) { _ in })
                }
            }
        }

        @Test func aSelectOutsideJobsIsAnError() {
            #expect(throws: SchedulerError.outsideJob) { try Scheduler.select(.otherwise {}) }
        }
    }
}
