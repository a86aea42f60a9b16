// Faults that must end the process by their own signal, each on the stack that the first argument names: "thread" for
// the thread's own, else a strategy.
import CShim
import Faultline
import Glibc
import TestSupport

private final class Holder { var pointer: UnsafeMutablePointer<Int>? }

/// Lowest address of a slot that another coroutine uses: its guard.
private func guardOfAnother() throws -> UInt {
    let other = try Coroutine<Void, UInt, Void> { co, _ in try co.suspend(UInt(fl_stack_slot_low(ts_running_stack()!)))
    }
    guard case .suspended(let low) = try other.resume() else { fatalError("did not suspend") }
    _ = Unmanaged.passRetained(other)
    return low
}

private let raised: [String: @Sendable () throws -> Void] = [
    "nil-read": { ts_read_byte(8) },
    "nil-write": { ts_write_byte(0) },
    "read-only": { ts_write_read_only() },
    "execute-data": {
        withUnsafeTemporaryAllocation(byteCount: 64, alignment: 16) { ts_jump(UInt(bitPattern: $0.baseAddress)) }
    },
    "execute-nil": { ts_jump(0) },
    "non-canonical": { ts_read_byte(0x1234_5678_9abc_def0) },
    "push-non-canonical": { ts_push_non_canonical() },
    "kernel-half": { ts_read_byte(UInt.max - 4095) },
    "unmapped": { ts_read_byte(0x1000_0000) },
    "beyond-file": { ts_read_beyond_file() },
    "another-guard": { ts_read_byte(try guardOfAnother()) },
    "another-guard-write": { ts_write_byte(try guardOfAnother()) },
    "raise-segv": { ts_raise(SIGSEGV) },
    "raise-bus": { ts_raise(SIGBUS) },
    "below-stack": {
        guard let stack = ts_running_stack() else { return ts_read_byte(8) }
        ts_read_byte(UInt(stack.pointee.low) - 40_000)
    },
    "forced-unwrap": { _ = keep(Optional<Int>.none)! },
    "overflow": { _ = recurseForever() },
    "stale-indexed": {
        // An address of a range that the stack moved away from, kept where no move finds it.
        let holder = keep(Holder())
        var local = 1
        withUnsafeMutablePointer(to: &local) { holder.pointer = $0 }
        ts_touch_down(usablePages() + 1)
        ts_read_indexed(UInt(bitPattern: holder.pointer))
    },
    "headroom": { ts_touch_down(usablePages() + 1) },
]

let faultScenarios: [String: Scenario] = [
    // fault WHAT WHERE [report]
    "fault": { arguments in
        guard arguments.count >= 2, let fault = raised[arguments[0]] else {
            say("fault WHAT WHERE [report]: one of \(raised.keys.sorted())")
            exit(64)
        }
        if arguments.contains("report") { require(ts_install_reporter() == 0, "no reporter") }
        try withGrowableStack {}  // installs the handler
        if arguments[1] == "thread" {
            try fault()
        } else {
            try withStack(.init(strategy: StackStrategy(rawValue: arguments[1])!, maximum: 1 << 20), fault)
        }
        say("survived")
        exit(1)
    },
    "wait-for-signal": { _ in
        try withGrowableStack {
            say("ready")
            while true { pause() }
        }
    },
    // Deep recursion on the process's first thread, whose own stack is another matter than a thread's.
    "main-thread": { _ in
        require(getpid() == ts_thread_id(), "not the first thread")
        require(try withGrowableStack { sum(to: 100_000) } == 5_000_050_000, "wrong sum")
        require(
            try withStack(.init(strategy: .faultMove, initial: 4096)) { sum(to: 100_000) } == 5_000_050_000, "wrong sum"
        )
    },
    "print-mappings": { _ in
        try withGrowableStack {
            let text = kernelText("/proc/self/maps")
            require(write(1, text, text.utf8.count) == text.utf8.count, "not all was written")
        }
    },
    "debugger": { _ in debuggerResumer() },
    "move-anywhere": { _ in
        func work() -> String {
            _ = fl_debug_provoke_moves(200, true)
            defer { _ = fl_debug_provoke_moves(0, false) }
            // Moves follow a timer: rounds go on until there were enough.
            var text = ""
            var seen: UInt64 = 0
            for n in 0..<1_000_000 where seen < 100 {
                // Recursion, metadata lookups, dynamic casts, strings.
                let mixed: [Any] = [n, "\(n)", [n: Double(n)], (n, "two")]
                let hashable = mixed.compactMap { $0 as? any Hashable }.count
                text = "\(n) \(sum(to: 300)) \(hashable) \(mixed.map { String(describing: $0) }.joined(separator: ";"))"
                if moves() == seen { continue }
                seen = moves()
                say("round \(text) moves=\(seen)")
            }
            return text
        }
        say(
            try withStack(
                .init(strategy: .faultMove), statistics: { say("moves=\($0.moves.values.reduce(0, +))") }, work))
    },
]

private func moves() -> UInt64 {
    var counters = fl_counters()
    fl_stack_counters(ts_running_stack()!, &counters)
    return counters.moves.0 + counters.moves.1 + counters.moves.2
}

@inline(never) @_optimize(none) func debuggerResumer() {
    let co = try! Coroutine<Void, Int, Void> { co, _ in
        debuggerOuter()
        try co.suspend(1)
    }
    _ = try! co.resume()
}
@inline(never) @_optimize(none) func debuggerOuter() { debuggerInner() }
@inline(never) @_optimize(none) func debuggerInner() { ts_read_byte(8) }
