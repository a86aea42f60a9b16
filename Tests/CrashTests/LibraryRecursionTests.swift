// Recursion that passes through frames of libraries. Faultline.docc/Hosts.md lists which of it ends at the maximum, and
// which goes on to the room of its slot.
import Glibc
import TestNeeds
import Testing

private let overflows = (1...3).map { "round \($0): overflow of 1048576 bytes" }

private func run(_ strategy: String, _ name: String, _ levels: String) throws -> ChildResult {
    try ChildProcess.run(program: BuiltPrograms.path(of: "RecursionChild"), [strategy, name, levels])
}

@Suite struct RecursionThroughLibraries {
    @Test(
        arguments: ["demand", "fault"],
        [
            "map", "forEach", "filter", "reduce", "compactMap", "flatMap", "sorted", "contains", "with-c-string",
            "unsafe-bytes", "deinit", "deinit-arrays", "interpolation", "describing", "array-description", "reflection",
        ])
    func whatHoldsNothingIsAbandonedAtTheMaximum(_ strategy: String, _ name: String) throws {
        let result = try run(strategy, name, "forever")
        #expect(result.ending == .exited(0), "\(result.output.suffix(2000))")
        for text in overflows + ["[1] in a queue"] { #expect(result.output.contains(text), "\(result.output)") }
    }

    // So many levels take between 1 and 7 MiB, in debug and in release.
    @Test(
        arguments: ["demand", "fault", "fixed"],
        [("queue-sync", 2000), ("regex", 2000), ("json-encoder", 2000), ("dump", 5000), ("print", 20_000)])
    func otherFramesFinishAndTheOverflowIsAnError(_ strategy: String, _ at: (name: String, levels: Int)) throws {
        let result = try run(strategy, at.name, "\(at.levels)")
        #expect(result.ending == .exited(0), "\(result.output.suffix(2000))")
        for text in overflows + ["[1] in a queue"] { #expect(result.output.contains(text), "\(result.output)") }
    }

    @Test(
        arguments: ["demand", "fault"],
        [
            ("queue-sync", "libswiftDispatch.so"), ("regex", "libswift_StringProcessing.so"),
            ("json-encoder", "libFoundationEssentials.so"), ("print", "libswiftCore.so"),
        ])
    func recursionBeyondTheRoomOfTheSlotEndsTheProcess(
        _ strategy: String, _ at: (name: String, library: String)
    ) throws {
        let result = try run(strategy, at.name, "forever")
        #expect(result.ending == .signalled(SIGSEGV))
        let texts = [
            "faultline: a coroutine's stack overflowed inside code that may not be abandoned, and used up its reserve",
            "limit 1048576 bytes", "a frame of \(at.library) must return first: bound the recursion's depth",
        ]
        for text in texts { #expect(result.output.contains(text), "\(result.output.suffix(2000))") }
    }
}
