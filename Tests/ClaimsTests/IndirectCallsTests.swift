import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("indirect-calls") struct IndirectCallsTests {
    /// By how much checks cost calls more than others: of indirect ones beyond those by name, by their kind and the
    /// length of the chain, and of long chains beyond short ones, by the kind.
    private struct Further {
        var closure = (flat: 0.2, deep: 0.2)
        var interface = (flat: 0.3, deep: 0.3)
        var long = [0.1, 0.1, 0.1]
        /// In C; nil where that was not measured.
        var pointer: (flat: Double, deep: Double)? = (0.1, 0.1)
        var longInC = [0.1, 0.1]
        var null = 0.0

        var records: [Record] {
            var kinds = [("closure", closure), ("interface", interface)]
            if let pointer { kinds.append(("pointer", pointer)) }
            let indirect = kinds.flatMap { kind, values in
                [(10, values.flat), (1_000, values.deep)].map { depth, value in
                    (kind, value, [ParameterName.depth: ParameterValue.int(depth)])
                }
            }
            let chains =
                Array(zip(["direct", "closure", "interface"], long))
                + (pointer == nil ? [] : Array(zip(["name", "pointer"], longInC)))
            let deep = chains.map { kind, value in
                (IndirectCalls.deepChains, value, [ParameterName.kind: ParameterValue.string(kind)])
            }
            return (indirect + deep).flatMap { name, value, parameters in
                [
                    record(name, null, parameters.merging([.nullControl: true]) { $1 }),
                    record(name, value, parameters),
                ]
            }
        }

        private func record(
            _ name: String, _ value: Double, _ parameters: [ParameterName: ParameterValue]
        ) -> Record {
            IndirectCalls().record(
                name, .furtherPerCall, Estimate(median: value, low: value - 0.02, high: value + 0.02, samples: 15),
                parameters)
        }
    }

    private func verdict(_ further: Further, _ others: [Record] = []) -> ClaimVerdict {
        IndirectCalls().verdict(on: others + further.records)
    }

    @Test func moreOfEachKindAtEachDepthConfirmsIt() {
        let verdict = verdict(Further(closure: (0.2, 0.25), interface: (0.3, 0.35)))
        #expect(verdict.verdict == .confirmed)
        let own = verdict.measured.filter { figure in IndirectCalls().claimed.contains { $0.name == figure.name } }
        #expect(own.map(\.median) == [0.2, 0.25, 0.3, 0.35, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])
        #expect(own.count == IndirectCalls().claimed.count)
        #expect(own[1].name == "what checks cost a call by a closure, beyond one by name, chains of 1,000")
        #expect(own[4].name == "what checks cost a call by a pointer in C, beyond one by name, chains of 10")
        #expect(own[8].name == "what checks cost a call by an interface in a chain of 1,000, beyond one of 10")
        #expect(
            verdict.reason.contains("checks cost calls by a pointer in C in chains of 10, beyond those by name in C"))
        #expect(!verdict.reason.contains("not measured"))
    }

    @Test func whatWasMeasuredInGoAloneIsJudgedAndSaysSo() {
        let verdict = verdict(Further(pointer: nil))
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.reason.hasSuffix("; calls in C were not measured"))
    }

    @Test func callsInCMayDiffer() {
        let less = verdict(Further(pointer: (-0.1, -0.1)))
        #expect(less.verdict == .depends)
        #expect(less.reason.contains("not more by a pointer in C in chains of 10 -0.1 ns"))
    }

    @Test func lessOfEachKindRefutesItAndIsNamed() {
        let verdict = verdict(Further(closure: (-0.2, -0.2), interface: (-0.3, -0.3), pointer: (-0.1, -0.1)))
        #expect(verdict.verdict == .refuted)
        #expect(
            verdict.reason.contains(
                "does not hold: checks cost calls by a closure in chains of 10, beyond those by name, -0.2 [-0.22, "
                    + "-0.18"
            ))
        #expect(self.verdict(Further(long: [-0.1, -0.1, -0.1], longInC: [-0.1, -0.1])).verdict == .refuted)
        // Both must hold: what depends in one part does not save what the other part refutes.
        #expect(
            self.verdict(Further(interface: (-0.3, -0.3), long: [-0.1, -0.1, -0.1], longInC: [-0.1, -0.1])).verdict
                == .refuted)
        // One that is less and none that is more.
        #expect(self.verdict(Further(closure: (-0.2, 0), interface: (0, 0), pointer: (0, 0))).verdict == .refuted)
    }

    @Test func itDependsOnTheKindOfCallWhereKindsDiffer() {
        let less = verdict(Further(interface: (-0.3, -0.3), pointer: nil))
        #expect(less.verdict == .depends)
        #expect(
            less.reason.hasPrefix(
                "it depends on the kind of call: more by a closure in chains of 10 0.2 ns, by a closure in chains of "
                    + "1,000 0.2 ns, not more by an interface in chains of 10 -0.3 ns, by an interface in chains of "
                    + "1,000 -0.3 ns. "
            ))
        // Not told from none, and certainly less than the other kind.
        #expect(verdict(Further(interface: (0, 0.01), pointer: nil)).verdict == .depends)
        // So are long chains.
        let long = verdict(Further(long: [0.1, 0.1, -0.1], pointer: nil))
        #expect(long.verdict == .depends)
        #expect(
            long.reason.contains(
                "it depends on the kind of call: more by name in chains of 1,000 0.1 ns, by a closure in chains of "
                    + "1,000 0.1 ns, not more by an interface in chains of 1,000 -0.1 ns"))
    }

    @Test func aKindThatIsMoreAtOneDepthAloneDependsOnThatToo() {
        let verdict = verdict(Further(closure: (0.2, -0.2), pointer: nil))
        #expect(verdict.verdict == .depends)
        #expect(
            verdict.reason.hasPrefix(
                "it depends on the kind of call and the length of its chain: more by a closure in "))
    }

    @Test func whatIsOpenBesideMoreDecidesNothing() {
        // Its interval holds zero and reaches into that of the other kind: neither none nor less.
        #expect(
            verdict(Further(closure: (0.03, 0.03), interface: (0.01, 0.01), pointer: (0.03, 0.03))).verdict
                == .notDistinguishable)
        #expect(verdict(Further(long: [0.03, 0.03, 0], longInC: [0.03, 0.03])).verdict == .notDistinguishable)
    }

    @Test func aDifferenceFromZeroThatItsNullControlHasTooDecidesNothing() {
        #expect(
            verdict(Further(closure: (0.2, 0.2), interface: (0.2, 0.2), pointer: (0.2, 0.2), null: 0.19)).verdict
                == .notDistinguishable)
        #expect(verdict(Further(closure: (0, 0), interface: (0, 0), pointer: (0, 0))).verdict == .notDistinguishable)
    }

    @Test func whatSingleChainsCostIsAFigure() {
        let single = IndirectCalls().record(
            "closure", .checksPerCall, Estimate(median: 0.4, low: 0.3, high: 0.5, samples: 15), [.depth: 10])
        let verdict = verdict(Further(), [single])
        #expect(verdict.measured.last?.name == "what checks cost a call by a closure, chains of 10")
        #expect(verdict.measured.last?.median == 0.4)
    }

    @Test func everyKindAndDepthAndItsNullControlAreNeeded() {
        let all = Further().records
        for place in all.indices {
            var others = all
            others.remove(at: place)
            let verdict = IndirectCalls().verdict(on: others)
            #expect(verdict.verdict == .notMeasurable)
            let isNull = all[place].parameters[.nullControl] == true
            #expect(verdict.reason.hasPrefix(isNull ? "no null control of what checks" : "no record of what checks"))
        }
    }
}
