import Testing

@testable import Workloads

@Suite("Chains of calls in C", .serialized)
struct CallChainTests {
    @Test(arguments: CallChainWorkload.all)
    func `each call is made, with its check`(_ workload: CallChainWorkload) throws {
        let prepared = try workload.prepare(inputs: ["5000"])
        #expect(prepared.operations == 5000)
        for variant in [CodeVariant.plain, .checked] {
            let code = try CodeLoader().load(workload, variant: variant, layoutSeed: 3)
            #expect(try prepared.run(code).operations == 5000)
            let object = try MachineCode(try #require(code.path))
            let inner = try #require(object.own.first { $0.name == "inner" })
            #expect(inner.beginsWithCheck == (variant == .checked))
        }
    }

    @Test func `a part of a chain is one`() throws {
        #expect(try CallChainWorkload(kind: .name, depth: 1_000).prepare(inputs: ["1001"]).operations == 2000)
    }
}
