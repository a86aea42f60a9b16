// Where the words of hibernated stacks are kept. The store is the process's: each test has one of its own.
import CShim
import CShimInternals
import Glibc
import Measurement
import Testing

private struct Block {
    let address: UnsafeMutableRawPointer
    let bytes: Int
    let content: UInt8

    func fill() { memset(address, Int32(content), bytes) }
    var isIntact: Bool { UnsafeRawBufferPointer(start: address, count: bytes).allSatisfy { $0 == content } }
}

private func take(_ bytes: Int) -> (block: UnsafeMutableRawPointer?, failure: fl_failure) {
    var block: UnsafeMutableRawPointer?
    let failure = fl_store_take(bytes, &block)
    return (block, failure)
}

private let largest = 32 << 10
private let slab: UInt64 = 64 << 10

@Suite struct StackStoreTests {
    @Test func blocksOfAllSizesKeepTheirBytesAndGiveThemBack() async {
        await #expect(processExitsWith: .success) {
            var random = SeededGenerator(seed: 1)
            var blocks: [Block] = []
            for round in 0..<4_000 {
                if round % 3 == 2, let index = blocks.indices.randomElement(using: &random) {
                    let given = blocks.remove(at: index)
                    #expect(given.isIntact)
                    fl_store_give(given.address, given.bytes)
                    continue
                }
                let bytes = Int.random(in: 1...(round % 50 == 0 ? 3 * largest : 2_000), using: &random)
                let taken = take(bytes)
                #expect(taken.failure.error == 0)
                let block = Block(address: taken.block!, bytes: bytes, content: UInt8(truncatingIfNeeded: round))
                block.fill()
                blocks.append(block)
            }
            #expect(fl_store_usage_get().records == UInt64(blocks.count))
            for block in blocks {
                #expect(block.isIntact)
                fl_store_give(block.address, block.bytes)
            }
            let usage = fl_store_usage_get()
            #expect(usage.records == 0 && usage.bytes == 0)
            #expect(usage.committed <= slab, "one empty slab is kept")
            fl_store_drain()
            #expect(fl_store_usage_get().committed == 0)
        }
    }

    @Test func aBlockWastesAtMost15BytesOrAnEighth() async {
        await #expect(processExitsWith: .success) {
            for bytes in [1, 15, 16, 17, 31, 32, 33, 511, 512, 513, 575, 576, 577, 1_023, 1_024, 1_025]
                + Array(stride(from: 1_100, to: largest, by: 997)) + [largest - 1, largest]
            {
                let before = fl_store_usage_get().bytes
                let block = take(bytes).block!
                let size = Int(fl_store_usage_get().bytes - before)
                #expect(size >= bytes && size - bytes <= max(15, bytes / 8), "\(bytes) bytes take \(size)")
                fl_store_give(block, bytes)
            }
        }
    }

    @Test func beyond32KiBABlockIsAMappingOfItsOwn() async {
        await #expect(processExitsWith: .success) {
            let inSlab = take(largest).block!
            #expect(fl_store_usage_get().committed == slab)
            let apart = take(largest + 1).block!
            #expect(fl_store_usage_get().committed == slab + UInt64(largest) + 4_096)
            #expect(fl_is_readable(UInt(bitPattern: apart) + UInt(largest)))
            fl_store_give(apart, largest + 1)
            #expect(!fl_is_readable(UInt(bitPattern: apart)))
            #expect(fl_store_usage_get().committed == slab)
            fl_store_give(inSlab, largest)
        }
    }

    @Test func aRefusedMappingIsAFailureAndTheNextTryWorks() async {
        await #expect(processExitsWith: .success) {
            for bytes in [100, largest + 1] {
                fl_debug_fail(.FL_SITE_STORE_MAP, EACCES, 0)
                let refused = take(bytes)
                #expect(refused.failure.error == EACCES)
                #expect(refused.failure.site == fl_site.FL_SITE_STORE_MAP.rawValue)
                #expect(fl_store_usage_get().records == 0 && fl_store_usage_get().committed == 0)
                fl_debug_fail(.FL_SITE_STORE_MAP, 0, 0)
                let granted = take(bytes)
                #expect(granted.failure.error == 0)
                fl_store_give(granted.block!, bytes)
                fl_store_drain()
            }
        }
    }

    @Test func aRefusedReleaseKeepsTheStoreWhole() async {
        await #expect(processExitsWith: .success) {
            fl_debug_fail(.FL_SITE_STORE_RELEASE, ENOMEM, 0)
            let blocks = (0..<40).map { _ in take(largest).block! }
            for block in blocks { fl_store_give(block, largest) }
            fl_store_drain()
            let usage = fl_store_usage_get()
            #expect(usage.records == 0 && usage.bytes == 0 && usage.committed == 0)
            let again = take(largest)
            #expect(again.failure.error == 0)
            memset(again.block!, 1, largest)
        }
    }
}
