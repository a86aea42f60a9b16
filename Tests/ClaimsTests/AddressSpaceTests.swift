import Experiments
import Report
import Testing

@testable import Claims

@Suite("address-space") struct AddressSpaceTests {
    private static let slot = 8.0 * 1_048_576

    private func verdict(
        narrow: Double = 384, wide: Double = 16_777_216, stacks: [String: Double], slot: Double = slot,
        goroutine: (space: Double, memory: Double)? = nil
    ) -> ClaimVerdict {
        func record(
            _ name: String, _ metric: Metric, _ value: Double, _ parameters: [ParameterName: ParameterValue] = [:]
        ) -> Record {
            AddressSpace().record(name, metric, exactly: value, parameters)
        }
        var records = [record("32 bits", .stacks, narrow), record("47 bits", .stacks, wide)]
        for (name, made) in stacks {
            var asked: [ParameterName: ParameterValue] = [.asked: 100_000]
            if made < 100_000 { asked[.refused] = "protect-write" }
            records.append(record(name, .stacks, made, asked))
            records.append(record(name, .slots, made * slot, asked))
            records.append(record(name, .addressSpace, 2 * made * slot, asked))
            records.append(record(name, .mappings, 7, asked))
        }
        if let goroutine {
            let shared: [ParameterName: ParameterValue] = [.count: 100_000, .initial: 8_388_608, .peer: "go1"]
            records.append(record(WaitingSubject.unchecked, .addressSpace, goroutine.space, shared))
            records.append(record(WaitingSubject.unchecked, .memory, goroutine.memory, shared))
        }
        return AddressSpace().verdict(on: records)
    }

    @Test func theArithmeticConfirmsItWhetherAllAreGrantedOrNot() {
        let verdict = verdict(stacks: ["guard-pages": 100_000, "prot-none": 32_710])
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.reason.contains("prot-none: 32710 until protect-write was refused, 7 more mappings"))
        #expect(verdict.measured.first?.median == 838_860_800_000)
        #expect(
            verdict.reason.hasPrefix(
                "781 GiB, 0.6 % of 47 bits, of 1.53 TiB, 1.19 % of 47 bits that are reserved; 32 bits"))
        #expect(verdict.reason.contains("hold 384 stacks of 8 MiB or 393216 of 8 KiB, 47 bits 16777216 of 8 MiB"))
        #expect(verdict.reason.contains("; 47 bits granted them: "))
        let few = self.verdict(stacks: ["prot-none": 32_710])
        #expect(few.verdict == .confirmed)
        #expect(few.reason.contains("; here 100,000 were not granted: "))
        // The space of 100,000 is still that of 100,000.
        #expect(few.measured.first?.median == 838_860_800_000)
    }

    @Test func whatGoroutinesTookIsSaidBeside() {
        let verdict = verdict(stacks: ["guard-pages": 100_000], goroutine: (8_400_000, 19_100))
        #expect(
            verdict.reason.contains(
                "; 100000 goroutines without checks on 8MiB took 782 GiB of it and 1.78 GiB of memory"))
        let name = "address space of 100000 goroutines without checks on 8MiB"
        #expect(verdict.measured.first { $0.name == name }?.median == 840e9)
        #expect(!self.verdict(stacks: ["guard-pages": 100_000]).reason.contains("goroutines"))
    }

    @Test func anotherSizeOrRoomIn32BitsRefutesIt() {
        #expect(verdict(stacks: ["guard-pages": 100_000], slot: Self.slot / 2).verdict == .refuted)
        #expect(verdict(narrow: 100_000, stacks: ["guard-pages": 100_000]).verdict == .refuted)
    }

    @Test func withoutStacksItIsNotMeasurable() {
        #expect(verdict(stacks: [:]).verdict == .notMeasurable)
    }
}
