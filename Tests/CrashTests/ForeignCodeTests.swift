// Overflows among the frames of code that others wrote.
import Glibc
import TestNeeds
import Testing

@Suite struct OverflowsInForeignCode {
    @Test(
        .needs(.allocators),
        arguments: ["libjemalloc.so.2", "libtcmalloc.so.4", "libtcmalloc_minimal.so.4", "libmimalloc.so.2"])
    func aReplacedAllocatorKeepsNoLock(_ library: String) throws {
        // A lock that was left behind shows by the deadline.
        try expectChild(
            "contain-allocating 10000", ends: .exited(0), writes: ["/\(library)", "contained=10000", "done"],
            seconds: 120,
            environment: ["LD_PRELOAD": library])
    }

    // Its entries are no-abandon code, and what they jump to; the rest of the executable is the user's.
    @Test func anAllocatorInTheExecutableKeepsNoLock() throws {
        let result = try ChildProcess.run(program: BuiltPrograms.path(of: "AllocatorChild"), [], seconds: 60)
        #expect(result.ending == .exited(0), "\(result.output.suffix(2000))")
        #expect(result.output.contains("contained=3000"))
        // It was in use: what is allocated goes through it.
        #expect(try #require(result.number("locks")) > 100_000)
    }

    // With a frame pointer or an unwind table the walk sees the library's frame, and it finishes before the coroutine
    // ends.
    @Test(arguments: ["tsearch", "lfind", "qsort"], ["framed", "described"])
    func aComparatorThatOverflowsLetsItsCallerFinish(_ function: String, _ comparator: String) throws {
        try expectChild(
            "overflow-in-comparator \(function) \(comparator) 60000", ends: .exited(0),
            writes: ["fault: stack overflow: 104"])
    }

    // Without both, nothing tells where the library's frame is.
    @Test(arguments: ["tsearch", "lfind", "qsort"])
    func aComparatorThatCannotBeUnwoundEndsTheProcess(_ function: String) throws {
        try expectChild("overflow-in-comparator \(function) bare 100", ends: .exited(0), writes: ["returned"])
        try expectChild(
            "overflow-in-comparator \(function) bare 60000", ends: .signalled(SIGSEGV),
            writes: [
                "faultline: a coroutine's stack overflowed, and its frames could not be unwound",
                "compile it with -fasynchronous-unwind-tables",
            ], never: ["done"])
    }

    @Test func recursionBelowALibraryEndsAtTheRoomOfItsSlot() throws {
        // 1 MiB are allowed, and a slot of 8 MiB has 7 MiB of room.
        try expectChild(
            "overflow-in-comparator qsort described 1000000", ends: .signalled(SIGSEGV),
            writes: [
                "overflowed inside code that may not be abandoned, and used up its reserve", "limit 1048576 bytes",
                "a frame of libc.so.6 must return first: bound the recursion's depth",
            ])
    }
}
