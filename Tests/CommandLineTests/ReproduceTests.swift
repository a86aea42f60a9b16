import Foundation
import Report
import Testing

struct ReproduceTests {
    /// What `faultline claims` lists.
    private static var identifiers: [String] {
        get throws {
            let ending = try Program.run(["claims", "--format", "json"])
            return try #require(Document(json: ending.output).claims).map(\.claim)
        }
    }

    @Test func `the claims are listed with their authors and their numbers`() throws {
        let ending = try Program.run(["claims"])
        #expect(ending.status == 0)
        #expect(ending.errors == "")
        for identifier in try Self.identifiers { #expect(ending.output.contains("\(identifier): ")) }
        #expect(ending.output.contains("claimed: crossings of one growth: at least 4\n"))
    }

    @Test func `an unknown claim lists the valid ones`() throws {
        let ending = try Program.run(["reproduce", "trap-cots"])
        let names = try Self.identifiers.joined(separator: ", ")
        #expect(ending.errors == "error: unknown claim 'trap-cots'; choose from: \(names)\n")
        #expect(ending.output == "")
        #expect(ending.status == 64)
    }

    @Test func `one claim gives its records and its verdict`() throws {
        let ending = try Program.run(["reproduce", "trap-cost", "--quick", "--format", "json"])
        #expect(ending.errors == "")
        #expect(ending.status == 0)
        let document = try Document(json: ending.output)
        #expect(document.verdicts?.map(\.claim) == ["trap-cost"])
        #expect(Set(document.records.map(\.suite)) == ["trap-cost"], "\(document.verdicts?.first?.reason ?? "")")
        // A page that the kernel supplies unseen is one entry and one return; a trap has those of the signal besides.
        let crossings = document.records.filter {
            $0.metric == "crossings" && $0.parameters[ParameterName("strategy")] != "check-move"
        }
        for record in crossings {
            #expect(record.name == "demand" ? record.median == 0 : record.median >= 6, "\(record.name)")
        }
        let supplied = document.records.filter { $0.metric == "crossings-demand-faults" && $0.name == "demand" }
        #expect(supplied.allSatisfy { $0.median == 2 })
    }

    @Test func `quick and full exclude each other`() throws {
        let ending = try Program.run(["reproduce", "--quick", "--full"])
        #expect(ending.status == 64)
        #expect(ending.errors.split(separator: "\n").count == 1)
    }

    @Test func `an interrupted run names the missing claims`() throws {
        let ending = try Program.run(["reproduce", "trap-cost", "--full", "--format", "json"]) { process in
            try waitUntil("it has its handler, or has ended") { Self.catchesInterrupts(process) }
            process.interrupt()
        }
        #expect(ending.errors == "error: interrupted; not finished: trap-cost\n")
        #expect(try Document(json: ending.output).verdicts == [])
        #expect(ending.status == 130)
    }

    /// Whether the process has a handler for SIGINT, or has ended.
    private static func catchesInterrupts(_ process: Process) -> Bool {
        let status = try? String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
        guard process.isRunning, let line = status?.split(separator: "\n").first(where: { $0.hasPrefix("SigCgt:") })
        else { return true }
        let mask = line.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) } ?? 0
        return mask >> UInt64(SIGINT - 1) & 1 == 1
    }
}
