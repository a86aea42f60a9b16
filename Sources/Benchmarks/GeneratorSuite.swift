// One operation is: a loop takes the next element of a generator, and adds it up.

import Experiments
import Faultline
import Measurement
import Peers
import Report

public struct GeneratorSuite: BenchSuite {
    public let name = "generator"
    public let summary =
        "a loop takes the next element of a generator, beside a resume and suspend and the peers that are here"

    public func records(_ laboratory: Laboratory) throws -> [Record] {
        let element = MeasurementCase("element", body: takeElements)
        let peers = try PeerCases(.element, in: laboratory)
        return try peers.naming(
            Record.records(
                of: laboratory.measure(
                    name, [element, element.nullControl(), .api] + peers.cases, laboratory.batches),
                suite: name, comparisons: [(element.name, "api")] + peers.comparisons(of: element.name)))
    }
}

@inline(never)
private func takeElements(_ count: Int) throws {
    let elements = Generator<Int> { yield in
        for number in 0..<count { try yield.suspend(number) }
    }
    var (sum, taken) = (0, 0)
    for element in elements {
        sum &+= element
        taken += 1
    }
    guard taken == count else { throw MeasurementFailure("generator / element: \(taken) instead of \(count)") }
    keep(sum)
}
