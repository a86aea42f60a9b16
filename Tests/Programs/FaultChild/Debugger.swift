// Coroutines in each state, for a debugger.
import CShim
import Faultline
import Glibc
import TestSupport

private typealias Parked = Coroutine<Void, Void, Void>

@inline(never) private func parkInner(_ co: borrowing Parked.Suspender) throws -> Int {
    try co.suspend(())
    return keep(1)
}

@inline(never) private func parkOuter(_ co: borrowing Parked.Suspender, _ depth: Int) throws -> Int {
    depth == 0 ? try parkInner(co) &+ keep(1) : try parkOuter(co, depth - 1) &+ keep(1)
}

@inline(never) private func runInner() -> Int {
    say("ready=\(getpid())")
    abort()
}

@inline(never) private func runOuter(_ other: Parked) throws -> Int {
    _ = try other.resume()
    return keep(1)
}

let debuggerScenarios: [String: Scenario] = [
    // coroutines COUNT FOLDER: of each strategy COUNT that are suspended three calls deep, one that hibernates, one
    // that was not started, and on another thread one that has resumed a last one, which ends the process. A core file
    // in the folder, or none where that is "none".
    "coroutines": { arguments in
        allowCore(in: arguments[1])
        var alive: [Parked] = []
        for strategy in StackStrategy.allCases where strategy != .automatic && !strategy.needsChecks {
            for _ in 0..<Int(arguments[0])! {
                let configuration = StackConfiguration(strategy: strategy, maximum: 64 << 10)
                alive.append(
                    try Parked(configuration: configuration) { (co: borrowing _, _) in _ = try parkOuter(co, 2) })
            }
        }
        let asleep = try Parked { (co: borrowing _, _) in _ = try parkOuter(co, 2) }
        for co in alive + [asleep] { _ = try co.resume() }
        try asleep.hibernate()
        let unstarted = try Parked { (_: borrowing _, _) in }
        withExtendedLifetime((alive, asleep, unstarted)) {
            onThread {
                let ended = Result {
                    let inner = try Parked { (_: borrowing _, _) in _ = runInner() }
                    let outer = try Parked { (_: borrowing _, _) in _ = try runOuter(inner) }
                    _ = try outer.resume()
                }
                say("\(ended)")
            }
        }
        say("survived")
    }
]
