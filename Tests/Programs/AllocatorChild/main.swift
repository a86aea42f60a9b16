// Overflows inside an allocator that is part of the executable. Started by the crash tests; a lock that was left behind
// shows by their deadline.
import Faultline
import Glibc
import LockingAllocator

let rounds = 3000
for round in 0..<rounds {
    do {
        try withStack(StackConfiguration(strategy: .fault, maximum: 48 << 10, isIsolated: true)) {
            withUnsafeTemporaryAllocation(byteCount: 16 * (round % 512) + 16, alignment: 16) { _ in
                _ = la_allocate_forever(64 + round % 4000)
            }
        }
        fatalError("round \(round) returned")
    } catch StackFault.overflow {}
}
free(malloc(100))
print("contained=\(rounds) locks=\(la_locks())")
