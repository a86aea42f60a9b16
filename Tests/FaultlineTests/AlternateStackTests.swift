// The signal stack that a thread gets before its first growable stack runs.
import Faultline
import Glibc
import TestNeeds
import Testing

/// The calling thread's alternate signal stack.
private func alternateStack() -> stack_t {
    var current = stack_t()
    sigaltstack(nil, &current)
    return current
}

private func runDeep() throws { _ = try withGrowableStack { sum(to: 20_000) } }

extension Stacks {
    @Suite struct AlternateStack {
        @Test(.needs(.noAddressSanitizer)) func aThreadWithoutOneGets64KiBOrMore() throws {
            let (before, after) = try onThread { () -> (stack_t, stack_t) in
                let before = alternateStack()
                try runDeep()
                return (before, alternateStack())
            }
            #expect(before.ss_flags & Int32(SS_DISABLE) != 0)
            #expect(after.ss_flags & Int32(SS_DISABLE) == 0)
            #expect(after.ss_size >= 64 << 10)
        }

        @Test(arguments: [(size: 8 << 10, isRespected: false), (64 << 10, true), (256 << 10, true)])
        func aLargeEnoughOneIsRespectedAndASmallerOneReplaced(size: Int, isRespected: Bool) throws {
            let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 4096)
            defer { memory.deallocate() }
            let address = UInt(bitPattern: memory)
            let isKept = try onThread { () -> Bool in
                let memory = UnsafeMutableRawPointer(bitPattern: address)
                var own = stack_t(ss_sp: memory, ss_flags: 0, ss_size: size)
                precondition(sigaltstack(&own, nil) == 0)
                try runDeep()
                let current = alternateStack()
                var none = stack_t(ss_sp: nil, ss_flags: Int32(SS_DISABLE), ss_size: 0)
                if current.ss_sp == memory { sigaltstack(&none, nil) }
                return current.ss_sp == memory && current.ss_size == size
            }
            #expect(isKept == isRespected)
        }

        @Test func itsEndsAreGuarded() throws {
            try onThread {
                try runDeep()
                let current = alternateStack()
                let low = UInt(bitPattern: current.ss_sp!)
                #expect(!isReadable(low - 1))
                #expect(isReadable(low))
                #expect(isReadable(low + UInt(current.ss_size) - 1))
                #expect(!isReadable(low + UInt(current.ss_size)))
            }
        }
    }
}

/// Whether a byte can be read, without reading it here: a pipe refuses memory that is not there.
private func isReadable(_ address: UInt) -> Bool {
    var ends: [Int32] = [0, 0]
    precondition(pipe(&ends) == 0)
    defer { for end in ends { close(end) } }
    return write(ends[1], UnsafeRawPointer(bitPattern: address)!, 1) == 1
}
