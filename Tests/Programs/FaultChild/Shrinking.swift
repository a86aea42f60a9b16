// Stacks that shrink while the kernel refuses something: they go on as before.
import CShim
import Faultline
import Glibc
import StackWords
import TestSupport

private typealias Diver = Coroutine<Void, Void, Bool>

/// Uses much of its stack, little, and much again; ends with whether its words were the same all the time.
private func diver(_ configuration: StackConfiguration) throws -> Diver {
    try Diver(configuration: configuration) { (co: borrowing _, _) in
        var isIntact = true
        try withStackWords(40) { words in
            for n in words.indices { words[n] = UInt64(n * 31) }
            for pages in [100, 1, 150] {
                ts_touch_down(pages)
                try co.suspend(())
                isIntact = isIntact && words.indices.allSatisfy { words[$0] == UInt64($0 * 31) }
            }
        }
        return isIntact
    }
}

/// Shrinks it wherever it waits, and says how that went.
func shrinking(_ configuration: StackConfiguration) -> String {
    do {
        let co = try diver(configuration)
        var failure: (any Error)?
        for _ in 0..<3 {
            guard case .suspended = try co.resume() else { return "error: ended" }
            do { try co.shrink() } catch { failure = failure ?? error }
            require(co.isResumable, "not as before: \(String(describing: failure))")
        }
        guard case .finished(true) = try co.resume() else { return "error: other content" }
        return failure.map { "error: \($0)" } ?? "returned"
    } catch { return "error: \(error)" }
}

/// One that would move back at its next shrinking, to a range that it left.
private func ready(_ kind: StackGuard) throws -> Diver {
    let co = try diver(.init(strategy: .faultMove, initial: 16 << 10, guardKind: kind))
    _ = try co.resume()
    require(try !co.shrink().hasMoved, "moved at once")
    _ = try co.resume()
    return co
}

let shrinkingScenarios: [String: Scenario] = [
    // shrink-refused SITE GUARD true|false
    "shrink-refused": { arguments in
        let site = fl_site(rawValue: UInt32(arguments[0])!)!
        let co = try ready(StackGuard(rawValue: arguments[1])!)
        let calls = fl_debug_calls(site)
        fl_debug_fail(site, EPERM, 0)
        if arguments[2] == "true" {
            do {
                try co.shrink()
                require(false, "moved although \(site) was refused")
            } catch { require("\(error)".contains(String(cString: fl_site_name(site))), "\(error)") }
            fl_debug_fail(site, 0, 0)
        }
        require(try co.shrink().hasMoved, "did not move")
        fl_debug_fail(site, 0, 0)
        require(fl_debug_calls(site) > calls, "the site was not reached")
        _ = try co.resume()
        try co.shrink()
        guard case .finished(true) = try co.resume() else { fatalError("other content") }
    },
    // The guard does not come up again, and what the stack then stores below it is there after it has grown further.
    "shrink-unlifted": { _ in
        for megabytes in [3, 5, 9] {
            let co = try Coroutine<Void, Void, Bool>(configuration: .init(strategy: .fault, maximum: 64 << 20)) { (co: borrowing _, _) in
                ts_touch_down(megabytes << 8)
                try co.suspend(())
                var isIntact = false
                try withStackWords(megabytes << 17) { words in
                    for n in words.indices { words[n] = UInt64(n * 31) }
                    ts_touch_down(10 << 8)
                    isIntact = words.indices.allSatisfy { words[$0] == UInt64($0 * 31) }
                }
                return isIntact
            }
            _ = try co.resume()
            fl_debug_fail(.FL_SITE_SHRINK_GUARD, EPERM, 0)
            do {
                try co.shrink()
                require(false, "nothing was refused")
            } catch StackError.unavailable(let refusal) { require(refusal.call == "shrink-guard", "\(refusal)") }
            fl_debug_fail(.FL_SITE_SHRINK_GUARD, 0, 0)
            guard case .finished(true) = try co.resume() else { fatalError("other content") }
        }
    },
    "shrink-unguarded": { _ in
        let co = try ready(.guardPages)
        fl_debug_fail(.FL_SITE_GUARD_REMOVE, EPERM, 0)
        fl_debug_fail(.FL_SITE_OLD_RANGE_GUARD, EPERM, 0)
        _ = try? co.shrink()
        say("survived")
    },
]
