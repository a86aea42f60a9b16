// Coroutines that hibernate, for injected failures and for accesses that cannot be restored.
import CShim
import Faultline
import Glibc
import StackWords
import TestSupport

typealias Sleeper = Coroutine<Void, UnsafeMutablePointer<UInt64>, Bool>

/// A coroutine that keeps `words` words on its stack, hands out their address, and ends with whether they are intact.
func sleeper(_ configuration: StackConfiguration, words: Int, before: @escaping () -> Void = {}) throws -> Sleeper {
    try Sleeper(configuration: configuration) { (co: borrowing _, _) in
        before()
        var random = UInt64(words)
        func next() -> UInt64 {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return random
        }
        var isIntact = false
        try withStackWords(words) { local in
            for n in 0..<words { local[n] = next() }
            try co.suspend(local.baseAddress!)
            random = UInt64(words)
            isIntact = local.allSatisfy { $0 == next() }
        }
        return isIntact
    }
}

/// What a failure left hibernated: it is resumed later, because nothing may be lost.
nonisolated(unsafe) private var kept: [Sleeper] = []

/// Hibernates and resumes, and says how that ended. A refusal must leave the coroutine as it was.
func hibernation(
    _ configuration: StackConfiguration, words: Int, isUnshared: Bool = false, before: @escaping () -> Void = {}
) -> String {
    for old in kept {
        guard case .finished(true)? = try? old.resume() else { continue }
        kept.removeAll { $0 === old }
    }
    do {
        let co = try sleeper(configuration, words: words, before: before)
        guard case .suspended = try co.resume() else { return "error: ended" }
        do { try co.hibernate(isUnshared: isUnshared) } catch {
            require(!co.isHibernated && co.isResumable, "not as before: \(error)")
            guard case .finished(true) = try co.resume() else { return "error: other content than before" }
            throw error
        }
        require(co.isHibernated, "not hibernated")
        do {
            guard case .finished(true) = try co.resume() else { return "error: other content" }
        } catch {
            kept.append(co)
            require(co.isHibernated && co.isResumable, "lost: \(error)")
            throw error
        }
        return "returned"
    } catch { return "error: \(error)" }
}

let hibernationScenarios: [String: Scenario] = [
    // hibernated-access read|write restore-copy|none|fork
    "hibernated-access": { arguments in
        if arguments[1] == "none" { fl_debug_fail(.FL_SITE_USERFAULTFD, EPERM, 0) }
        let co = try sleeper(.init(guardKind: .guardPages), words: 20)
        guard case .suspended(let words) = try co.resume() else { fatalError("ended") }
        if arguments[1] == "none" {
            do {
                try co.hibernate()
                require(false, "hibernated without a word that it is unshared")
            } catch { say("refused: \(error)") }
        }
        try co.hibernate(isUnshared: arguments[1] == "none")
        if arguments[1] == "restore-copy" { fl_debug_fail(.FL_SITE_RESTORE_COPY, EPERM, 0) }
        if arguments[1] == "fork" && ts_fork() != 0 {
            var status: Int32 = 0
            wait(&status)
            kill(getpid(), status & 0x7f)
        }
        if arguments[0] == "write" { words[0] = 1 } else { _ = keep(words[0]) }
        say("survived")
        exit(1)
    },
    "hibernated-cancel": { _ in
        let co = try sleeper(.init(guardKind: .guardPages), words: 20)
        _ = try co.resume()
        try co.hibernate()
        fl_debug_fail(.FL_SITE_RESTORE_COPY, EPERM, 0)
        co.cancel()
        say("survived")
    },
    "hibernated-fork": { _ in
        let co = try sleeper(.init(guardKind: .guardPages), words: 5000)
        _ = try co.resume()
        try co.hibernate()
        let child = ts_fork()
        require(child >= 0, "no child")
        guard case .finished(true) = try co.resume() else { fatalError("other content") }
        if child == 0 {
            say("child resumed")
            _exit(0)
        }
        var status: Int32 = 0
        require(waitpid(child, &status, 0) == child && status == 0, "the child ended with \(status)")
        say("parent resumed")
    },
]
