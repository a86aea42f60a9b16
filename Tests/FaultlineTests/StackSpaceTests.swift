// What is left of a stack, the error before its end, and going on with another.
import CShim
import Faultline
import Glibc
import TestNeeds
import TestSupport
import Testing

/// Recurses until fewer than `bytes` are left. Each frame owns something.
private func descend(asking bytes: Int, _ level: Int = 0) throws -> Int {
    try StackSpace.check(bytes)
    let held = Tracked()
    return try withExtendedLifetime(held) { try descend(asking: bytes, level + 1) } + keep(level)
}

/// `depth` levels, each with its annotation and something that it owns.
private func annotated(_ depth: Int, maximum: Int) throws -> Int {
    try withStackHeadroom(48 << 10, maximum: maximum) {
        if depth == 0 { return 0 }
        let held = Tracked()
        return try withExtendedLifetime(held) { try annotated(depth - 1, maximum: maximum) } + 1
    }
}

private struct Failure: Error, Equatable {}

private func fails() throws(Failure) -> Int { throw Failure() }

private struct Ticket: ~Copyable { let number: Int }

extension Stacks {
    @Suite struct Space {
        @Test func aThreadsOwnStackHasItsSizeLess() throws {
            let size = 1 << 20
            var attributes = pthread_attr_t()
            pthread_attr_init(&attributes)
            pthread_attr_setstacksize(&attributes, size)
            var thread = pthread_t()
            let error = pthread_create(
                &thread, &attributes,
                { _ in
                    let shallow = StackSpace.remaining
                    nonisolated(unsafe) var deep = 0
                    ts_call_below(512 << 10, { $0!.storeBytes(of: StackSpace.remaining, as: Int.self) }, &deep)
                    return UnsafeMutableRawPointer(bitPattern: shallow << 32 | deep)
                }, nil)
            #expect(error == 0)
            var result: UnsafeMutableRawPointer?
            pthread_join(thread, &result)
            let (shallow, deep) = (Int(bitPattern: result) >> 32, Int(bitPattern: result) & 0xffff_ffff)
            #expect(shallow < size && shallow > size - (64 << 10))
            #expect(deep <= shallow - (512 << 10) && deep > shallow - (600 << 10))
        }

        @Test func theMainThreadAndATaskKnowTheirs() async throws {
            let main = await MainActor.run { StackSpace.remaining }
            let task = await Task.detached { StackSpace.remaining }.value
            for remaining in [main, task] { #expect(remaining > 64 << 10 && remaining < 1 << 40) }
        }

        @Test(arguments: StackStrategy.allCases)
        func aStackHasItsMaximumLess(_ strategy: StackStrategy) throws {
            if strategy.moves { try Need.noSanitizer.check() }
            let maximum = 1 << 20
            let (first, later) = try withStack(StackConfiguration(strategy: strategy, maximum: maximum)) {
                let first = StackSpace.remaining
                _ = sum(to: 100)
                return (first, StackSpace.remaining)
            }
            // Without checks this code makes none grow that needs them.
            let growsByChecks = strategy == .checkMove || strategy == .checkSegment
            let end = growsByChecks ? 192 << 10 : maximum
            #expect(first == later && first < end && first > end - (16 << 10))
        }

        @Test func nothingIsLeftWhereTheStackIsNotKnown() throws {
            _ = StackSpace.remaining
            nonisolated(unsafe) var seen = -1
            let elsewhere = UnsafeMutableRawPointer.allocate(byteCount: 256 << 10, alignment: 16)
            defer { elsewhere.deallocate() }
            ts_call_on_other_stack(
                elsewhere, 256 << 10, { $0!.storeBytes(of: StackSpace.remaining, as: Int.self) }, &seen)
            #expect(seen == 0)
            // The same below a coroutine.
            seen = -1
            try withGrowableStack {
                ts_call_on_other_stack(
                    elsewhere, 256 << 10, { $0!.storeBytes(of: StackSpace.remaining, as: Int.self) }, &seen)
            }
            #expect(seen == 0)
        }

        @Test(arguments: StackStrategy.allCases)
        func theCheckThrowsBeforeTheEnd(_ strategy: StackStrategy) throws {
            if strategy.moves { try Need.noSanitizer.check() }
            let configuration = StackConfiguration(strategy: strategy, maximum: 1 << 20)
            let error = #expect(throws: InsufficientStack.self) {
                try withStack(configuration) { try descend(asking: 16 << 10) }
            }
            #expect(Tracked.alive == 0)
            #expect(error?.requested == 16 << 10)
            #expect(try #require(error).remaining > 8 << 10)
            #expect("\(try #require(error))".contains("16384 bytes of stack were asked for"))
        }

        @Test func theCheckThrowsBeforeTheEndOfAThread() throws {
            #expect(throws: InsufficientStack.self) { try onThread { try descend(asking: 64 << 10) } }
            #expect(Tracked.alive == 0)
        }

        @Test func headroomIsInPlaceWhereItIsLeft() throws {
            let slots = fl_slots_in_use(.FL_SLOT_1GIB)
            let (outside, inside, now) = try withStackHeadroom(16 << 10) {
                (
                    StackSpace.remaining, try withStackHeadroom(16 << 10) { StackSpace.remaining },
                    fl_slots_in_use(.FL_SLOT_1GIB)
                )
            }
            #expect(inside > outside - 4096 && now == slots)
        }

        @Test func headroomGoesOnWhereAThreadEnds() throws {
            #expect(try onThread { try annotated(deep, maximum: 512 << 20) } == deep)
            #expect(Tracked.alive == 0)
        }

        @Test func headroomGoesOnInATask() async throws {
            #expect(try await Task.detached { try annotated(deep, maximum: 512 << 20) }.value == deep)
        }

        @Test func headroomGoesOnWhereACoroutineEnds() throws {
            let small = StackConfiguration(maximum: 64 << 10)
            #expect(try withStack(small) { try annotated(deep, maximum: 512 << 20) } == deep)
        }

        @Test func tooDeepIsAnErrorThatUnwindsAll() throws {
            let maximum = 1 << 20
            let slots = fl_slots_in_use(.FL_SLOT_2MIB)
            for _ in 0..<3 {
                let error = #expect(throws: InsufficientStack.self) {
                    try onThread { try annotated(.max, maximum: maximum) }
                }
                #expect(Tracked.alive == 0 && error?.requested == 48 << 10)
            }
            StackPool.drain()
            #expect(fl_slots_in_use(.FL_SLOT_2MIB) <= slots)
        }

        @Test func aMaximumWithoutRoomForTheHeadroomIsAnError() throws {
            let error = #expect(throws: StackError.self) {
                try withStackHeadroom(Int.max / 2, maximum: 1 << 20) {}
            }
            #expect("\(try #require(error))".contains("has no room for a headroom"))
            for (bytes, maximum) in [(Int.max, 1 << 20), (Int.max, Int.max), (1 << 40, Int.min), (1 << 40, -5)] {
                #expect(throws: StackError.self) { try withStackHeadroom(bytes, maximum: maximum) {} }
            }
            #expect(try withStackHeadroom(Int.min) { 1 } == 1)
            #expect(throws: InsufficientStack.self) { try StackSpace.check(.max) }
        }

        @Test func typedErrorsStayTyped() throws {
            func typed() throws(GrowableStackError<Failure>) -> Int {
                try withGrowableStack(throwing: Failure.self) { () throws(Failure) in try fails() }
            }
            do {
                Issue.record("no error: \(try typed())")
            } catch {
                guard case .body(Failure()) = error else { throw error }
            }
            func cannotThrow(_ depth: Int) throws(GrowableStackError<Never>) -> Int {
                try withGrowableStack(maximum: 1 << 20, throwing: Never.self) { sum(to: depth) }
            }
            #expect(try cannotThrow(100) == 5050)
            do {
                _ = try cannotThrow(10_000_000)
                Issue.record("no overflow")
            } catch {
                // Nothing else is left to be caught.
                switch error {
                case .fault(.overflow(let overflow)): #expect(overflow.limit == 1 << 20)
                case .fault(.nilDereference), .unavailable: Issue.record("another error: \(error)")
                }
            }
            func refused() throws(GrowableStackError<Never>) {
                try withGrowableStack(maximum: 0, throwing: Never.self) {}
            }
            do {
                try refused()
                Issue.record("no error")
            } catch {
                guard case .unavailable(.invalidConfiguration) = error else { throw error }
            }
        }

        @Test func resultsThatCannotBeCopiedPass() throws {
            let ticket = try withGrowableStack { Ticket(number: sum(to: 10)) }
            let other = try withStackHeadroom(1 << 10) { Ticket(number: 1) }
            let noTraps: (FaultStatistics) -> Void = { #expect($0.allTraps == 0) }
            let third = try withStack(StackConfiguration(), statistics: noTraps) { Ticket(number: 2) }
            #expect(ticket.number == 55 && other.number == 1 && third.number == 2)
        }
    }
}

// ThreadSanitizer can follow 62,976 calls, and each level makes several.
private let deep = isSanitized ? 5_000 : 200_000
