import Peers
import TestNeeds
import Testing

@testable import Experiments

/// What a word of a Go program's memory is, by what the program says of its memory.
@Suite("Goroutine memory") struct GoroutineMemoryTests {
    /// Two goroutines wait, one runs, and a thread has a stack of its own; a span of objects of 16 bytes, the second of
    /// which is in use, and one of the runtime's; records of the first goroutine. Stacks lie in a span of their own.
    private static let report = """
        process 7;type g stack:0:16 sched:56:48 param:136:8;type sudog elem:24:8;type mspan startAddr:24:8;\
        goroutine 4096 8192 6144 waits;at g 65536;goroutine 8192 12288 10240 waits;goroutine 12288 16384 14336 runs;\
        goroutine 16384 20480 0 thread;goroutine 20480 24576 20480 dead;at sudog 69632;at mspan 73728;\
        span 4096 24576 2 0;span 65536 73728 1 16 0;span 131072 139264 1 16 01;span 147456 155648 0 0
        """

    private static var memory: GoroutineMemory { get throws { try GoroutineMemory(report: report) } }

    @Test(
        arguments: [
            // The first goroutine's stack is 4096 ..< 8192, used from 6144.
            (6144, 6200, .own), (8191, 8184, .own), (6143, 6200, .stale), (6144, 6136, .stale),
            // Addresses of no stack of a goroutine that waits.
            (4095, 131_088, nil), (12288, 131_088, nil), (20480, 131_088, nil),
            // Its records.
            (4096, 65536, .bookkeeping("g.stack")), (6144, 65592, .bookkeeping("g.sched")),
            (6144, 65592 + 47, .bookkeeping("g.sched")), (7000, 65536 + 136, .record("g.param")),
            (7000, 69656, .record("sudog.elem")), (4096, 73752, .bookkeeping("mspan.startAddr")),
            // An address of what is not in use is stale wherever it is.
            (6143, 69656, .stale), (6143, 131_088, .stale),
            // Frames of others.
            (7000, 10240, .undecided("frames of other goroutines")), (7000, 10232, .stale), (7000, 14400, nil),
            (7000, 16384, .undecided("stacks of threads")), (7000, 20480, .stale),
            // The heap.
            (7000, 131_072, .stale), (7000, 131_088, .undecided("objects of the heap")), (7000, 131_104, .stale),
            (7000, 147_456, .stale), (7000, 140_000, .stale), (7000, 155_648, .undecided("outside of the heap")),
        ] as [(UInt64, UInt64, AddressPlace?)])
    func `a word is told by where it is and what it points to`(value: UInt64, address: UInt64, place: AddressPlace?)
        throws
    {
        #expect(try Self.memory.place(of: value, at: address) == place)
    }

    @Test func `words are counted by their places`() throws {
        let memory = try Self.memory
        #expect(memory.process == 7 && memory.goroutines == 2)
        var counts: [AddressPlace: Int] = [:]
        [0, 7000, .max, 10300, 7008, 8192].withUnsafeBufferPointer { memory.count($0, at: 6200, into: &counts) }
        // 10300 is used of the second stack but stands in the first, 8192 is the end of the first and unused.
        #expect(counts == [.own: 2, .undecided("frames of other goroutines"): 1, .stale: 1])
    }

    @Test func `what is no report is an error`() {
        for text in [
            "", "process 7", "process 7;nonsense", "process seven;goroutine 1 2 1 waits;at g 1;span 1 2 1 1 1",
        ] {
            #expect(throws: MeasurementFailure.self, "\(text)") { try GoroutineMemory(report: text) }
        }
    }

    @Test(.needs(.go), arguments: GoToolchain.installed())
    func `a goroutine that receives has the address of its variable in a record of the runtime`(
        toolchain: GoToolchain
    ) throws {
        let (goroutines, places) = try toolchain.program(.pointers).stackAddresses(20)
        // Twelve ways, four in a system call, and some of the runtime's own.
        #expect((244...270).contains(goroutines))
        // A receive, a send, a receive with defers of two kinds; two of a select.
        #expect(places[.record("sudog.elem")] ?? 0 >= 6 * 20)
        #expect(places[.record("_defer.sp")] ?? 0 >= 3 * 20)
        #expect(places[.record("g._panic")] == 20)
        #expect(places[.bookkeeping("g.stktopsp")] == goroutines)
        // Each of a hundred frames has a pointer to a variable of the one above.
        #expect(places[.own] ?? 0 > 100 * 20)
    }
}
