// Coroutines as values: steps, errors, cancellation, destruction, nesting, and what belongs to a coroutine and what to
// its thread.
import CShim
import CSwitch
import Faultline
import Glibc
import TestNeeds
import Testing

private struct Failure: Error, Equatable { let code: Int }

/// 160 bytes and a reference: too large for the mailbox above the outermost frame.
private struct Large: Equatable {
    var words: (Int, Int, Int, Int, Int, Int, Int, Int, Int, Int, Int, Int, Int, Int, Int, Int, Int, Int, Int, Int)
    var name: String
    init(_ n: Int) {
        words = (n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n + 1)
        name = "large number \(n), too long for a small string"
    }
    static func == (a: Large, b: Large) -> Bool {
        a.words.0 == b.words.0 && a.words.19 == b.words.19 && a.name == b.name
    }
}

extension Stacks {
    @Suite struct CoroutineBehaviour {
        @Test func aCoroutineYieldsEachValueThenTheResult() throws {
            let squares = try Coroutine<Void, Int, String> { (co: borrowing _, _) in
                for n in 1...3 { try co.suspend(n * n) }
                return "done"
            }
            var seen: [Int] = []
            var result: String?
            while result == nil {
                switch try squares.resume() {
                case .suspended(let value): seen.append(value)
                case .finished(let text): result = text
                }
            }
            #expect(seen == [1, 4, 9])
            #expect(result == "done")
            #expect(!squares.isResumable)
        }

        @Test func suspendReturnsTheInputOfTheNextResume() throws {
            let echo = try Coroutine<Int, Int, [Int]> { (co: borrowing _, first) in
                var seen = [first]
                for _ in 0..<4 { seen.append(try co.suspend(seen.last! * 10)) }
                return seen
            }
            for n in 1...4 {
                guard case .suspended(let value) = try echo.resume(n) else {
                    Issue.record("ended early")
                    return
                }
                #expect(value == n * 10)
            }
            guard case .finished(let seen) = try echo.resume(5) else {
                Issue.record("did not end")
                return
            }
            #expect(seen == [1, 2, 3, 4, 5])
        }

        @Test func optionalOutputAndInputMayBeNil() throws {
            let co = try Coroutine<Int?, String?, Int?> { (co: borrowing _, first) in
                #expect(first == nil)
                let second = try co.suspend(nil)
                #expect(second == nil)
                return nil
            }
            guard case .suspended(nil) = try co.resume(nil) else {
                Issue.record("no nil output")
                return
            }
            guard case .finished(nil) = try co.resume(nil) else {
                Issue.record("no nil result")
                return
            }
        }

        @Test func theBodysErrorIsThrownByResumeAndEndsTheCoroutine() throws {
            let co = try Coroutine<Void, Int, Void> { (co: borrowing _, _) in
                try co.suspend(1)
                throw Failure(code: 7)
            }
            _ = try co.resume()
            #expect(throws: Failure(code: 7)) { try co.resume() }
            #expect(throws: StackError.finished) { try co.resume() }
            #expect(!co.isResumable)
        }

        @Test func aFinishedCoroutineCannotBeResumed() throws {
            let co = try Coroutine<Void, Int, Int> { (_: borrowing _, _) in 5 }
            guard case .finished(5) = try co.resume() else {
                Issue.record("did not end")
                return
            }
            for _ in 0..<3 { #expect(throws: StackError.finished) { try co.resume() } }
        }

        @Test func cancellingBeforeTheStartNeverRunsTheBody() throws {
            var ran = false
            do {
                let tracked = Tracked()
                let co = try Coroutine<Void, Int, Void> { (_: borrowing _, _) in
                    ran = true
                    _ = keep(tracked)
                }
                co.cancel()
                #expect(!co.isResumable)
                #expect(throws: StackError.finished) { try co.resume() }
            }
            #expect(!ran)
            #expect(Tracked.alive == 0)
        }

        @Test func cancellingWhileSuspendedUnwindsTheBody() throws {
            var log: [String] = []
            let co = try Coroutine<Void, Int, Void> { (co: borrowing _, _) in
                defer { log.append("defer") }
                do { try co.suspend(1) } catch {
                    log.append("\(type(of: error)) \(co.isCancelled)")
                    throw error
                }
                log.append("not reached")
            }
            _ = try co.resume()
            co.cancel()
            #expect(log == ["CoroutineCancelled true", "defer"])
            #expect(throws: StackError.finished) { try co.resume() }
            co.cancel()
        }

        @Test func everySuspendAfterCancellationThrows() throws {
            var thrown = 0
            let co = try Coroutine<Void, Int, Void> { (co: borrowing _, _) in
                for n in 0..<100 {
                    do { try co.suspend(n) } catch { thrown += 1 }
                }
            }
            for _ in 0..<10 { _ = try co.resume() }
            co.cancel()
            #expect(thrown == 91)
            #expect(!co.isResumable)
        }

        @Test func cancellationFromInsideTakesEffectAtTheNextSuspend() throws {
            var co: Coroutine<Void, Int, String>?
            co = try Coroutine { (suspender: borrowing _, _) in
                co!.cancel()
                do {
                    try suspender.suspend(1)
                    return "suspended"
                } catch { return "cancelled" }
            }
            guard case .finished("cancelled") = try co!.resume() else {
                Issue.record("not cancelled")
                return
            }
            co = nil
        }

        @Test func destroyingASuspendedCoroutineRunsDefersAndFreesWhatFramesOwn() throws {
            #expect(Tracked.alive == 0)
            var defers = 0
            do {
                let co = try Coroutine<Tracked, Tracked, Tracked> { (co: borrowing _, input) in
                    func nested(_ depth: Int) throws {
                        defer { defers += 1 }
                        let local = Tracked()
                        if depth == 0 { _ = try co.suspend(Tracked()) } else { try nested(depth - 1) }
                        _ = keep(local)
                    }
                    try nested(49)
                    return input
                }
                guard case .suspended = try co.resume(Tracked()) else {
                    Issue.record("ended")
                    return
                }
                #expect(Tracked.alive >= 51)
                #expect(defers == 0)
            }
            #expect(defers == 50)
            #expect(Tracked.alive == 0)
        }

        @Test(arguments: [0, 1, 5, 6]) func noObjectOutlivesItsCoroutine(resumes: Int) throws {
            #expect(Tracked.alive == 0)
            weak var gone: Coroutine<Tracked, Tracked, Tracked>?
            do {
                let captured = Tracked()
                let co = try Coroutine<Tracked, Tracked, Tracked> { (co: borrowing _, input) in
                    var last = input
                    for _ in 0..<5 { last = try co.suspend(keep(captured)) }
                    return last
                }
                gone = co
                for _ in 0..<resumes { _ = try co.resume(Tracked()) }
                #expect(co.isResumable == (resumes < 6))
            }
            #expect(gone == nil)
            #expect(Tracked.alive == 0)
        }

        @Test func aThousandSuspendedCoroutinesInterleave() throws {
            let all = try (0..<1000).map { n in
                try Coroutine<Int, Int, Int> { (co: borrowing _, first) in
                    var total = n + first
                    for _ in 0..<10 { total += try co.suspend(total) }
                    return total
                }
            }
            for round in 0..<10 {
                for (n, co) in all.enumerated() {
                    guard case .suspended(let value) = try co.resume(1) else {
                        Issue.record("ended early")
                        return
                    }
                    #expect(value == n + round + 1)
                }
            }
            for (n, co) in all.enumerated() {
                guard case .finished(let value) = try co.resume(1) else {
                    Issue.record("did not end")
                    return
                }
                #expect(value == n + 11)
            }
        }

        @Test func coroutinesNestAHundredDeep() throws {
            func make(_ depth: Int) throws -> Coroutine<Void, Int, Int> {
                try Coroutine { (co: borrowing _, _) in
                    if depth == 0 {
                        try co.suspend(0)
                        return 1
                    }
                    let inner = try make(depth - 1)
                    while true {
                        switch try inner.resume() {
                        case .suspended(let value): try co.suspend(value + 1)
                        case .finished(let value): return value + 1
                        }
                    }
                }
            }
            let outer = try make(100)
            guard case .suspended(100) = try outer.resume() else {
                Issue.record("wrong depth")
                return
            }
            guard case .finished(101) = try outer.resume() else {
                Issue.record("wrong depth")
                return
            }
        }

        @Test func destroyingTheOutermostEndsNestedCoroutines() throws {
            var ended: [Int] = []
            func make(_ depth: Int) throws -> Coroutine<Void, Int, Void> {
                try Coroutine { (co: borrowing _, _) in
                    defer { ended.append(depth) }
                    if depth == 0 {
                        try co.suspend(0)
                        return
                    }
                    let inner = try make(depth - 1)
                    while case .suspended(let value) = try inner.resume() { try co.suspend(value) }
                }
            }
            do { _ = try make(5).resume() }
            #expect(ended.sorted() == Array(0...5))
        }

        @Test func aCoroutineMayResumeItsSibling() throws {
            let inner = try Coroutine<Int, Int, Int> { (co: borrowing _, first) in
                var value = first
                while true { value = try co.suspend(value * 2) }
            }
            let outer = try Coroutine<Int, Int, Int> { (co: borrowing _, first) in
                var value = first
                for _ in 0..<5 {
                    guard case .suspended(let doubled) = try inner.resume(value) else { return -1 }
                    value = try co.suspend(doubled + 1)
                }
                return value
            }
            // Resumed in turn from inside another coroutine and from here.
            for n in 1...5 {
                guard case .suspended(let value) = try outer.resume(n) else {
                    Issue.record("ended")
                    return
                }
                #expect(value == 2 * n + 1)
                guard case .suspended(let direct) = try inner.resume(100 + n) else {
                    Issue.record("ended")
                    return
                }
                #expect(direct == 2 * (100 + n))
            }
        }

        @Test func largeValuesPassThroughTheHeapMailbox() throws {
            let co = try Coroutine<Large, Large, Large> { (co: borrowing _, first) in
                var last = first
                for _ in 0..<10 { last = try co.suspend(Large(last.words.0 * 2)) }
                return last
            }
            for n in 0..<10 {
                guard case .suspended(let value) = try co.resume(Large(n)) else {
                    Issue.record("ended")
                    return
                }
                #expect(value == Large(2 * n))
            }
            guard case .finished(let last) = try co.resume(Large(99)) else {
                Issue.record("did not end")
                return
            }
            #expect(last == Large(99))
        }

        @Test(arguments: StackStrategy.allCases) func aCoroutineWorksOnEveryStrategy(_ strategy: StackStrategy) throws {
            if strategy.moves { try Need.noSanitizer.check() }
            let co = try Coroutine<Int, String, Int>(configuration: .init(strategy: strategy)) {
                (co: borrowing _, first) in
                var total = first
                for n in 0..<20 { total += try co.suspend("\(n): \(sum(to: 20 * n))") }
                return total
            }
            for n in 0..<20 {
                guard case .suspended(let text) = try co.resume(n) else {
                    Issue.record("ended")
                    return
                }
                #expect(text == "\(n): \(sum(to: 20 * n))")
            }
            guard case .finished(210) = try co.resume(20) else {
                Issue.record("wrong total")
                return
            }
        }

        @Test func suspendingOnAnotherStackIsAPreconditionFailure() async {
            let result = await #expect(processExitsWith: .signal(SIGILL), observing: [\.standardErrorContent]) {
                let outer = try Coroutine<Void, Int, Void> { (co: borrowing _, _) in
                    try withGrowableStack { _ = try co.suspend(1) }
                }
                _ = try outer.resumeHere()
            }
            expectMessage(result, "suspend was called on another stack")
        }

        @Test func resumingOnAForeignThreadIsAPreconditionFailure() async {
            let result = await #expect(processExitsWith: .signal(SIGILL), observing: [\.standardErrorContent]) {
                let co = try Coroutine<Void, Int, Void> { (co: borrowing _, _) in try co.suspend(1) }
                _ = try co.resumeHere()
                nonisolated(unsafe) let shared = co
                try onThread { _ = try shared.resume() }
            }
            expectMessage(result, "on the thread that started it")
        }

        @Test func destroyingOnAForeignThreadIsAPreconditionFailure() async {
            let result = await #expect(processExitsWith: .signal(SIGILL), observing: [\.standardErrorContent]) {
                var owned: [Coroutine<Void, Int, Void>] = [try Coroutine { (co: borrowing _, _) in try co.suspend(1) }]
                _ = try owned[0].resumeHere()
                try onThread { owned.removeAll() }
            }
            expectMessage(result, "on the thread that started it")
        }

        @Test func resumingARunningCoroutineIsAPreconditionFailure() async {
            let result = await #expect(processExitsWith: .signal(SIGILL), observing: [\.standardErrorContent]) {
                var co: Coroutine<Void, Int, Void>?
                co = try Coroutine { (_: borrowing _, _) in _ = try co!.resume() }
                _ = try co!.resumeHere()
            }
            expectMessage(result, "cannot be resumed while it runs")
        }

        @Test func startingOnAnotherThreadThanTheMakersWorks() throws {
            let co = try Coroutine<Void, Int, Int> { (co: borrowing _, _) in
                try co.suspend(1)
                return 2
            }
            nonisolated(unsafe) let shared = co
            try onThread {
                guard case .suspended(1) = try shared.resume(), case .finished(2) = try shared.resume() else {
                    Issue.record("wrong steps")
                    return
                }
            }
        }
    }

    @Suite struct GeneratorBehaviour {
        @Test func aGeneratorIsASequence() throws {
            let numbers = Generator<Int> { yield in for n in 0..<100 { try yield.suspend(n) } }
            #expect(Array(numbers) == Array(0..<100))
            #expect(numbers.map { $0 * 2 }.reduce(0, +) == 9900, "each iteration starts anew")
        }

        @Test func leavingTheLoopEarlyCancels() throws {
            var unwound = false
            for n in Generator<Int>({ yield in
                defer { unwound = true }
                for n in 0... { try yield.suspend(n) }
            }) where n == 10 { break }
            #expect(unwound)
        }

        @Test func anErrorEndsTheSequenceAndIsKept() throws {
            let failing = Generator<Int> { yield in
                try yield.suspend(1)
                throw Failure(code: 3)
            }
            let quiet = failing.makeIterator()
            #expect(quiet.next() == 1)
            #expect(quiet.next() == nil)
            #expect(quiet.error as? Failure == Failure(code: 3))
            #expect(quiet.next() == nil)
            let loud = failing.makeIterator()
            #expect(try loud.nextElement() == 1)
            #expect(throws: Failure(code: 3)) { try loud.nextElement() }
            #expect(try loud.nextElement() == nil)
        }

        @Test func aLoopsOwnerGetsTheErrorAfterTheLoop() throws {
            let failing = Generator<Int> { yield in
                try yield.suspend(1)
                throw Failure(code: 3)
            }
            var seen: [Int] = []
            #expect(throws: Failure(code: 3)) {
                try failing.withElements { elements in
                    for element in elements { seen.append(element) }
                }
            }
            #expect(seen == [1])
            // Who leaves early does not reach it, and what the loop throws comes first.
            #expect(try failing.withElements { $0.first { _ in true } } == 1)
            #expect(throws: CancellationError.self) {
                try failing.withElements { elements in
                    for _ in elements {}
                    throw CancellationError()
                }
            }
            let impossible = Generator<Int>(configuration: .init(strategy: .fixed, initial: 4096)) { _ in }
            #expect(throws: StackError.self) { try impossible.withElements { Array($0) } }
        }

        @Test func anErrorOfTheBodyThatLooksLikeTheEndIsNone() throws {
            let iterator = Generator<Int> { _ in throw StackError.finished }.makeIterator()
            #expect(throws: StackError.finished) { try iterator.nextElement() }
            #expect(try iterator.nextElement() == nil)
        }

        @Test func anImpossibleConfigurationIsReported() throws {
            let iterator = Generator<Int>(configuration: .init(strategy: .fixed, initial: 4096)) { _ in }.makeIterator()
            #expect(throws: StackError.self) { try iterator.nextElement() }
        }

        @Test func aGeneratorWalksATreeAtAnyDepth() throws {
            indirect enum Tree {
                case leaf(Int)
                case node(Tree, Tree)
            }
            func build(_ depth: Int, _ n: Int) -> Tree {
                depth == 0 ? .leaf(n) : .node(build(depth - 1, 2 * n), build(depth - 1, 2 * n + 1))
            }
            func visit(_ tree: Tree, _ yield: borrowing Generator<Int>.Yield) throws {
                switch tree {
                case .leaf(let n): try yield.suspend(n)
                case .node(let left, let right):
                    try visit(left, yield)
                    try visit(right, yield)
                }
            }
            let tree = build(10, 0)
            #expect(Array(Generator { yield in try visit(tree, yield) }) == Array(0..<1024))
        }
    }

    @Suite struct FloatingPointControl {
        // Rounding in MXCSR and the x87 control word, through the C library.
        @Test(arguments: [true, false]) func theRoundingModeIsTheCoroutinesOwnExactlyWhenAskedFor(_ keeps: Bool) throws
        {
            let configuration = StackConfiguration(keepsFloatingPointControl: keeps)
            defer { fesetround(FE_TONEAREST) }
            let co = try Coroutine<Void, Int32, Void>(configuration: configuration) { (co: borrowing _, _) in
                fesetround(FE_UPWARD)
                try co.suspend(fegetround())
                try co.suspend(fegetround())
            }
            fesetround(FE_TONEAREST)
            guard case .suspended(FE_UPWARD) = try co.resume() else {
                Issue.record("not set inside")
                return
            }
            #expect(fegetround() == (keeps ? FE_TONEAREST : FE_UPWARD))
            fesetround(FE_DOWNWARD)
            guard case .suspended(let inside) = try co.resume() else {
                Issue.record("ended")
                return
            }
            #expect(inside == (keeps ? FE_UPWARD : FE_DOWNWARD))
            #expect(fegetround() == FE_DOWNWARD)
        }
    }
}

func expectMessage(_ result: ExitTest.Result?, _ text: String) {
    guard let result else { return }  // the exit itself was recorded as wrong
    let message = String(decoding: result.standardErrorContent, as: UTF8.self)
    #expect(message.contains(text), "standard error was: \(message)")
}
