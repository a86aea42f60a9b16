// Shrinking: what was used and left goes, what is live stays, guards stand where they did, and it all works again.
import CShim
import Faultline
import Glibc
import StackWords
import TestNeeds
import TestSupport
import Testing

/// The control block of a coroutine's stack, once it has begun.
private final class Control {
    var stack: UnsafePointer<fl_stack>?
    var slot: fl_slot_size { fl_slot_size(rawValue: UInt32(stack!.pointee.slot))! }
    var oldRanges: Int { Int(stack!.pointee.old_count) }
}

private typealias Diver = Coroutine<Int, UnsafeMutableBufferPointer<UInt64>, Bool>

/// Touches as many pages below its frames as each input says; it keeps words of a pattern and a pointer to them on its
/// stack, and ends with whether both were right each time.
private func diver(_ configuration: StackConfiguration, _ control: Control = .init()) throws -> Diver {
    try Diver(configuration: configuration) { (co: borrowing _, first) in
        control.stack = ts_running_stack()
        var isIntact = true
        try withStackWords(60) { words in
            for n in words.indices { words[n] = UInt64(n &* 77) }
            // An address of the stack in its own memory, which follows it.
            words[59] = UInt64(UInt(bitPattern: words.baseAddress))
            var pages = first
            while pages >= 0 {
                if pages < 1_000_000 { touch(pages: pages) } else { try fillOldRanges() }
                pages = try co.suspend(words)
                let base = UnsafePointer<UInt64>(bitPattern: UInt(words[59]))
                isIntact = isIntact && base == UnsafePointer(words.baseAddress)
                isIntact = isIntact && (0..<59).allSatisfy { words[$0] == UInt64($0 &* 77) }
            }
        }
        return isIntact
    }
}

/// Has the debug knob move the stack that runs here until it keeps as many old ranges as it may, of one size.
private func fillOldRanges() throws {
    let stack = ts_running_stack()!
    func moves() -> UInt64 {
        var counters = fl_counters()
        fl_stack_counters(stack, &counters)
        return counters.moves.0 + counters.moves.1 + counters.moves.2
    }
    let before = moves()
    #expect(fl_debug_provoke_moves(40, false) == 0)
    while moves() < before + UInt64(FL_OLD_RANGES) + 2 { touch(pages: 2) }
    #expect(fl_debug_provoke_moves(0, false) == 0)
    while UInt32(stack.pointee.flags) & UInt32(FL_STACK_PROVOKED) != 0 { touch(pages: 60) }
}

@discardableResult private func dive(_ co: Diver, _ pages: Int) throws -> UnsafeMutableBufferPointer<UInt64> {
    guard case .suspended(let words) = try co.resume(pages) else { throw StackError.finished }
    return words
}

private func isIntact(_ co: Diver) throws -> Bool {
    guard case .finished(let isIntact) = try co.resume(-1) else { return false }
    return isIntact
}

/// Pages in memory of the `count` below the one that holds `address`.
private func resident(below address: UInt, _ count: Int) -> Int {
    var pages = [UInt8](repeating: 0, count: count)
    let low = (address & ~4095) - UInt(count * 4096)
    guard mincore(UnsafeMutableRawPointer(bitPattern: low)!, count * 4096, &pages) == 0 else { return -1 }
    return pages.count { $0 & 1 != 0 }
}

extension Stacks {
    @Suite struct Shrinking {
        private static let inPlace: [StackConfiguration] = [
            .init(), .init(guardKind: .protNone), .init(strategy: .fault), .init(strategy: .fault, initial: 4096),
            .init(reservation: 64 << 20),
            .init(strategy: .fault, initial: 4096, guardKind: .protNone), .init(strategy: .demand),
            .init(strategy: .demand, guardKind: .protNone), .init(strategy: .demand, reservation: 64 << 20),
        ]

        @Test(arguments: inPlace) func pagesBelowTheLiveOnesGo(_ configuration: StackConfiguration) throws {
            let co = try diver(configuration)
            let words = try dive(co, 600)
            let address = UInt(bitPattern: words.baseAddress)
            #expect(resident(below: address, 600) > 580)
            let shrinkage = try co.shrink()
            #expect(shrinkage.releasedBytes > 580 * 4096 && !shrinkage.hasMoved && !shrinkage.mustStay)
            // The suspended frames are a few pages in an unoptimized build.
            #expect(resident(below: address, 600) < 20)
            // In place: what points into the stack is as valid as before.
            #expect(words[7] == 539)
            #expect(try co.shrink().releasedBytes == 0)
            for _ in 0..<3 {
                #expect(try dive(co, 900).baseAddress == words.baseAddress)
                #expect(resident(below: address, 900) > 880)
                #expect(try co.shrink().releasedBytes > 880 * 4096)
            }
            #expect(try isIntact(co))
        }

        @Test func whatWentIsCountedForTheProcess() throws {
            let before = FaultStatistics.process
            let co = try diver(.init())
            try dive(co, 600)
            let released = try co.shrink().releasedBytes
            // Nothing is left to give.
            try co.shrink()
            let after = FaultStatistics.process
            #expect(after.shrinks == before.shrinks + 1)
            #expect(after.bytesReleased == before.bytesReleased + released && released > 0)
            #expect(try isIntact(co))
        }

        /// Plain code has only what is there at first where checks make room.
        @Test(arguments: [StackStrategy.checkMove, .checkSegment, .checkFixed])
        func stacksOfCheckedCodeKeepTheirBounds(_ strategy: StackStrategy) throws {
            if strategy.moves { try Need.noSanitizer.check() }
            let control = Control()
            let co = try diver(.init(strategy: strategy), control)
            let words = try dive(co, 25)
            let (low, limit) = (control.stack!.pointee.low, control.stack!.pointee.fiber.frame!.pointee.words.0)
            for _ in 0..<3 {
                #expect(try co.shrink().releasedBytes >= 20 * 4096)
                #expect(
                    control.stack!.pointee.low == low && control.stack!.pointee.fiber.frame!.pointee.words.0 == limit
                        && limit > low)
                #expect(try dive(co, 25).baseAddress == words.baseAddress)
            }
            #expect(try isIntact(co))
        }

        @Test func whatCannotShrinkSaysWhyAndIsAsBefore() throws {
            func refusal(_ co: Diver, _ text: String) {
                do {
                    try co.shrink()
                    Issue.record("shrunk: \(text)")
                } catch { #expect("\(error)".contains(text) && "\(error)".contains("cannot be shrunk"), "\(error)") }
            }
            refusal(try diver(.init()), "it is not suspended")
            for configuration in [
                StackConfiguration(strategy: .fixed, maximum: 256 << 10), .init(strategy: .growsDown),
            ] {
                let co = try diver(configuration)
                try dive(co, 20)
                refusal(co, "strategies 'fixed' and 'grows-down' keep their memory")
                #expect(try isIntact(co))
                refusal(co, "it is not suspended")
            }
        }

        @Test func aHibernatedStackHasNothingToGive() throws {
            let co = try diver(.init(guardKind: .guardPages))
            let words = try dive(co, 100)
            try co.hibernate()
            #expect(try co.shrink().releasedBytes == 0)
            #expect(co.isHibernated)
            #expect(words[3] == 231 && !co.isHibernated)
            try co.shrink()
            #expect(words[3] == 231)
            try co.hibernate()
            try dive(co, 100)
            #expect(try co.shrink().releasedBytes > 90 * 4096)
            try co.hibernate()
            #expect(try isIntact(co))
        }

        /// As it would have trapped at first.
        @Test(arguments: StackGuard.allCases) func theGuardStandsAgain(_ kind: StackGuard) throws {
            try Need.check(guard: kind.rawValue)
            let configuration = StackConfiguration(
                strategy: .fault, initial: 64 << 10, maximum: 160 << 10, guardKind: kind, isIsolated: true)
            for goesBeyond in [false, true] {
                let co = try Coroutine<Void, UnsafePointer<fl_stack>, Int>(configuration: configuration) {
                    (co: borrowing _, _) in
                    touch(pages: 20)
                    try co.suspend(ts_running_stack()!)
                    let traps = runningTraps()
                    if goesBeyond { _ = sum(to: 1_000_000) }
                    touch(pages: 20)
                    return runningTraps() - traps
                }
                guard case .suspended(let stack) = try co.resume() else { throw StackError.finished }
                #expect(stack.pointee.base - stack.pointee.low > 64 << 10)
                try co.shrink()
                #expect(stack.pointee.base - stack.pointee.low == 64 << 10)
                if goesBeyond {
                    #expect(throws: StackFault.self) { try co.resume() }
                } else {
                    guard case .finished(let traps) = try co.resume() else { throw StackError.finished }
                    #expect(traps == 1)
                }
            }
        }

        /// In slots of 4 MiB and more a band of guards slides: every page of what it passed is usable again.
        @Test(arguments: [8 << 20, 64 << 20]) func aStackGrowsAsOftenAsItShrinks(_ reservation: Int) throws {
            let co = try diver(.init(strategy: .fault, initial: 4096, reservation: reservation))
            for turn in 0..<200 {
                try dive(co, 1 + turn * 397 % 1500)
                if turn % 3 != 2 { try co.shrink() }
                try dive(co, 3)
            }
            #expect(try isIntact(co))
        }

        // MARK: moving back

        @Test(arguments: MoverCase.all) func aStackThatStaysSmallMovesBack(_ mover: MoverCase) throws {
            let control = Control()
            let co = try diver(try mover.configuration(initial: 16 << 10), control)
            try dive(co, 0)
            let first = control.slot
            let small = try dive(co, 0).baseAddress
            let large = try dive(co, 300)
            #expect(control.slot == .FL_SLOT_8MIB)
            // Used much since it moved: not yet.
            var shrinkage = try co.shrink()
            #expect(!shrinkage.hasMoved && shrinkage.releasedBytes > 290 * 4096)
            // Used much again between two calls.
            try dive(co, 600)
            #expect(try !co.shrink().hasMoved)
            try dive(co, 1)
            shrinkage = try co.shrink()
            #expect(shrinkage.hasMoved && !shrinkage.mustStay)
            #expect(control.slot.rawValue <= max(first.rawValue, fl_slot_size.FL_SLOT_256KIB.rawValue))
            // What was kept of the range that it left is forwarded.
            #expect(large[7] == 539)
            if control.slot == first { #expect(try dive(co, 0).baseAddress == small) }
            try dive(co, 300)
            #expect(try isIntact(co))
        }

        @Test(.needs(.noSanitizer), arguments: [false, true])
        func aStackThatMovedBackRunsToItsEnd(_ isCancelled: Bool) throws {
            for _ in 0..<20 {
                var unwound = false
                do {
                    let co = try Coroutine<Void, Void, Void>(configuration: .init(strategy: .faultMove)) {
                        (co: borrowing _, _) in
                        defer { unwound = true }
                        let owned = keep(Tracked())
                        touch(pages: 300)
                        try co.suspend(())
                        try co.suspend(())
                        _ = keep(owned)
                    }
                    _ = try co.resume()
                    try co.shrink()
                    #expect(try co.shrink().hasMoved)
                    if isCancelled { co.cancel() } else { for _ in 0..<2 { _ = try co.resume() } }
                    #expect(unwound)
                }
                #expect(Tracked.alive == 0)
            }
        }

        // In a process of its own, because all that other tests make count too.
        @Test(.needs(.noSanitizer)) func theSlotsInUseStayFewOverManyCycles() async throws {
            await #expect(processExitsWith: .success) {
                let sizes = (0..<fl_slot_size.FL_SLOT_SIZES.rawValue).map { fl_slot_size(rawValue: $0)! }
                func inUse() -> Int { sizes.reduce(0) { $0 + Int(fl_slots_in_use($1)) } }
                let control = Control()
                let co = try diver(.init(strategy: .faultMove, initial: 16 << 10), control)
                try dive(co, 0)
                var (moves, maximum, early, late) = (0, 0, 0, 0)
                for cycle in 0..<1000 {
                    try dive(co, 100 + cycle % 500)
                    try co.shrink()
                    try dive(co, 0)
                    if try co.shrink().hasMoved { moves += 1 }
                    maximum = max(maximum, control.oldRanges)
                    if cycle == 3 { early = inUse() }
                    if cycle > 3 { late = max(late, inUse()) }
                }
                #expect(moves == 1000)
                #expect(maximum <= 4, "\(maximum) old ranges")
                #expect(late <= early + 2, "\(early) slots at first, \(late) later")
                let isWhole = try isIntact(co)
                #expect(isWhole)
            }
        }

        @Test(.needs(.noSanitizer)) func withAsManyOldRangesAsItMayKeepItStays() throws {
            let control = Control()
            let co = try diver(.init(strategy: .faultMove, initial: 16 << 10), control)
            try dive(co, 100)
            try dive(co, 1_000_000)
            #expect(control.oldRanges == Int(FL_OLD_RANGES))
            let slot = control.slot
            try co.shrink()
            let shrinkage = try co.shrink()
            #expect(shrinkage.mustStay && !shrinkage.hasMoved && control.slot == slot)
            #expect(control.oldRanges == Int(FL_OLD_RANGES))
            #expect(try isIntact(co))
        }
    }
}
