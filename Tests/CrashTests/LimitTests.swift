import TestNeeds
import Testing

/// What the process may map is limited: stacks take what there is, and an error names the limit.
@Suite("Limits of the process") struct Limits {
    @Test("the default works with what there is", arguments: ["as", "data"], [64 << 20, 256 << 20, 1 << 30, 4 << 30])
    func limited(resource: String, bytes: Int) throws {
        let result = try expectChild("limited \(resource) \(bytes)", ends: .exited(0), writes: ["done"], seconds: 120)
        // Slots of 8 MiB; a quarter may be lost to smaller and smaller arenas, to tables and to the heap.
        let made = try #require(result.number("made"))
        #expect(made >= max(2, bytes / (8 << 20) / 2), "\(result.output)")
        let name = resource == "as" ? "RLIMIT_AS allows" : "RLIMIT_DATA allows"
        #expect(result.output.contains("error: no stack: arena-") && result.output.contains(name), "\(result.output)")
    }

    @Test("the first stack is made where a thread ends", arguments: [0, 16 << 10, 64 << 10, 150 << 10])
    func headroom(bytes: Int) throws { try expectChild("headroom \(bytes)", ends: .exited(0), writes: ["done"]) }

    @Test("threads that start together make one arena", arguments: [2, 8, 64]) func together(threads: Int) throws {
        for _ in 0..<10 {
            let result = try expectChild("together \(threads)", ends: .exited(0), writes: ["done"], seconds: 60)
            #expect(result.number("arenas") == 1)
        }
    }

    private static let (current, future, onFault) = (1, 2, 4)

    private func locked(_ when: String, _ flags: Int, _ limit: String) throws -> ChildResult {
        let result = try expectChild(
            "locked \(when) \(flags) \(limit)", ends: .exited(0), writes: ["done"], seconds: 60)
        // An arena that the kernel fills has 64 GiB; what is used here takes less than 20 MiB at a time.
        #expect(try #require(result.number("resident")) < 150, "\(result.output)")
        return result
    }

    @Test(
        "no stack is locked by mlockall", .needs(.guardPages), arguments: ["before", "after"],
        [current, future, current | future, current | onFault, future | onFault, current | future | onFault])
    func mlockall(when: String, flags: Int) throws {
        #expect(!(try locked(when, flags, "none")).output.contains("error"))
    }

    @Test(
        "no stack is locked by mlockall where no more may be locked", .needs(.guardPages),
        arguments: [
            ("before", future), ("before", future | onFault), ("after", future), ("after", future | onFault),
        ])
    func mlockallWithinALimit(when: String, flags: Int) throws {
        #expect(!(try locked(when, flags, "\(4 << 20)")).output.contains("error"))
    }

    @Test("where RLIMIT_MEMLOCK is too little, the error names it") func mlockallBeyondALimit() throws {
        let output = try locked("before", Self.future, "\(256 << 10)").output
        #expect(output.contains(/error: [^\n]*RLIMIT_MEMLOCK allows 262144 bytes/), "\(output)")
    }
}
