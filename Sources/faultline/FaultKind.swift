// The kinds of fault that `faultline faults` raises, each with what should become of it. A new kind is a line here.

import CFaultKinds
import Faultline
import Glibc
import Report

/// A way to raise a fault, and what is expected.
struct FaultKind: Sendable {
    /// How a child process ends.
    enum Ending: Sendable, Hashable {
        case exit(Int32)
        case signal(Int32)

        var description: String {
            switch self {
            case .exit(let code): "exit \(code)"
            case .signal(let number): "killed by \(SignalName.of(number))"
            }
        }
    }

    /// The verdict of what no handler of Faultline sees.
    static let noVerdict = "none"

    let name: String
    /// What the child does.
    let summary: String
    /// The signal that is raised.
    let signal: Int32
    let verdict: String
    let ending: Ending
    /// Words that the child's message must hold.
    var message: String?
    /// Raises it. Returns only where the fault is survived.
    let raise: @Sendable () throws -> Void

    /// A fault that ends the child by the signal it raises.
    private static func fatal(
        _ name: String, _ summary: String, _ verdict: String, signal: Int32 = SIGSEGV, message: String? = nil,
        _ raise: @escaping @Sendable () throws -> Void
    ) -> FaultKind {
        FaultKind(
            name: name, summary: summary, signal: signal, verdict: verdict, ending: .signal(signal), message: message,
            raise: raise)
    }

    /// A fault that the child survives.
    private static func survived(
        _ name: String, _ summary: String, _ verdict: String, message: String? = nil,
        _ raise: @escaping @Sendable () throws -> Void
    ) -> FaultKind {
        FaultKind(
            name: name, summary: summary, signal: SIGSEGV, verdict: verdict, ending: .exit(0), message: message,
            raise: raise)
    }

    static let all: [FaultKind] = stackKinds + memoryKinds + signalKinds

    /// From the first frames of a stack with 64 KiB into what stands guard below: pages without access, or a band of
    /// guard pages of less than 1 MiB.
    private static let belowCommitted: UInt = 256 << 10

    // Faults about stacks.
    private static let stackKinds: [FaultKind] = [
        survived("growth", "use 1 MiB of a stack that starts with 64 KiB", "growth") {
            try withStack(StackConfiguration(maximum: 4 << 20)) { _ = fk_recurse(1 << 20) }
        },
        survived(
            "overflow-contained", "overflow an isolated stack", "overflow", message: "contained: stack overflow"
        ) {
            let configuration = StackConfiguration(maximum: 1 << 20, isIsolated: true)
            try expectFault { try withStack(configuration) { recurseForEver() } }
        },
        fatal("overflow", "overflow a stack that is not isolated", "overflow", message: "limit 1048576 bytes") {
            try withStack(StackConfiguration(maximum: 1 << 20)) { recurseForEver() }
        },
        fatal("other-guard", "read the guard of a stack that does not run", "other-guard") {
            let other = try Coroutine<Void, UInt, Void>(configuration: StackConfiguration(maximum: 4 << 20)) {
                stack, _ in try stack.suspend(fk_frame_address())
            }
            guard case .suspended(let frame) = try other.resume() else { return }
            try withStack(StackConfiguration()) { fk_read(frame - belowCommitted) }
        },
        fatal("below-stack", "read 256 KiB below the stack pointer", "below-stack") {
            try withStack(StackConfiguration(maximum: 4 << 20)) { fk_read(fk_frame_address() - belowCommitted) }
        },
        survived("stale-forwarded", "read where a moved stack was", "stale-reference") {
            try withMovedStack { fk_read($0) }
        },
        fatal(
            "stale", "the same, where no register holds the address", "stale-reference",
            message: "stale stack reference"
        ) {
            try withMovedStack { fk_read_indexed($0) }
        },
        fatal(
            "headroom", "run code without checks through the room that checks leave it", "headroom-too-small",
            message: "headroom too small"
        ) {
            try withStack(StackConfiguration(strategy: .checkMove)) { _ = fk_recurse(1 << 20) }
        },
        fatal(
            "lost-signal", "have a handler without SA_ONSTACK called where its frame does not fit",
            "lost-signal-frame", message: "SA_ONSTACK"
        ) {
            fk_install_plain_handler(SIGUSR1)
            try withStack(StackConfiguration()) { fk_signal_near_end(SIGUSR1, 512) }
        },
    ]

    // Faults about other memory.
    private static let memoryKinds: [FaultKind] = [
        fatal("nil-read", "read at 8", "nil-dereference") { try withStack(StackConfiguration()) { fk_read(8) } },
        fatal("nil-write", "write at 8", "nil-dereference") { try withStack(StackConfiguration()) { fk_write(8) } },
        fatal("nil-call", "call 0", "execute") { try withStack(StackConfiguration()) { fk_call(0) } },
        survived("nil-contained", "read at 8, contained", "nil-dereference", message: "contained: nil dereference") {
            try expectFault { try withStack(StackConfiguration(containsNilDereference: true)) { fk_read(8) } }
        },
        fatal("read-only", "write to a page that is mapped to be read", "write-to-read-only") {
            try withStack(StackConfiguration()) { _ = fk_write_read_only() }
        },
        fatal("execute-data", "call a byte of data", "execute") {
            try withStack(StackConfiguration()) { fk_call_data() }
        },
        fatal("non-canonical", "read a non-canonical address", "non-canonical") {
            try withStack(StackConfiguration()) { fk_read(0x1234_5678_9abc_def0) }
        },
        fatal(
            "non-canonical-stack", "push with a non-canonical stack pointer", "non-canonical", signal: SIGBUS
        ) {
            try withStack(StackConfiguration()) { fk_push_non_canonical() }
        },
        fatal("kernel-address", "read an address of the kernel's half", "foreign") {
            try withStack(StackConfiguration()) { fk_read(0xffff_8000_0000_0000) }
        },
        fatal("truncated-file", "read a file mapping beyond the file's end", "foreign", signal: SIGBUS) {
            try withStack(StackConfiguration()) { _ = fk_read_beyond_file() }
        },
    ]

    // Signals that are no page faults.
    private static let signalKinds: [FaultKind] = [
        fatal("sent-kill", "send SIGSEGV with kill", "sent") {
            try withStack(StackConfiguration()) { _ = kill(getpid(), SIGSEGV) }
        },
        fatal("sent-raise", "send SIGSEGV with raise", "sent") {
            try withStack(StackConfiguration()) { _ = Glibc.raise(SIGSEGV) }
        },
        fatal("forced-unwrap", "unwrap nil by force: no page fault", noVerdict, signal: SIGILL) {
            try withStack(StackConfiguration()) {
                let nothing: Int? = getenv("FAULTLINE_NEVER_SET").map { Int($0.pointee) }
                _ = kill(0, Int32(nothing!))
            }
        },
    ]

    private static func recurseForEver() { _ = fk_recurse(1 << 40) }

    /// Runs what a stack fault must end, and says that it did.
    private static func expectFault(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch let fault as StackFault {
            _ = StandardOutput.write("contained: \(fault)\n", to: STDERR_FILENO)
            return
        }
        throw RuntimeFailure("no stack fault was thrown")
    }

    /// Hands `body` an address that belonged to the running stack before it moved. It is kept on the heap meanwhile,
    /// where no move looks.
    private static func withMovedStack(_ body: @escaping (UInt) -> Void) throws {
        let kept = UnsafeMutablePointer<UInt>.allocate(capacity: 1)
        try withStack(StackConfiguration(strategy: .faultMove, initial: 16 << 10)) {
            kept.pointee = fk_frame_address()
            _ = fk_recurse(256 << 10)
            body(kept.pointee)
        }
    }
}
