import Testing

@testable import Workloads

@Suite("Calls of every size", .serialized)
struct CallSizeTests {
    @Test("calls do their work and have a check each", arguments: [1, 10, 301])
    func calls(_ instructions: Int) throws {
        let workload = CallSizeWorkload(instructions: instructions)
        let prepared = try workload.prepare(inputs: ["1000"])
        for variant in [CodeVariant.plain, .checked, .padded] {
            let code = try CodeLoader().load(workload, variant: variant, layoutSeed: 3)
            #expect(try prepared.run(code).operations == 1008)
            let object = try MachineCode(try #require(code.path))
            let work = try #require(object.own.first { $0.name == "work" })
            #expect(work.beginsWithCheck == (variant == .checked))
            // No instruction of work is below 4 bytes.
            #expect(work.code.count > 4 * instructions && work.code.count < 4 * instructions + 100)
        }
    }

    @Test("layouts move the function by less than a line too")
    func layouts() throws {
        let workload = CallSizeWorkload(instructions: 1)
        let offsets = try (1...6).map { seed in
            let code = try CodeLoader().load(workload, variant: .plain, layoutSeed: UInt32(seed))
            let object = try MachineCode(try #require(code.path))
            return try #require(object.own.first { $0.name == "work" }).address % 16
        }
        #expect(Set(offsets).count > 1)
    }

    @Test("every workload that is measured has short inputs")
    func shortRuns() throws {
        for workload in Workloads.all {
            let (timed, counted) = (
                try ShortRuns.prepare(workload, .timed), try ShortRuns.prepare(workload, .counted)
            )
            #expect(counted.operations < timed.operations)
            let code = try CodeLoader().load(workload, variant: .plain)
            let result = onLargeStack { Result { try counted.run(code) } }
            #expect(try result.get().operations == counted.operations)
        }
    }
}
