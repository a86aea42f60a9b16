import Glibc
import Testing

@Suite("What programs take") struct MeasuredProcessTests {
    /// What `faultline experiment measured-process` found, by key.
    private static func findings(_ program: String, _ arguments: [String] = [], _ options: String...) throws -> [String:
        String]
    {
        let numbered = arguments.enumerated().map { "argument-\($0.offset + 1)=\($0.element)" }
        return try Program.findings(["measured-process", "program=\(program)"] + numbered + options)
    }

    private static func number(_ findings: [String: String], _ key: String) throws -> Int {
        try #require(findings["1/\(key)"].flatMap { Int($0) }, "\(key) of \(findings)")
    }

    @Test("a program's output, ending and arguments are its own, although a shell starts it") func ending() throws {
        let findings = try Self.findings(
            "/bin/sh", ["-c", "echo \"$1\"; echo problem >&2; exit 7", "name", "two  words; $HOME"])
        #expect(findings["1/ending"] == "exited with 7")
        #expect(findings["1/output"] == "two  words; $HOME\n".debugDescription)
        #expect(findings["1/errors"] == "problem\n".debugDescription)
    }

    @Test("the peak of memory is the program's, not that of the process that starts it") func peak() throws {
        let findings = try Self.findings("/bin/true", [], "resident=\(96 << 20)")
        #expect(try (100 << 10..<32 << 20).contains(Self.number(findings, "peak-resident")))
        #expect(try Self.number(findings, "minor-faults") > 10)
    }

    @Test("processor time is counted") func processorTime() throws {
        let busy = try Self.findings("/bin/sh", ["-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"])
        let idle = try Self.findings("/bin/true")
        #expect(try Self.number(busy, "processor-nanoseconds") > Self.number(idle, "processor-nanoseconds"))
    }

    @Test("one that does not end is killed with what it started, which nothing else waits for") func timeLimit() throws
    {
        let findings = try Self.findings("/bin/sh", ["-c", "sleep 600 & echo $!; wait"], "seconds=1")
        #expect(findings["1/ending"] == "did not end in time")
        let number = try #require(findings["1/output"].flatMap { pid_t($0.filter(\.isNumber)) })
        // Ended and not yet waited for by the process that has adopted it is gone as well.
        try waitUntil("it is gone") { kill(number, 0) != 0 || Self.state(of: number) == "Z" }
    }

    private static func state(of process: pid_t) -> Character? {
        guard let file = fopen("/proc/\(process)/stat", "re") else { return nil }
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: 512)
        guard fgets(&buffer, Int32(buffer.count), file) != nil else { return nil }
        let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return text.split(separator: ")").last?.first { $0 != " " }
    }

    @Test("what cannot be started ends as a shell says it") func missing() throws {
        // A shell reaps a child that ends before it does: often enough to see that happen.
        let findings = try Self.findings("/nonexistent/program", [], "rounds=50")
        for round in 1...50 {
            #expect(findings["\(round)/ending"] == "exited with 127")
            #expect(findings["\(round)/errors"]?.contains("/nonexistent/program") == true)
        }
    }
}
