// What the pool keeps and what it gives back.
import Faultline
import Glibc
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

        @Test(arguments: StackGuard.allCases) func aDrainedPoolKeepsNoPage(_ guardKind: StackGuard) throws {
            StackPool.drain()
            _ = try pages(guardKind)
            StackPool.drain()
            #expect(try pages(guardKind) >= 11)
        }
    }
}
