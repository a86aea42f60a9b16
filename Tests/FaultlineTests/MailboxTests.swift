// What a resumer and a coroutine hand each other, and where it stands meanwhile: above the outermost frame, on a stack
// that may have moved, shrunk or hibernated since.
import CShim
import CSwitch
import Faultline
import TestNeeds
import TestSupport
import Testing

/// The control block of a coroutine's stack, once it has begun.
private final class Control {
    var stack: UnsafePointer<fl_stack>?
    var frame: UInt { UInt(bitPattern: stack!.pointee.fiber.frame) }
    var base: UInt { UInt(stack!.pointee.base) }
    var moves: UInt64 {
        var counters = fl_counters()
        fl_stack_counters(stack!, &counters)
        return counters.moves.0 + counters.moves.1 + counters.moves.2
    }
}

/// Larger than the mailbox on the stack, so that it stands on the heap.
private struct Large: Equatable {
    var words: (Int, Int, Int, Int, Int, Int, Int, Int, Int, Int, Int, Int)
    var name: String

    init(_ n: Int) {
        words = (n, n, n, n, n, n, n, n, n, n, n, n + 1)
        name = "large number \(n), too long for a small string"
    }

    static func == (a: Large, b: Large) -> Bool {
        a.words.0 == b.words.0 && a.words.11 == b.words.11 && a.name == b.name
    }
}

/// What happens to a suspended stack.
private enum Change: CaseIterable {
    case nothing, hibernates, shrinks
}

/// Has a coroutine move between each two values, and `change` happen while it waits; ends with its last one.
private func exchange<Value: Equatable>(
    _ strategy: StackStrategy, _ change: Change, _ value: @escaping (Int) -> Value
) throws -> Control {
    let control = Control()
    let rounds = 9
    let co = try Coroutine<Value, Value, Value>(configuration: .init(strategy: strategy, initial: 4096)) {
        (co: borrowing _, first) in
        control.stack = ts_running_stack()
        var input = first
        for round in 0..<rounds {
            touch(pages: round == 0 ? 2 : 2 << round)
            #expect(input == value(round))
            input = try co.suspend(value(-round))
        }
        return input
    }
    for round in 0..<rounds {
        guard case .suspended(let output) = try co.resume(value(round)) else { throw StackError.finished }
        #expect(output == value(-round))
        switch change {
        case .nothing: break
        case .hibernates: try co.hibernate()
        case .shrinks: for _ in 0..<2 { try co.shrink() }
        }
    }
    guard case .finished(let result) = try co.resume(value(rounds)) else { throw StackError.finished }
    #expect(result == value(rounds))
    withExtendedLifetime(co) {}
    return control
}

extension Stacks {
    @Suite struct Mailboxes {
        @Test(arguments: [StackStrategy.fault, .faultMove], Change.allCases)
        fileprivate func valuesArriveWhateverTheStackWentThrough(_ strategy: StackStrategy, _ change: Change) throws {
            if strategy.moves { try Need.noSanitizer.check() }
            _ = try exchange(strategy, change) { $0 }
            _ = try exchange(strategy, change) { "value number \($0), too long for a small string" }
            _ = try exchange(strategy, change) { [$0, $0 + 1] }
            _ = try exchange(strategy, change) { Large($0) }
            _ = try exchange(strategy, change) { SIMD8<Int64>(repeating: Int64($0)) }
        }

        @Test(.needs(.noSanitizer)) func theOutermostFrameKeepsItsDistanceToTheBase() throws {
            let control = Control()
            let co = try Coroutine<Int, Void, Void>(configuration: .init(strategy: .faultMove, initial: 4096)) {
                (co: borrowing _, first) in
                control.stack = ts_running_stack()
                var pages = first
                while true {
                    touch(pages: pages)
                    pages = try co.suspend(())
                }
            }
            _ = try co.resume(0)
            let distance = control.base - control.frame
            // Three cache lines, and at most fifteen by which its base is staggered.
            #expect((192...192 + 15 * 64).contains(distance) && distance % 64 == 0)
            // More than the second slot holds: the first resume may have come there by what it ran for the first time.
            for pages in [100, 1000, 3000] {
                let (before, base) = (control.moves, control.base)
                _ = try co.resume(pages)
                #expect(control.moves > before && control.base != base)
                #expect(control.base - control.frame == distance)
            }
            withExtendedLifetime(co) {}
        }

        /// The flag is read by a body that runs, wherever its stack was when it was set.
        @Test(arguments: [false, true]) func cancellingReachesAStackThatHibernates(isUnshared: Bool) throws {
            var wasCancelled = false
            let co = try Coroutine<String, String, Void>(configuration: .init(strategy: smallest, initial: 4096)) {
                (co: borrowing _, _) in
                do { try co.suspend("a value that is never taken, too long for a small string") } catch {
                    wasCancelled = co.isCancelled
                    throw error
                }
            }
            _ = try co.resume("an input that is dropped, too long for a small string")
            try co.hibernate(isUnshared: isUnshared)
            co.cancel()
            #expect(wasCancelled && !co.isResumable)
        }

        /// The last resume runs on a small isolated stack, with every distance to its end: the stack may overflow while
        /// the result is taken and the mailbox goes, and then the coroutine's object ends what is left, once.
        @Test(.needs(.noSanitizer)) func aResultIsTakenOnceWhereTheResumersStackEnds() async {
            await #expect(processExitsWith: .success) {
                try onThread {
                    let maximum = 64 << 10
                    var overflows = 0
                    for distance in stride(from: 0, to: 5 * 4096, by: 16) {
                        let co = try Coroutine<Int, Int, Large> { co, n in Large(try co.suspend(n)) }
                        _ = try co.resumeHere(1)
                        let object = Unmanaged.passUnretained(co)
                        let references = _getRetainCount(co)
                        do {
                            try withGrowableStack(maximum: maximum) {
                                ts_call_below(
                                    maximum - distance,
                                    { pointer in
                                        Unmanaged<Coroutine<Int, Int, Large>>.fromOpaque(pointer!)
                                            ._withUnsafeGuaranteedRef { _ = try? $0.resumeHere(2) }
                                    }, object.toOpaque())
                            }
                        } catch is StackFault { overflows += 1 }
                        // What abandoned frames held leaks; without it the object ends here.
                        while _getRetainCount(co) > references { object.release() }
                        withExtendedLifetime(co) {}
                    }
                    #expect(overflows > 0)
                }
            }
        }
    }
}
