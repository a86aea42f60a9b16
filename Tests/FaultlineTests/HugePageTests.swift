import Glibc
import TestNeeds
import TestSupport
import Testing

@testable import Faultline

/// Bytes of this process that huge pages back.
private func hugeBytes() -> Int { KernelFile("/proc/self/smaps_rollup").fields["AnonHugePages"] ?? -1 }

extension Stacks {
    // What counts bytes has a process of its own, because those of other tests would count too.
    @Suite("Huge pages", .needs(.hugePages)) struct HugePages {
        private static func deep(_ strategy: StackStrategy, _ kind: StackGuard) -> StackConfiguration {
            StackConfiguration(strategy: strategy, maximum: 80 << 20, guardKind: kind)
        }

        @Test("a small stack never has one, whatever its slot", arguments: StackGuard.allCases)
        func small(kind: StackGuard) async throws {
            try Need.check(guard: kind.rawValue)
            await #expect(processExitsWith: .success) { [kind] in
                let before = hugeBytes()
                for configuration in [
                    Self.deep(.fault, kind), Self.deep(.demand, kind),
                    StackConfiguration(reservation: 64 << 20, guardKind: kind),
                    StackConfiguration(reservation: 8 << 20, guardKind: kind),
                ] {
                    var all: [Coroutine<Void, Void, Void>] = []
                    for _ in 0..<40 {
                        let coroutine = try Coroutine<Void, Void, Void>(configuration: configuration) { co, _ in
                            // 900 KiB and less are small: growth has reached 1 MiB by then.
                            ts_touch_down(225)
                            try co.suspend(())
                        }
                        _ = try coroutine.resumeHere()
                        all.append(coroutine)
                    }
                    #expect(hugeBytes() == before)
                }
            }
        }

        @Test("a stack of 8 MiB has none either, however deep") func middle() async throws {
            await #expect(processExitsWith: .success) {
                let before = hugeBytes()
                try withStack(StackConfiguration(strategy: .demand, reservation: 8 << 20)) {
                    ts_touch_down(1500)
                    #expect(hugeBytes() == before)
                }
            }
        }

        @Test(
            "a deep stack has little else, the first time and again", arguments: [StackStrategy.fault, .demand],
            StackGuard.allCases)
        func deep(strategy: StackStrategy, kind: StackGuard) async throws {
            try Need.check(guard: kind.rawValue)
            await #expect(processExitsWith: .success) { [strategy, kind] in
                let configuration = Self.deep(strategy, kind)
                for _ in 0..<3 {
                    StackPool.drain()
                    let before = hugeBytes()
                    try withStack(configuration) {
                        ts_touch_down(64 << 8)
                        #expect(hugeBytes() - before >= 56 << 20)
                        // No more than a huge page is touched in vain.
                        #expect(hugeBytes() - before <= 66 << 20)
                    }
                    StackPool.drain()
                    #expect(hugeBytes() == before)
                }
            }
        }

        @Test("what a large frame stored below the guard band survives growth", .needs(.guardPages))
        func jumpedBand() throws {
            for depth in stride(from: 1 << 20, through: 24 << 20, by: 1 << 20) {
                StackPool.drain()
                try withStack(Self.deep(.fault, .guardPages)) {
                    ts_touch_down(depth >> 12)
                    #expect(ts_keeps_lowest_word(5 << 20))
                }
            }
        }
    }
}
