// What the pool keeps and what it gives back.
import CShim
import Faultline
import Glibc
import TestNeeds
import TestSupport
import Testing

extension Stacks {
    @Suite struct Pool {
        private static var minorFaults: Int {
            var usage = rusage()
            getrusage(1, &usage)  // RUSAGE_THREAD
            return usage.ru_minflt
        }

        /// Pages that the kernel supplies while a stack grows by twelve.
        private func pages(_ guardKind: StackGuard) throws -> Int {
            var pages = 0
            try withStack(StackConfiguration(strategy: .fault, initial: 8192, guardKind: guardKind)) {
                let before = Self.minorFaults
                touch(pages: 12)
                pages = Self.minorFaults - before
            }
            return pages
        }

        /// Where mremap moves stacks, the kernel's mappings are split and no userfaultfd is registered.
        @Test(.needs(.guardPages), .needs(.noSanitizer)) func stacksThatMremapMovesAreKeptApart() throws {
            #expect(try StackConfiguration(strategy: .faultMove).effective().guardKind == .guardPages)
            try onThread {
                func slot(_ mover: PageMover?) throws -> UInt {
                    var base: UInt = 0
                    try withStack(.init(strategy: .faultMove, initial: 8192, mover: mover)) {
                        base = UInt(ts_running_stack()!.pointee.base)
                    }
                    return base
                }
                let automatic = try slot(nil)
                let apart = try slot(.mremap)
                #expect(apart != automatic)
                #expect(try slot(.copy) == automatic)
                #expect(try slot(.mremap) == apart)
            }
        }

        @Test func aQuietTimeMayBeAnyDuration() throws {
            try onThread {
                let kept = try slotOfAStack()
                for quiet in [Duration.seconds(Int64.max) * 2, .seconds(UInt64.max / 1_000_000_000)] {
                    StackPool.trim(quiet: quiet)
                    #expect(try slotOfAStack() == kept)
                }
                StackPool.trim(quiet: .seconds(Int64.min) * 2)
                _ = try slotOfAStack()
            }
        }

        private func slotOfAStack() throws -> UInt {
            var base: UInt = 0
            try withStack(.init()) { base = UInt(ts_running_stack()!.pointee.base) }
            return base
        }

        @Test(arguments: StackGuard.allCases) func aDrainedPoolKeepsNoPage(_ guardKind: StackGuard) throws {
            try Need.check(guard: guardKind.rawValue)
            StackPool.drain()
            _ = try pages(guardKind)
            StackPool.drain()
            #expect(try pages(guardKind) >= 11)
        }
    }
}
