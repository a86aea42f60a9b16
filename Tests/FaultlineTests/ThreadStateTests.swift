// What a thread keeps for the code that runs on it: each coroutine has its own, and its resumer's is as it was.
import CShim
import Faultline
import Glibc
import TestNeeds
import TestSupport
import Testing

enum Bound {
    @TaskLocal static var number = 0
    @TaskLocal static var text = "none"
    @TaskLocal static var wide: (UInt64, UInt64, [Int]) = (0, 0, [])
}

@inline(never) private func recurseForEver(_ depth: Int = 0) -> Int {
    keep(depth) < 0 ? 0 : recurseForEver(depth + 1) + keep(depth)
}

/// A C++ frame that calls a function in the middle.
struct Frame {
    let call: ((@convention(c) (UnsafeMutableRawPointer?) -> Void), UnsafeMutableRawPointer?) -> Int32

    static func catching(_ number: Int) -> Frame { Frame { ts_catch_around(Int32(number), $0, $1) } }
    static var unwinding: Frame { Frame(call: ts_unwind_around) }
}

/// Runs `body` below a C++ frame.
func around(_ frame: Frame, _ body: () throws -> Void) -> Int32 {
    withoutActuallyEscaping(body) { body in
        var box: () -> Void = { do { try body() } catch { Issue.record("\(error)") } }
        return withUnsafeMutablePointer(to: &box) {
            frame.call({ $0!.assumingMemoryBound(to: (() -> Void).self).pointee() }, $0)
        }
    }
}

private typealias Steps = Coroutine<Void, Int, Int>

/// Calls `overflows` with every depth of calls, and every size of a local array of these, that end near the end of a
/// stack. It is true where they do not fit any more.
private func aroundTheEnd(_ overflows: (_ depth: Int, _ bytes: Int) throws -> Bool) throws {
    var (fits, tooDeep) = (0, 4096)
    while tooDeep - fits > 1 {
        let middle = (fits + tooDeep) / 2
        if try overflows(middle, 16) { tooDeep = middle } else { fits = middle }
    }
    #expect(fits > 0)
    for depth in max(0, fits - 12)...tooDeep {
        for bytes in stride(from: 16, to: 272, by: 16) { _ = try overflows(depth, bytes) }
    }
}

extension Stacks {
    @Suite struct ThreadState {
        @Test func theWordsAreFound() throws {
            try withGrowableStack {}
            let found = fl_capabilities_get().pointee
            #expect(found.finds_access_set && found.finds_exceptions && found.finds_task_locals)
        }

        // MARK: C++ exceptions

        @Test(arguments: [StackStrategy.demand, .fault, .faultMove])
        func whatAHandlerCaughtIsItsOwnAcrossSuspensions(_ strategy: StackStrategy) throws {
            if strategy.moves { try Need.noSanitizer.check() }
            let all = try (1...5).map { number in
                try Steps(configuration: .init(strategy: strategy)) { (co: borrowing _, _) in
                    let arrived = around(.catching(number)) {
                        for round in 0..<3 { try co.suspend(round) }
                    }
                    return Int(arrived)
                }
            }
            for _ in 0..<3 {
                for co in all { _ = try co.resume() }
                #expect(!ts_handles_exception())
            }
            // In another order than they caught theirs.
            for (number, co) in zip(1...5, all).reversed() {
                guard case .finished(number) = try co.resume() else {
                    Issue.record("not its own exception")
                    continue
                }
            }
        }

        @Test func theResumersExceptionIsItsOwn() throws {
            let co = try Steps { (co: borrowing _, _) in
                #expect(!ts_handles_exception())
                return Int(around(.catching(7)) { try co.suspend(1) })
            }
            let arrived = around(.catching(3)) { _ = try co.resume() }
            #expect(arrived == 3)
            guard case .finished(7) = try co.resume() else {
                Issue.record("not its own exception")
                return
            }
        }

        @Test func exceptionsOnTheirWayAreCountedForEachAlone() throws {
            let co = try Steps { (co: borrowing _, _) in
                return Int(around(.unwinding) { try co.suspend(Int(ts_uncaught_exceptions())) })
            }
            guard case .suspended(1) = try co.resume() else {
                Issue.record("no exception was on its way")
                return
            }
            #expect(ts_uncaught_exceptions() == 0)
            #expect(around(.unwinding) {} == 1)
            guard case .finished(1) = try co.resume() else {
                Issue.record("another number")
                return
            }
            #expect(ts_uncaught_exceptions() == 0)
        }

        @Test func anOverflowInsideAHandlerLeavesTheCallersAlone() throws {
            for _ in 0..<20 {
                let arrived = around(.catching(5)) {
                    #expect(throws: StackFault.self) {
                        try withGrowableStack(maximum: 64 << 10) {
                            // Here the caller's exception is the body's as well, as in any call.
                            #expect(ts_handles_exception())
                            _ = around(.catching(6)) { _ = recurseForEver() }
                        }
                    }
                }
                #expect(arrived == 5 && !ts_handles_exception() && ts_uncaught_exceptions() == 0)
            }
        }

        // MARK: values that TaskLocal binds

        private static func check(number: Int, _ text: String = "none") {
            #expect(Bound.number == number && Bound.text == text)
        }

        private func interleave() throws {
            let before = Bound.number
            let all = try (1...4).map { number in
                try Bound.$text.withValue("made \(number)") {
                    try Steps { (co: borrowing _, _) in
                        Self.check(number: before, "made \(number)")
                        return try Bound.$number.withValue(number) {
                            for round in 0..<3 {
                                try co.suspend(round)
                                Self.check(number: number, "made \(number)")
                                try Bound.$wide.withValue((1, 2, [number])) {
                                    try co.suspend(round)
                                    #expect(Bound.wide.2 == [number])
                                }
                            }
                            return Bound.number
                        }
                    }
                }
            }
            Self.check(number: before)
            for round in 0..<6 {
                try Bound.$number.withValue(100 + round) {
                    for co in all { _ = try co.resume() }
                    Self.check(number: 100 + round)
                }
            }
            Self.check(number: before)
            for (number, co) in zip(1...4, all).reversed() {
                guard case .finished(number) = try co.resume() else {
                    Issue.record("another value")
                    continue
                }
            }
            Self.check(number: before)
        }

        @Test func eachCoroutineHasItsValuesOnAThread() throws {
            try onThread {
                try interleave()
                try Bound.$number.withValue(50) { try interleave() }
            }
        }

        @Test func eachCoroutineHasItsValuesInATask() async throws {
            try await Task.detached {
                try interleave()
                try Bound.$number.withValue(50) { try interleave() }
            }.value
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<4 {
                    group.addTask { try Bound.$number.withValue(number) { try interleave() } }
                }
                try await group.waitForAll()
            }
        }

        @Test func aDroppedCoroutineLeavesTheValuesAlone() async throws {
            func drop() throws {
                var co: Steps? = try Steps { (co: borrowing _, _) in
                    try Bound.$number.withValue(1) { try co.suspend(Bound.number) }
                    return 0
                }
                _ = try co!.resume()
                Bound.$number.withValue(2) {
                    co = nil
                    Self.check(number: 2)
                }
                Self.check(number: 0)
            }
            try drop()
            try onThread { try drop() }
            try await Task.detached { try drop() }.value
        }

        @Test func whatACoroutineInheritedOutlivesTheScope() throws {
            final class Witness: Sendable {}
            enum Held { @TaskLocal static var witness: Witness? }
            weak var witness: Witness?
            var co: Steps?
            try onThread {
                let kept = Witness()
                witness = kept
                let made = try Held.$witness.withValue(kept) {
                    try Steps { (co: borrowing _, _) in
                        try co.suspend(1)
                        return Held.witness == nil ? 0 : 1
                    }
                }
                co = nil
                _ = try made.resume()
                guard case .finished(1) = try made.resume() else {
                    Issue.record("the value is gone")
                    return
                }
            }
            #expect(witness == nil && co == nil)
        }

        @Test func aContainedOverflowEndsTheBindingsOfTheAbandoned() async throws {
            @inline(never) func bindForEver(_ depth: Int) {
                Bound.$number.withValue(depth) { bindForEver(keep(depth) + 1) }
                _ = keep(depth)
            }
            func contain() {
                for _ in 0..<10 {
                    Bound.$number.withValue(9) {
                        #expect(throws: StackFault.self) {
                            try withGrowableStack(maximum: 128 << 10) {
                                Self.check(number: 9)
                                bindForEver(0)
                            }
                        }
                        Self.check(number: 9)
                    }
                    #expect(throws: StackFault.self) {
                        try withGrowableStack(maximum: 128 << 10) { bindForEver(0) }
                    }
                    Self.check(number: 0)
                }
            }
            contain()
            try onThread { contain() }
            await Task.detached { contain() }.value
        }

        /// The resumer overflows wherever it can near a resume, which may exchange the thread's words.
        @Test func anOverflowNextToAResumeMixesNothing() throws {
            @inline(never) func resume(_ bytes: Int, _ co: Steps) -> Int {
                withUnsafeTemporaryAllocation(byteCount: bytes, alignment: 16) { room in
                    room[0] = 1
                    _ = try? co.resume()
                    return Int(room[0])
                }
            }
            @inline(never) func descend(_ depth: Int, _ bytes: Int, _ co: Steps) -> Int {
                keep(depth) == 0 ? resume(bytes, co) : descend(depth - 1, bytes, co) + keep(depth)
            }
            func overflows(_ depth: Int, _ bytes: Int) throws -> Bool {
                let co = try Steps { (co: borrowing _, _) in
                    try co.suspend(0)
                    return try Bound.$number.withValue(42) {
                        try co.suspend(-1)
                        try co.suspend(Bound.number)
                        return Bound.number
                    }
                }
                _ = try co.resume()
                var isFaulted = false
                do { _ = try withGrowableStack(maximum: 64 << 10) { descend(depth, bytes, co) } } catch is StackFault {
                    isFaulted = true
                }
                #expect(Bound.number == 0)
                // Where it was resumed, it is inside its binding.
                if case .suspended(let number) = try co.resume(), number != -1 { #expect(number == 42) }
                return isFaulted
            }
            try aroundTheEnd(overflows)
            #expect(Bound.number == 0)
        }

        /// The resumer overflows wherever it can near the resume of a coroutine that keeps nothing of the thread's.
        @Test func anOverflowNextToAResumeLeavesTheCoroutineAsItWas() throws {
            @inline(never) func resume(_ bytes: Int, _ co: Steps) -> Int {
                withUnsafeTemporaryAllocation(byteCount: bytes, alignment: 16) { room in
                    room[0] = 1
                    guard case .suspended(let value) = try? co.resume() else { return -1 }
                    return Int(room[0]) + value
                }
            }
            @inline(never) func descend(_ depth: Int, _ bytes: Int, _ co: Steps) -> Int {
                keep(depth) == 0 ? resume(bytes, co) : descend(depth - 1, bytes, co) + keep(depth)
            }
            try onThread {
                let co = try Steps { (co: borrowing _, _) in
                    while true { try co.suspend(1) }
                }
                _ = try co.resume()
                func overflows(_ depth: Int, _ bytes: Int) throws -> Bool {
                    var isFaulted = false
                    do {
                        _ = try withGrowableStack(maximum: 64 << 10) { descend(depth, bytes, co) }
                    } catch is StackFault {
                        isFaulted = true
                    }
                    guard case .suspended(1) = try co.resume() else {
                        Issue.record("not as it was")
                        return false
                    }
                    return isFaulted
                }
                try aroundTheEnd(overflows)
            }
        }

        /// The coroutine overflows wherever it can near a suspension, which exchanges words on its stack.
        @Test(arguments: [false, true]) func anOverflowNextToASuspensionMixesNothing(_ keepsControl: Bool) async throws
        {
            typealias Own = Steps.Suspender
            @inline(never) func suspend(_ bytes: Int, _ co: borrowing Own) throws -> Int {
                try withUnsafeTemporaryAllocation(byteCount: bytes, alignment: 16) { room in
                    room[0] = 1
                    try co.suspend(Bound.number)
                    return Int(room[0])
                }
            }
            @inline(never) func descend(_ depth: Int, _ bytes: Int, _ co: borrowing Own) throws -> Int {
                try keep(depth) == 0 ? suspend(bytes, co) : descend(depth - 1, bytes, co) + keep(depth)
            }
            func overflows(_ depth: Int, _ bytes: Int) throws -> Bool {
                let configuration = StackConfiguration(
                    maximum: 64 << 10, isIsolated: true, keepsFloatingPointControl: keepsControl)
                let co = try Steps(configuration: configuration) { (co: borrowing _, _) in
                    try Bound.$number.withValue(42) { try descend(depth, bytes, co) }
                }
                defer { #expect(Bound.number == 9) }
                do {
                    guard case .suspended(42) = try co.resume(), Bound.number == 9, case .finished = try co.resume()
                    else {
                        Issue.record("not its own value")
                        return false
                    }
                    return false
                } catch is StackFault { return true }
            }
            func sweep() throws {
                try Bound.$number.withValue(9) { try aroundTheEnd(overflows) }
            }
            try sweep()
            try onThread { try sweep() }
        }

        @Test(arguments: [StackStrategy.checkMove, .checkSegment, .checkFixed])
        func theLimitOfCheckedCodeIsItsOwn(_ strategy: StackStrategy) throws {
            if strategy.moves { try Need.noSanitizer.check() }
            func hasLimit() -> Int { ts_limit() == 0 ? 0 : 1 }
            let plain = try Steps { (co: borrowing _, _) in
                while true { try co.suspend(hasLimit()) }
            }
            let checked = try Steps(configuration: StackConfiguration(strategy: strategy)) { (co: borrowing _, _) in
                let mine = ts_limit()
                for _ in 0..<3 {
                    guard case .suspended(0) = try plain.resume(), ts_limit() == mine else { return 0 }
                    try co.suspend(hasLimit())
                }
                return hasLimit()
            }
            let outer = try Steps { (co: borrowing _, _) in
                for _ in 0..<4 {
                    switch try checked.resume() {
                    case .suspended(1), .finished(1): try co.suspend(hasLimit())
                    default: return 1
                    }
                }
                return hasLimit()
            }
            for _ in 0..<4 {
                guard case .suspended(0) = try outer.resume(), case .suspended(0) = try plain.resume(), hasLimit() == 0
                else {
                    Issue.record("one has another's limit")
                    return
                }
            }
            guard case .finished(0) = try outer.resume() else {
                Issue.record("it ended with a limit")
                return
            }
        }

        @Test func aCoroutineHasNoTask() async throws {
            try await Task.detached {
                let co = try Steps { (co: borrowing _, _) in
                    try co.suspend(withUnsafeCurrentTask { $0 == nil } ? 1 : 0)
                    return Task.isCancelled ? 1 : 0
                }
                guard case .suspended(1) = try co.resumeHere() else {
                    Issue.record("it has the resumer's")
                    return
                }
                #expect(withUnsafeCurrentTask { $0 != nil })
                #expect(try withGrowableStack { withUnsafeCurrentTask { $0 != nil } })
            }.value
        }
    }
}
