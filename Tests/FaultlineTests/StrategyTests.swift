// Each strategy against a huge fixed stack, and how it made room.
import CShim
import Faultline
import Glibc
import TestNeeds
import TestSupport
import Testing

private let plain = StackStrategy.allCases.filter { !$0.needsChecks }

/// A strategy with its guard.
private struct GrowthCase: Sendable, CustomTestStringConvertible {
    let strategy: StackStrategy
    let guardKind: StackGuard
    var testDescription: String { "\(strategy.rawValue) with \(guardKind.rawValue)" }
    static let all = [StackStrategy.fault, .faultMove].flatMap { strategy in
        StackGuard.allCases.map { GrowthCase(strategy: strategy, guardKind: $0) }
    }
    /// Cancels the argument where the kernel does not offer this, or a sanitizer forbids it.
    func configuration(initial: Int = 4096, maximum: Int? = nil) throws -> StackConfiguration {
        if strategy.moves { try Need.noSanitizer.check() }
        try Need.check(guard: guardKind.rawValue)
        return StackConfiguration(strategy: strategy, initial: initial, maximum: maximum, guardKind: guardKind)
    }
}

private indirect enum Tree {
    case leaf
    case node(Tree, Int, Tree)
    func inserting(_ n: Int) -> Tree {
        switch self {
        case .leaf: .node(.leaf, n, .leaf)
        case .node(let l, let m, let r): n < m ? .node(l.inserting(n), m, r) : .node(l, m, r.inserting(n))
        }
    }
    var depth: Int {
        switch self {
        case .leaf: 0
        case .node(let l, _, let r): 1 + max(l.depth, r.depth)
        }
    }
}

@inline(never) private func ackermann(_ m: Int, _ n: Int) -> Int {
    if m == 0 { return n + 1 }
    return n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1))
}

private func work() -> [String] {
    var tree = Tree.leaf
    for n in 0..<500 { tree = tree.inserting(n) }  // a list: as deep as it is long
    let text = (0..<50).map { "\($0): \(sum(to: $0 * 100))" }.joined(separator: ", ")
    return ["\(tree.depth)", "\(ackermann(2, 300))", text, "\(ts_recurse(3000, 200))", "\(ts_large_frame(10_000))"]
}

extension Stacks {
    @Suite struct Strategies {
        /// Where it may still grow is not reserved, or it could not. In a process of its own, because another thread
        /// may map what the stack has left.
        @Test(.needs(.noThreadSanitizer), arguments: [(5 << 20, PROT_READ), ((128 << 10) + 4096, PROT_NONE)])
        func theEndOfAGrowsDownStackLeavesWhatOthersMappedBelow(_ distance: Int, _ protection: Int32) async throws {
            await #expect(processExitsWith: .success) { [distance, protection] in
                var (base, other): (UInt, UnsafeMutableRawPointer?) = (0, nil)
                do {
                    let configuration = StackConfiguration(strategy: .growsDown, initial: 128 << 10, maximum: 6 << 20)
                    let co = try Coroutine<Void, UInt, Void>(configuration: configuration) { (co: borrowing _, _) in
                        try co.suspend(UInt(ts_running_stack()!.pointee.base))
                    }
                    guard case .suspended(let found) = try co.resumeHere() else { throw StackError.finished }
                    base = found
                    let (anonymous, noReplace) = (MAP_PRIVATE | MAP_ANONYMOUS, Int32(0x10_0000))
                    other = mmap(
                        UnsafeMutableRawPointer(bitPattern: base - UInt(distance)), 4096, protection,
                        anonymous | noReplace,
                        -1, 0)
                    try #require(other != MAP_FAILED)
                    withExtendedLifetime(co) {}
                }
                // The stack is gone, and the other mapping is not.
                var resident: UInt8 = 0
                let top = UnsafeMutableRawPointer(bitPattern: base - 4096)
                #expect(mincore(top!, 4096, &resident) != 0 && errno == ENOMEM)
                #expect(mincore(other!, 4096, &resident) == 0)
                munmap(other, 4096)
            }
        }

        @Test(arguments: plain) func theResultEqualsThatOfAHugeFixedStack(_ strategy: StackStrategy) throws {
            // AddressSanitizer's own frames keep the end of the stack, which does not move with them.
            if strategy.moves { try Need.noSanitizer.check() }
            let expected = try withStack(.init(strategy: .fixed, maximum: 60 << 20), work)
            #expect(expected[0] == "500" && expected[1] == "603")
            for _ in 0..<3 { #expect(try withStack(.init(strategy: strategy), work) == expected) }
        }

        @Test(arguments: [StackStrategy.fixed, .demand, .checkFixed]) func fixedSizesNeverTrap(
            _ strategy: StackStrategy
        ) throws {
            let (_, statistics) = try measured(.init(strategy: strategy, maximum: 1 << 20)) { touch(pages: 250) }
            #expect(statistics.allTraps == 0 && statistics.growths == 0)
        }

        @Test(arguments: StackGuard.allCases) func aMebibyteTouchedPageByPageTakesAtMostNineTraps(_ kind: StackGuard)
            throws
        {
            try Need.check(guard: kind.rawValue)
            let configuration = StackConfiguration(strategy: .fault, initial: 4096, guardKind: kind)
            let (_, statistics) = try measured(configuration) { touch(pages: 256) }
            let traps = try #require(statistics.traps["growth"])
            #expect(traps >= 1 && traps <= 9)
            #expect(statistics.growths == traps && statistics.allTraps == traps)
            #expect(statistics.bytesCommitted >= (1 << 20) - 8192 && statistics.bytesCommitted <= 4 << 20)
            #expect(
                statistics.highWaterMark > 512 << 10 && statistics.highWaterMark <= statistics.bytesCommitted + 4096)
            #expect(statistics.allMoves == 0 && statistics.overflows == 0)
            #expect(statistics.handlerTime.count == traps)
            #expect(statistics.handlerTime.p50 > 0 && statistics.handlerTime.p50 <= statistics.handlerTime.p99)
            #expect(statistics.handlerTime.p99 <= statistics.handlerTime.max)
        }

        @Test(arguments: GrowthCase.all) fileprivate func aSecondTouchDoesNotTrap(_ growth: GrowthCase) throws {
            let (first, second) = try withStack(try growth.configuration()) {
                let before = runningTraps()
                touch(pages: 256)
                let between = runningTraps()
                touch(pages: 256)
                return (between - before, runningTraps() - between)
            }
            #expect(first > 0 && second == 0)
        }

        @Test(arguments: GrowthCase.all, [20 << 10, 40 << 10, 60 << 10])
        fileprivate func growthIsContiguousDownToTheStackPointer(_ growth: GrowthCase, frame: Int) throws {
            // A system call into the middle of a frame whose lowest word alone was touched would return EFAULT.
            let configuration = try growth.configuration()
            #expect(try withStack(configuration) { ts_read_into_frame(frame) } == 0)
        }

        @Test(.needs(.noSanitizer), arguments: [2, 5, 20, 100, 300, 2000, 20_000])
        func aMoveLandsInASlotAtLeastTwiceAsLarge(pages: Int) throws {
            let sizes = try withStack(.init(strategy: .faultMove, initial: 4096)) {
                let before = runningSlot()
                touch(pages: pages)
                return (before, runningSlot())
            }
            #expect(sizes.0 == 64 << 10)
            #expect(sizes.1 >= 2 * sizes.0)
            #expect(sizes.1 > pages * 4096)
        }

        @Test(.needs(.noSanitizer)) func aMovedStackCountsWhatMoved() throws {
            let (_, statistics) = try measured(.init(strategy: .faultMove, initial: 4096)) {
                sum(to: 20_000)
            }
            #expect(statistics.allMoves >= 2 && statistics.growths == statistics.allMoves)
            #expect(statistics.bytesMoved >= 4096 * statistics.allMoves)
            #expect(statistics.wordsScanned * 8 >= statistics.bytesMoved - 4096 * statistics.allMoves)
            #expect(statistics.wordsRelocated > 1000 && statistics.wordsRelocated <= statistics.wordsScanned + 64)
        }

        @Test(.needs(.noSanitizer), arguments: StackGuard.allCases)
        func everyFrameOfADeepRecursionSurvivesItsMoves(_ kind: StackGuard) throws {
            try Need.check(guard: kind.rawValue)
            let expected = try withStack(.init(strategy: .fixed, maximum: 60 << 20)) { ts_recurse(50_000, 300) }
            for mover in PageMover.allCases where !(mover == .uffdioMove && kind == .protNone) {
                let configuration = StackConfiguration(
                    strategy: .faultMove, initial: 4096, guardKind: kind, mover: mover)
                let (value, statistics) = try measured(configuration) { ts_recurse(50_000, 300) }
                #expect(value == expected)
                #expect(statistics.moves[mover]! >= 1, "\(mover) was never used")
            }
        }

        @Test func stacksAreReusedWithoutTheirHistory() throws {
            for round in 0..<200 {
                let configuration = StackConfiguration(strategy: .fault, initial: 4096, maximum: 1 << 20)
                let (_, statistics) = try measured(configuration) { touch(pages: 100) }
                #expect(statistics.growths >= 4, "round \(round): the pool handed out a grown stack")
                #expect(statistics.growths <= 9)
            }
        }
    }

    @Suite struct LargeFrames {
        /// Each slot with its guard: a frame of that size which ends beyond the room is caught.
        static let slots: [(reservation: Int, guardSize: Int)] = [
            (64 << 10, 48 << 10), (128 << 10, 64 << 10), (256 << 10, 64 << 10), (512 << 10, 128 << 10),
            (1 << 20, 256 << 10), (2 << 20, 512 << 10), (4 << 20, 1 << 20), (8 << 20, 1 << 20), (16 << 20, 1 << 20),
            (32 << 20, 1 << 20), (64 << 20, 1 << 20), (128 << 20, 1 << 20), (256 << 20, 1 << 20),
        ]

        @Test(arguments: GrowthCase.all, [8 << 10, 16 << 10, 48 << 10, 100 << 10, 200 << 10, 900 << 10, 5 << 20])
        fileprivate func framesLargerThanTheGuardBandGrow(_ growth: GrowthCase, frame: Int) throws {
            // What a moving stack tolerates without probes is its slot's guard (CShim/README.md): 48 KiB in the
            // smallest slot, the room below the band in large ones.
            let initial = growth.strategy == .faultMove && frame > 48 << 10 ? 1 << 20 : 8192
            var configuration = try growth.configuration()
            configuration.initial = initial
            for depth in [0, 1, 7, 100] {
                #expect(try withStack(configuration) { at(depth: depth) { ts_large_frame(frame) } })
            }
        }

        @Test(arguments: MoverCase.all, [1 << 20, 2 << 20, 5 << 20])
        func whatIsStoredBelowAJumpedBandMovesToo(_ mover: MoverCase, frame: Int) throws {
            let (kept, statistics) = try measured(try mover.configuration(initial: 1 << 20)) {
                // Stored from its low end up: first below the band, then into it, which moves the stack.
                at(depth: 50) { ts_large_frame(frame) }
            }
            #expect(kept)
            #expect(statistics.allMoves >= 1)
        }

        @Test(arguments: slots, StackGuard.allCases)
        func theLargestUnprobedFrameOfASlotIsCaughtAsAnOverflow(
            slot: (reservation: Int, guardSize: Int), kind: StackGuard
        ) throws {
            try Need.check(guard: kind.rawValue)
            // The whole room is the maximum, so that a frame which leaves it must hit the guard at the slot's end.
            let room = slot.reservation - slot.guardSize
            let reserve = 256 << 10
            guard room > reserve else {
                // No slot below 1 MiB has room for the reserve of an isolated stack.
                #expect(throws: StackError.self) {
                    try withStack(.init(reservation: slot.reservation, guardKind: kind, isIsolated: true)) {}
                }
                return
            }
            let configuration = StackConfiguration(
                strategy: .demand, maximum: room - reserve, reservation: slot.reservation, guardKind: kind,
                isIsolated: true)
            for beyond in [64, 4096, slot.guardSize / 2, slot.guardSize + reserve - 8192] {
                #expect(throws: StackFault.self, "a frame that ends \(beyond) bytes below the maximum") {
                    try withStack(configuration) { ts_large_frame(room - reserve + beyond) }
                }
            }
        }

        /// The sum of what a frame holds that is filled from its high end to its low end. The array is a local
        /// variable, not a temporary allocation: those of more than 1 KiB come from the heap.
        @inline(never) private static func sum<let count: Int>(of frame: inout InlineArray<count, UInt8>) -> Int {
            for index in frame.indices.reversed() { frame[index] = UInt8(truncatingIfNeeded: index) }
            return frame.indices.reduce(0) { $0 + Int(frame[$1]) }
        }

        @inline(never) private static func frame16() -> (sum: Int, low: UInt) {
            var frame = InlineArray<0x4000, UInt8>(repeating: 1)
            return (sum(of: &frame), withUnsafeBytes(of: &frame) { UInt(bitPattern: $0.baseAddress) })
        }

        @inline(never) private static func frame48() -> (sum: Int, low: UInt) {
            var frame = InlineArray<0xC000, UInt8>(repeating: 1)
            return (sum(of: &frame), withUnsafeBytes(of: &frame) { UInt(bitPattern: $0.baseAddress) })
        }

        @inline(never) private static func frame200() -> (sum: Int, low: UInt) {
            var frame = InlineArray<0x32000, UInt8>(repeating: 1)
            return (sum(of: &frame), withUnsafeBytes(of: &frame) { UInt(bitPattern: $0.baseAddress) })
        }

        @Test(.needs(.noSanitizer), arguments: [16 << 10, 48 << 10, 200 << 10])
        func swiftFramesOfThatSizeGrowToo(_ bytes: Int) throws {
            let expected = (0..<bytes).reduce(0) { $0 + $1 & 255 }
            for growth in GrowthCase.all {
                // Its first store is at its low end: as far as the slot's guard reaches.
                let initial = growth.strategy == .faultMove && bytes > 48 << 10 ? 1 << 20 : 4096
                let (result, depth) = try withStack(try growth.configuration(initial: initial)) {
                    var here = 0
                    let top = withUnsafeBytes(of: &here) { UInt(bitPattern: $0.baseAddress) }
                    let frame =
                        switch bytes {
                        case 16 << 10: Self.frame16()
                        case 48 << 10: Self.frame48()
                        default: Self.frame200()
                        }
                    return (frame.sum, Int(bitPattern: top &- frame.low))
                }
                #expect(result == expected)
                // A stack that moved has the frame elsewhere, so only one that did not says where the frame was.
                if growth.strategy == .fault {
                    #expect((bytes..<4 * bytes + 65_536).contains(depth), "the array is not in the frame")
                }
            }
        }
    }

    @Suite struct Configurations {
        private static let illegal: [(StackConfiguration, String)] = [
            (.init(strategy: .fixed, initial: 4096), "'fixed' does not use 'initial'"),
            (.init(strategy: .fault, mover: .copy), "'fault' does not use 'mover'"),
            (.init(strategy: .faultMove, reservation: 1 << 20), "'fault-move' does not use 'reservation'"),
            (.init(strategy: .growsDown, guardKind: .protNone), "'grows-down' does not use 'guard'"),
            (
                .init(strategy: .faultMove, guardKind: .protNone, mover: .uffdioMove),
                "'uffdio-move' needs guard 'guard-pages'"
            ),
            (.init(reservation: 5 << 20), "not a slot size"), (.init(reservation: -1), "not a slot size"),
            (.init(maximum: 0), "out of range"),
            (.init(maximum: -1), "out of range"),
            (.init(maximum: 1 << 40), "out of range"),
            (.init(strategy: .fault, initial: 1 << 20, maximum: 4096), "exceeds the maximum"),
            (.init(maximum: 1 << 20, reservation: 1 << 20), "choose a larger reservation"),
        ]

        @Test(arguments: illegal.indices) func anIllegalConfigurationNamesTheOption(_ index: Int) throws {
            let (configuration, text) = Self.illegal[index]
            let error = #expect(throws: StackError.self) { try withStack(configuration) {} }
            #expect(error?.description.contains(text) == true, "\(error as Any)")
            #expect(throws: error!) {
                try Coroutine<Void, Void, Void>(configuration: configuration) { (_: borrowing _, _) in }
            }
        }

        /// The table of `StackConfiguration.reservation`.
        private struct Maximum: Sendable {
            let maximum, plain, isolated: Int
            static let all =
                [
                    Maximum(maximum: 16 << 10, plain: 64 << 10, isolated: 512 << 10),
                    Maximum(maximum: 32 << 10, plain: 128 << 10, isolated: 512 << 10),
                    Maximum(maximum: 64 << 10, plain: 128 << 10, isolated: 512 << 10),
                    Maximum(maximum: 128 << 10, plain: 256 << 10, isolated: 512 << 10),
                    Maximum(maximum: 256 << 10, plain: 512 << 10, isolated: 1 << 20),
                ]
                + (19...29).map { Maximum(maximum: 1 << $0, plain: 2 << $0, isolated: 2 << $0) }
        }

        @Test(arguments: Maximum.all, [StackStrategy.fixed, .demand, .fault, .checkFixed])
        private func aMaximumTakesTheSmallestSlotThatHoldsItAndTheReserve(
            _ size: Maximum, _ strategy: StackStrategy
        ) throws {
            for (isIsolated, slot) in [(false, size.plain), (true, size.isolated)] {
                let configuration = StackConfiguration(
                    strategy: strategy, maximum: size.maximum, isIsolated: isIsolated)
                #expect(try configuration.effective().reservation == slot)
                // `fixed` fills it.
                if strategy != .fixed || size.maximum <= 1 << 20 {
                    try withStack(configuration) { #expect(runningSlot() == slot) }
                }
            }
        }

        @Test(
            .needs(.noSanitizer), arguments: [false, true],
            [64 << 10, 1 << 20, 2 << 20, 8 << 20, 16 << 20, 64 << 20, 128 << 20])
        func aMovingStackEndsInTheSmallestSlotThatHoldsItsMaximum(_ isIsolated: Bool, _ maximum: Int) throws {
            try withStack(.init(strategy: .faultMove, maximum: maximum, isIsolated: isIsolated)) {
                touch(pages: maximum / 4096 - 8)
                #expect(runningSlot() == max(2 * maximum, isIsolated ? 512 << 10 : 0))
            }
        }

        @Test(.needs(.noSanitizer)) func aMovingStackGoesThroughSizesAtLeastFourTimesAsLarge() throws {
            var sizes: [Int] = []
            try withStack(.init(strategy: .faultMove)) {
                for pages in [1, 8, 100, 1000, 4000, 16_000, 100_000] {
                    touch(pages: pages)
                    if sizes.last != runningSlot() { sizes.append(runningSlot()) }
                }
            }
            #expect(sizes == [64 << 10, 256 << 10, 1 << 20, 8 << 20, 64 << 20, 1 << 30])
        }

        @Test(.needs(.noSanitizer)) func tooManyProtNoneStacksNameTheLimit() async {
            let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
                var all: [Coroutine<Void, Void, Void>] = []
                do {
                    for _ in 0..<40_000 {
                        all.append(
                            try Coroutine(configuration: .init(maximum: 8192, guardKind: .protNone)) {
                                (_: borrowing _, _) in
                            })
                    }
                } catch {
                    // Every mapping is taken: make room for the message first.
                    let text = "\(all.count): \(error)"
                    all.removeLast(100)
                    writeToStandardError(text)
                }
                all.removeAll()
                try withStack(.init(maximum: 8192, guardKind: .protNone)) {}
            }
            let allowed = Int(fl_capabilities_get().pointee.max_map_count)
            expectMessage(result, "raise vm.max_map_count to \(2 * allowed + 1000)")
            expectMessage(result, "guard-pages")
        }

        @Test(.needs(.guardPages), .needs(.noThreadSanitizer)) func guardPagesHaveNoSuchLimit() throws {
            var all: [Coroutine<Void, Void, Void>] = []
            for _ in 0..<40_000 {
                all.append(
                    try Coroutine(configuration: .init(maximum: 8192, guardKind: .guardPages)) { (_: borrowing _, _) in
                    })
            }
            #expect(all.count == 40_000)
        }
    }
}

/// Runs `body` below `depth` Swift frames.
@inline(never) func at<R>(depth: Int, _ body: () throws -> R) rethrows -> R {
    if depth == 0 { return try body() }
    let result = try at(depth: depth - 1, body)
    _ = keep(depth)
    return result
}
