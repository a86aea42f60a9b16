// Where the first frames of stacks lie in their pages.
import CShim
import Faultline
import TestNeeds
import TestSupport
import Testing

/// Offsets in their pages at which the entry frames of stacks lie that are alive at the same time.
private func places(_ count: Int) throws -> Set<Int> {
    var places: Set<Int> = []
    let coroutines = try (0..<count).map { _ in
        let coroutine = try Coroutine<Void, Int, Void> { co, _ in
            // The frame address of what calls this lies at a fixed distance below the entry frame.
            try co.suspend(withStackPointer { $0 & 4095 })
        }
        guard case .suspended(let place) = try coroutine.resume() else { return coroutine }
        places.insert(place)
        return coroutine
    }
    withExtendedLifetime(coroutines) {}
    return places
}

@inline(never) @_optimize(none)
private func withStackPointer(_ body: (Int) -> Int) -> Int {
    var here = 0
    return withUnsafeMutablePointer(to: &here) { body(Int(bitPattern: $0)) }
}

extension Stacks {
    // In processes of their own, because the stacks of other tests take places too.
    @Suite struct Stagger {
        @Test(.needs(.noAddressSanitizer)) func sixteenStacksBeginAtSixteenLines() async throws {
            await #expect(processExitsWith: .success) {
                let places = try places(64)
                #expect(places.count == 16)
                let first = try #require(places.min())
                #expect(places == Set((0..<16).map { first + 64 * $0 }))
            }
        }

        @Test func withoutStaggerTheyBeginAtTheSamePlace() async throws {
            await #expect(processExitsWith: .success) {
                fl_debug_stagger(false)
                // Those of the pool as well.
                for _ in 0..<2 {
                    let places = try places(64)
                    #expect(places.count == 1)
                }
            }
        }
    }
}
