// What the raw switches of the suite `switch` leave behind: suites that run later in the process measure with it.

import Faultline
import Foundation
import Testing

@testable import Benchmarks

@Suite struct RawSwitchTests {
    /// Bytes of stack of the thread that a test runs on, which is no task's: raw switches exchange nothing.
    private static let threadStack = 1 << 20

    private func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { waiting in
            let thread = Thread { waiting.resume(with: Result { try body() }) }
            thread.stackSize = Self.threadStack
            thread.start()
        }
    }

    /// The library took the ended coroutine for the one that runs, and then nothing was left of the stack.
    @Test func theSameStackRunsAfterwards() async throws {
        let remaining = try await onThread {
            try rawRoundTrips(3)
            return StackSpace.remaining
        }
        #expect(remaining > 0 && remaining < Self.threadStack)
        // From another coroutine's stack as well.
        let onGrowable = try await onThread {
            try withGrowableStack {
                try rawRoundTrips(3)
                return StackSpace.remaining
            }
        }
        #expect(onGrowable > 256 << 20)
    }

    /// What asked for headroom got another stack each time, or, once the coroutine's entry in the table of stacks had
    /// been given to one of a large maximum, an error.
    @Test func headroomIsFoundAfterwards() async throws {
        let found = try await onThread {
            try rawRoundTrips(3)
            StackPool.drain()
            try withGrowableStack {}
            return try withStackHeadroom(32 << 10) { StackSpace.remaining }
        }
        #expect(found < Self.threadStack)
    }
}
