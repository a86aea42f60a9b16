// The kinds of fault that `faultline faults` and the claim about classification raise, each with what should become of
// it. A new kind is a line here.

internal import CFaultKinds
import Faultline
import Glibc
import Measurement
import Report

/// A way to raise a fault, and what is expected.
public struct FaultKind: Sendable {
    /// How a child process ends.
    public enum Ending: Sendable, Hashable {
        case exit(Int32)
        case signal(Int32)

        /// - Parameter status: what `waitpid` gave for a process that ended.
        package init(status: Int32) {
            // The macros WIFSIGNALED and its kin, which Swift does not import.
            let number = status & 0x7f
            self = number == 0 ? .exit(status >> 8 & 0xff) : .signal(number)
        }
    }

    /// The verdict of what no handler of Faultline sees.
    public static let noVerdict = "none"

    /// What users call it.
    public let name: String
    /// What the child does.
    public let summary: String
    /// The signal that is raised.
    public let signal: Int32
    /// What the fault is, among `FaultStatistics.verdicts`, or ``noVerdict``.
    public let verdict: String
    /// How the child ends.
    public let ending: Ending
    /// Words that the child's message must hold, where nothing is varied.
    public let message: String?
    /// Raises it. Returns only where the fault is survived.
    public let raise: @Sendable (inout FaultVariation) throws -> Void

    /// A fault that ends the child by the signal it raises.
    private static func fatal(
        _ name: String, _ summary: String, _ verdict: String, signal: Int32 = SIGSEGV, message: String? = nil,
        _ raise: @escaping @Sendable (inout FaultVariation) throws -> Void
    ) -> FaultKind {
        FaultKind(
            name: name, summary: summary, signal: signal, verdict: verdict, ending: .signal(signal), message: message,
            raise: raise)
    }

    /// A fault that the child survives.
    private static func survived(
        _ name: String, _ summary: String, _ verdict: String, message: String? = nil,
        _ raise: @escaping @Sendable (inout FaultVariation) throws -> Void
    ) -> FaultKind {
        FaultKind(
            name: name, summary: summary, signal: SIGSEGV, verdict: verdict, ending: .exit(0), message: message,
            raise: raise)
    }

    /// Every kind.
    public static let all: [FaultKind] = stackKinds + memoryKinds + signalKinds

    /// From the first frames of a stack with 64 KiB into what stands guard below: pages without access, or a band of
    /// guard pages of less than 1 MiB.
    private static func belowCommitted(_ vary: inout FaultVariation) -> UInt {
        vary.pick(256 << 10, from: 72 << 10...900 << 10)
    }

    /// A maximum of a stack, in bytes.
    private static func maximum(_ vary: inout FaultVariation) -> Int {
        Int(vary.pick(1 << 20, from: 512 << 10...3 << 20))
    }

    // Faults about stacks.
    private static let stackKinds: [FaultKind] = [
        survived("growth", "use 1 MiB of a stack that starts with 64 KiB", "growth") { vary in
            let bytes = vary.pick(1 << 20, from: 128 << 10...3 << 20)
            try withStack(StackConfiguration(strategy: .fault, maximum: 4 << 20)) { _ = fk_recurse(Int(bytes)) }
        },
        survived(
            "overflow-contained", "overflow an isolated stack", "overflow", message: "contained: stack overflow"
        ) { vary in
            let configuration = StackConfiguration(strategy: .fault, maximum: maximum(&vary), isIsolated: true)
            try expectFault { try withStack(configuration) { recurseForEver() } }
        },
        fatal("overflow", "overflow a stack that is not isolated", "overflow", message: "limit 1048576 bytes") {
            vary in
            try withStack(StackConfiguration(strategy: .fault, maximum: maximum(&vary))) { recurseForEver() }
        },
        fatal("other-guard", "read the guard of a stack that does not run", "other-guard") { vary in
            let other = try Coroutine<Void, UInt, Void>(
                configuration: StackConfiguration(strategy: .fault, maximum: 4 << 20)
            ) {
                stack, _ in try stack.suspend(fk_frame_address())
            }
            guard case .suspended(let frame) = try other.resume() else { return }
            let distance = belowCommitted(&vary)
            try withStack(StackConfiguration(strategy: .fault)) { fk_read(frame - distance) }
        },
        fatal("below-stack", "read 256 KiB below the stack pointer", "below-stack") { vary in
            let distance = belowCommitted(&vary)
            try withStack(StackConfiguration(strategy: .fault, maximum: 4 << 20)) {
                fk_read(fk_frame_address() - distance)
            }
        },
        survived("stale-forwarded", "read where a moved stack was", "stale-reference") { vary in
            try withMovedStack(&vary) { fk_read($0) }
        },
        fatal(
            "stale", "the same, where no register holds the address", "stale-reference",
            message: "stale stack reference"
        ) { vary in
            try withMovedStack(&vary) { fk_read_indexed($0) }
        },
        fatal(
            "headroom", "run code without checks through the room that checks leave it", "headroom-too-small",
            message: "headroom too small"
        ) { vary in
            let bytes = vary.pick(1 << 20, from: 256 << 10...3 << 20)
            try withStack(StackConfiguration(strategy: .checkMove)) { _ = fk_recurse(Int(bytes)) }
        },
        fatal(
            "lost-signal", "have a handler without SA_ONSTACK called where its frame does not fit",
            "lost-signal-frame", message: "SA_ONSTACK"
        ) { vary in
            // The smallest frame, without AVX, is 900 bytes and more.
            let distance = vary.pick(512, from: 256...768) & ~15
            fk_install_plain_handler(SIGUSR1)
            try withStack(StackConfiguration(strategy: .fault)) { fk_signal_near_end(SIGUSR1, Int(distance)) }
        },
    ]

    // Faults about other memory.
    private static let memoryKinds: [FaultKind] = [
        fatal("nil-read", "read at 8", "nil-dereference") { vary in
            let address = nilPage(&vary)
            try withStack(StackConfiguration(strategy: .fault)) { fk_read(address) }
        },
        fatal("nil-write", "write at 8", "nil-dereference") { vary in
            let address = nilPage(&vary)
            try withStack(StackConfiguration(strategy: .fault)) { fk_write(address) }
        },
        fatal("nil-call", "call 0", "execute") { vary in
            let address = vary.pick(0, from: 0...4095)
            try withStack(StackConfiguration(strategy: .fault)) { fk_call(address) }
        },
        survived("nil-contained", "read at 8, contained", "nil-dereference", message: "contained: nil dereference") {
            vary in
            let address = nilPage(&vary)
            try expectFault {
                try withStack(StackConfiguration(strategy: .fault, containsNilDereference: true)) { fk_read(address) }
            }
        },
        fatal("read-only", "write to a page that is mapped to be read", "write-to-read-only") { _ in
            try withStack(StackConfiguration(strategy: .fault)) { _ = fk_write_read_only() }
        },
        fatal("execute-data", "call a byte of data", "execute") { _ in
            try withStack(StackConfiguration(strategy: .fault)) { fk_call_data() }
        },
        fatal("non-canonical", "read a non-canonical address", "non-canonical") { vary in
            let address = vary.pick(0x1234_5678_9abc_def0, from: 1 << 47...UInt.max - 1 << 47)
            try withStack(StackConfiguration(strategy: .fault)) { fk_read(address) }
        },
        fatal(
            "non-canonical-stack", "push with a non-canonical stack pointer", "non-canonical", signal: SIGBUS
        ) { _ in
            try withStack(StackConfiguration(strategy: .fault)) { fk_push_non_canonical() }
        },
        fatal("kernel-address", "read an address of the kernel's half", "foreign") { vary in
            let address = vary.pick(0xffff_8000_0000_0000, from: 0xffff_8000_0000_0000...0xffff_fe00_0000_0000)
            try withStack(StackConfiguration(strategy: .fault)) { fk_read(address) }
        },
        fatal("truncated-file", "read a file mapping beyond the file's end", "foreign", signal: SIGBUS) { _ in
            try withStack(StackConfiguration(strategy: .fault)) { _ = fk_read_beyond_file() }
        },
    ]

    // Signals that are no page faults.
    private static let signalKinds: [FaultKind] = [
        fatal("sent-kill", "send SIGSEGV with kill", "sent") { _ in
            try withStack(StackConfiguration(strategy: .fault)) { _ = kill(getpid(), SIGSEGV) }
        },
        fatal("sent-raise", "send SIGSEGV with raise", "sent") { _ in
            try withStack(StackConfiguration(strategy: .fault)) { _ = Glibc.raise(SIGSEGV) }
        },
        fatal("forced-unwrap", "unwrap nil by force: no page fault", noVerdict, signal: SIGILL) { _ in
            try withStack(StackConfiguration(strategy: .fault)) {
                let nothing: Int? = getenv("FAULTLINE_NEVER_SET").map { Int($0.pointee) }
                _ = kill(0, Int32(nothing!))
            }
        },
    ]

    /// An address that no mapping may have, whatever `vm.mmap_min_addr` is.
    private static func nilPage(_ vary: inout FaultVariation) -> UInt { vary.pick(8, from: 0...4095) }

    private static func recurseForEver() { _ = fk_recurse(1 << 40) }

    /// Runs what a stack fault must end, and says that it did.
    private static func expectFault(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch let fault as StackFault {
            _ = StandardOutput.write("contained: \(fault)\n", to: STDERR_FILENO)
            return
        }
        throw MeasurementFailure("no stack fault was thrown")
    }

    /// Hands `body` an address that belonged to the running stack before it moved. It is kept on the heap meanwhile,
    /// where no move looks.
    private static func withMovedStack(
        _ vary: inout FaultVariation, _ body: @escaping (UInt) -> Void
    ) throws {
        let bytes = Int(vary.pick(256 << 10, from: 64 << 10...2 << 20))
        let kept = UnsafeMutablePointer<UInt>.allocate(capacity: 1)
        try withStack(StackConfiguration(strategy: .faultMove, initial: 16 << 10)) {
            kept.pointee = fk_frame_address()
            _ = fk_recurse(bytes)
            body(kept.pointee)
        }
    }
}

/// What differs from one fault of a kind to the next: addresses and sizes.
public struct FaultVariation: Sendable {
    private var random: SeededGenerator?

    /// Every choice is the usual one.
    public static let none = FaultVariation(random: nil)

    private init(random: SeededGenerator?) { self.random = random }

    /// Choices that `seed` determines.
    public init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func pick(_ usual: UInt, from range: ClosedRange<UInt>) -> UInt {
        guard random != nil else { return usual }
        return UInt.random(in: range, using: &random!)
    }
}
