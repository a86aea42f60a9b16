// Swift's runtime keeps the accesses that are open in a list that runs through the stacks: each coroutine has its own.
import CShim
import CSwitch
import Faultline
import Glibc
import TestNeeds
import TestSupport
import Testing

/// Accesses of these properties are checked at run time: the class is open to the optimizer's eyes nowhere.
final class Shared {
    var first = 0
    var second = 0
    var third = [0]
}

nonisolated(unsafe) private var box = Shared()

@inline(never) private func shared() -> Shared { keep(box) }

/// Holds a modify access of `place` while it suspends `times` times.
@inline(never) private func hold(
    _ place: inout Int, _ co: borrowing Coroutine<Void, Int, Int>.Suspender, times: Int
) throws {
    for _ in 0..<times {
        place += 1
        try co.suspend(place)
    }
}

private typealias Holder = Coroutine<Void, Int, Int>

private func holder(_ path: ReferenceWritableKeyPath<Shared, Int>? = nil, first: Bool = true, times: Int) throws
    -> Holder
{
    try Coroutine { (co: borrowing _, _) in
        if first { try hold(&shared().first, co, times: times) } else { try hold(&shared().second, co, times: times) }
        return 0
    }
}

extension Stacks {
    @Suite struct Exclusivity {
        init() { box = Shared() }

        @Test func theAccessSetIsFound() throws {
            try withGrowableStack {}
            #expect(ts_access_set_is_known())
        }

        @Test func theResumerMayUseOtherPropertiesWhileACoroutineIsInsideAnAccess() throws {
            let co = try holder(times: 3)
            for n in 1...3 {
                guard case .suspended(n) = try co.resume() else {
                    Issue.record("ended")
                    return
                }
                shared().second += 1
                withUnsafeMutablePointer(to: &shared().second) { $0.pointee += 1 }
                shared().third.append(n)
            }
            guard case .finished = try co.resume() else {
                Issue.record("did not end")
                return
            }
            #expect(box.first == 3 && box.second == 6 && box.third == [0, 1, 2, 3])
            withUnsafeMutablePointer(to: &shared().first) { $0.pointee += 1 }
            #expect(box.first == 4)
        }

        @Test func accessesOfTwoCoroutinesInterleaveAndEndInAnyOrder() throws {
            for order in [[0, 1], [1, 0]] {
                box = Shared()
                let all = [try holder(first: true, times: 5), try holder(first: false, times: 5)]
                for _ in 0..<5 { for co in all { _ = try co.resume() } }
                for index in order { _ = try all[index].resume() }
                #expect(!all[0].isResumable && !all[1].isResumable)
                #expect(box.first == 5 && box.second == 5)
            }
        }

        /// The list runs through the stack that moves.
        @Test(.needs(.noSanitizer)) func anOpenAccessFollowsAStackThatMovesBack() throws {
            for _ in 0..<20 {
                let co = try Coroutine<Void, Int, Int>(configuration: .init(strategy: .faultMove)) {
                    (co: borrowing _, _) in
                    touch(pages: 300)
                    try hold(&shared().first, co, times: 3)
                    return 0
                }
                let before = shared().first
                _ = try co.resume()
                try co.shrink()
                #expect(try co.shrink().hasMoved)
                shared().second += 1
                for _ in 0..<3 { _ = try co.resume() }
                #expect(!co.isResumable && shared().first == before + 3)
                withUnsafeMutablePointer(to: &shared().first) { $0.pointee += 1 }
            }
        }

        @Test func theResumersOwnAccessSurvives() throws {
            let co = try holder(first: true, times: 2)
            func around(_ place: inout Int) throws {
                _ = try co.resume()
                place += 10
                _ = try co.resume()
                place += 10
            }
            try around(&shared().second)
            _ = try co.resume()
            #expect(box.first == 2 && box.second == 20)
            shared().first += 1
            shared().second += 1
        }

        @Test(arguments: [false, true]) func cancellingInsideAnAccessEndsTheAccess(destroy: Bool) throws {
            for _ in 0..<100 {
                var co: Holder? = try holder(times: 1000)
                for _ in 0..<3 { _ = try co!.resume() }
                if destroy { co = nil } else { co!.cancel() }
                withUnsafeMutablePointer(to: &shared().first) { $0.pointee += 1 }
                withUnsafeMutablePointer(to: &shared().second) { $0.pointee += 1 }
            }
            #expect(box.first == 400 && box.second == 100)
        }

        @Test func cancellingFromInsideTheResumersOwnAccessEndsTheCoroutinesAlone() throws {
            func around(_ place: inout Int, _ co: Holder) throws {
                place += 1
                co.cancel()
                place += 1
            }
            let co = try holder(first: true, times: 100)
            _ = try co.resume()
            try around(&shared().second, co)
            #expect(box.second == 2)
            shared().first += 1
            shared().second += 1
            #expect(box.first == 2)
        }

        @Test func anOverflowInsideAnAccessEndsTheAccess() throws {
            func dive(_ place: inout Int, _ depth: Int) {
                place += 1
                if keep(depth) < .max { dive(&place, depth + 1) }
                place += 1
            }
            for _ in 0..<20 {
                let co = try Holder(configuration: .init(maximum: 64 << 10, isIsolated: true)) { (_: borrowing _, _) in
                    dive(&shared().first, 0)
                    return 0
                }
                #expect(throws: StackFault.self) { try co.resume() }
                // The resumer's list is its own: what the ended coroutine held blocks no other.
                withUnsafeMutablePointer(to: &shared().first) { $0.pointee = 0 }
                withUnsafeMutablePointer(to: &shared().second) { $0.pointee += 1 }
            }
            #expect(box.second == 20)
        }

        @Test func withGrowableStackMayBeInsideAnAccessAndContainOne() throws {
            func around(_ place: inout Int) throws {
                try withGrowableStack {
                    place += sum(to: 5000)
                    shared().second += 1
                    withUnsafeMutablePointer(to: &shared().second) { $0.pointee += 1 }
                }
                place += 1
            }
            try around(&shared().first)
            #expect(box.first == 12_502_501 && box.second == 2)
        }

        @Test func overlappingAccessesInOneCoroutineAreStillFound() async {
            await #expect(processExitsWith: .signal(SIGABRT)) {
                let co = try Coroutine<Void, Int, Void> { (co: borrowing _, _) in
                    func overlap(_ a: inout Int, _ b: Shared) throws {
                        try co.suspend(1)
                        withUnsafeMutablePointer(to: &b.first) { $0.pointee += 1 }
                        a += 1
                    }
                    try overlap(&shared().first, shared())
                }
                _ = try co.resumeHere()
                _ = try co.resumeHere()
            }
        }
    }
}
