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

    @Test("threads that start together make one arena", arguments: [2, 8, 64]) func together(threads: Int) throws {
        for _ in 0..<10 {
            let result = try expectChild("together \(threads)", ends: .exited(0), writes: ["done"], seconds: 60)
            #expect(result.number("arenas") == 1)
        }
    }
}
