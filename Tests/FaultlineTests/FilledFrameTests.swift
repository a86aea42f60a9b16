import CShim
import Glibc
import TestNeeds
import TestSupport
import Testing

@testable import Faultline

/// The largest frame that a slot promises, with the frames of the calls in it.
private func largestArray(_ slot: fl_slot_size) -> Int { Int(fl_slot_largest_frame(slot)) - 1024 }

/// Calls `body` at `depth` bytes of the running stack.
private func below(_ depth: Int, _ body: () -> Void) {
    withoutActuallyEscaping(body) { body in
        withUnsafePointer(to: body) {
            ts_at_depth(
                depth, { $0!.assumingMemoryBound(to: (() -> Void).self).pointee() },
                UnsafeMutableRawPointer(mutating: $0))
        }
    }
}

extension Stacks {
    /// The kernel stops at a guard without a signal: what it was to store there is lost, and a frame that has jumped
    /// the band never grows the stack. So the band is never smaller than the largest frame promised.
    @Suite("Local arrays that system calls fill", .needs(.noSanitizer)) struct FilledFrames {
        private static let fillings: [ts_filling] = [
            .TS_FILLING_READ, .TS_FILLING_RECV, .TS_FILLING_READV, .TS_FILLING_GETDENTS, .TS_FILLING_FREAD,
        ]
        // Growth doubles, so most room is left right behind a power of two, and least before one.
        private static let depths = [
            2, 14, 50, 62, 66, 120, 190, 250, 500, 760, 1000, 1030, 1500, 2040, 3000, 4080, 6000,
        ].map { $0 << 10 }
        private static let sizes = [
            1 << 10, 15 << 10, 47 << 10, 62 << 10, 131_072, 255 << 10, 500 << 10, (960 << 10) - 1024,
        ]

        /// At a depth where the slot that the stack is in promises such a frame. In `slot` or a larger one it must be.
        private static func fill(
            _ size: Int, at depth: Int, _ configuration: StackConfiguration, in slot: fl_slot_size
        ) throws {
            var errors: [Int32] = []
            try withStack(configuration) {
                below(depth) {
                    let slot = fl_slot_size(rawValue: UInt32(ts_running_stack()!.pointee.slot))!
                    if size <= largestArray(slot) { errors = fillings.map { ts_fill_frame($0, size) } }
                }
            }
            #expect(errors.allSatisfy { $0 == 0 }, "\(size) bytes at depth \(depth): \(errors)")
            if size <= largestArray(slot) { #expect(errors.count == fillings.count, "\(size) bytes at depth \(depth)") }
        }

        @Test(
            "local arrays are filled at every depth of every slot", arguments: fl_slot_size.all, StackGuard.allCases)
        fileprivate func inPlace(slot: fl_slot_size, kind: StackGuard) throws {
            try Need.check(guard: kind.rawValue)
            for strategy in [StackStrategy.fault, .demand] {
                let configuration = StackConfiguration(
                    strategy: strategy, reservation: Int(fl_slot_geometry_of(slot).size), guardKind: kind)
                let room = Int(fl_slot_room(slot))
                for size in Self.sizes where size <= largestArray(slot) {
                    for depth in Self.depths where depth + size + 12_288 <= room {
                        StackPool.drain()
                        try Self.fill(size, at: depth, configuration, in: slot)
                    }
                }
            }
        }

        @Test("local arrays are filled on a stack that starts larger", arguments: [100, 128, 700, 1024, 1500, 5000])
        func largerAtFirst(initial: Int) throws {
            for size in Self.sizes {
                for depth in [2, initial / 2, initial - 4] where (depth << 10) + size < 6 << 20 {
                    StackPool.drain()
                    try Self.fill(
                        size, at: depth << 10, StackConfiguration(strategy: .fault, initial: initial << 10),
                        in: .FL_SLOT_8MIB)
                }
            }
        }

        @Test("local arrays are filled on a stack that has moved", arguments: MoverCase.all)
        func moving(mover: MoverCase) throws {
            for size in Self.sizes {
                for depth in Self.depths {
                    // It may have doubled into a larger one than it must.
                    let slot = try #require(fl_slot_size.all.first { Int(fl_slot_room($0)) >= depth })
                    try Self.fill(size, at: depth, try mover.configuration(), in: slot)
                }
            }
        }

        /// Reads into an array that nothing has stored in, from a file or a socket.
        @inline(never) private static func bytes<let count: Int>(
            of type: InlineArray<count, UInt8>.Type, _ fill: (UnsafeMutableRawPointer?, Int) -> Int
        ) -> Int {
            var filled = 0
            let array = InlineArray<count, UInt8>(initializingWith: { span in
                span.withUnsafeMutableBufferPointer { buffer, initialized in
                    filled = fill(buffer.baseAddress, count)
                    initialized = count
                }
            })
            return array[count - 1] == 0 ? filled : -1
        }

        @Test(
            "local arrays of Swift are filled", arguments: [StackStrategy.fault, .faultMove, .demand],
            [2, 62, 1000, 3000])
        func swift(strategy: StackStrategy, depth: Int) throws {
            let zeros = open("/dev/zero", O_RDONLY | O_CLOEXEC)
            var ends: [Int32] = [0, 0]
            try #require(zeros >= 0 && socketpair(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0, &ends) == 0)
            defer { for descriptor in ends + [zeros] { close(descriptor) } }
            let datagram = [UInt8](repeating: 0, count: 100_000)
            try #require(send(ends[0], datagram, datagram.count, 0) == datagram.count)
            let initial = strategy == .faultMove ? 1 << 20 : nil
            try withStack(StackConfiguration(strategy: strategy, initial: initial)) {
                below(depth << 10) {
                    #expect(Self.bytes(of: InlineArray<131_072, UInt8>.self) { read(zeros, $0!, $1) } == 131_072)
                    #expect(Self.bytes(of: InlineArray<131_072, UInt8>.self) { recv(ends[1], $0!, $1, 0) } == 100_000)
                }
            }
        }
    }
}
