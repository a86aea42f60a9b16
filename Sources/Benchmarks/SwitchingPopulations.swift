// One operation is one resume and suspend of the next of many coroutines, in turn: with more of them, their stacks come
// out of caches further away. Beside them goroutines that yield in turn on one processor, and coroutines whose stacks
// all begin at the top of their page, so that what is used of each falls into the same few sets of a cache.

import Experiments
import Faultline
import Measurement
import Peers
import Report

struct SwitchingPopulations {
    let suite: String

    static let sizes = [2, 100, 10_000, 100_000]
    /// Operations of a sample at least, where a turn of all takes fewer.
    private static let minimumOperations = 20_000

    func records(_ laboratory: Laboratory) throws -> [Record] {
        let peer = try laboratory.newestGoroutines()
        return try Self.sizes.flatMap { try records(of: $0, peer, laboratory) }
            + SwitchingMisses(suite: suite).records(laboratory)
    }

    private func records(
        of size: Int, _ peer: (program: Conversation, version: String)?, _ laboratory: Laboratory
    ) throws -> [Record] {
        let (population, aligned) = try SwitchingPopulation.pair(size)
        let own = "api-\(size)"
        let unstaggered = "unstaggered-\(size)"
        let goroutines = "goroutines-\(size)"
        let api = MeasurementCase(own) { try population.resume($0) }
        var cases = [api, api.nullControl(), MeasurementCase(unstaggered) { try aligned.resume($0) }]
        var comparisons = [(case: own, baseline: unstaggered)]
        var parameters: [ParameterName: ParameterValue] = [.coroutines: .int(size)]
        if let peer {
            cases.append(try .asking(goroutines, peer.program, "turns-among", size))
            comparisons.append((own, goroutines))
            parameters[.peer] = .string(peer.version)
        }
        return try Record.records(
            of: laboratory.measure(
                "\(suite): \(size)", cases, laboratory.repetitions(max(size, Self.minimumOperations), rounds: 41)),
            suite: suite, comparisons: comparisons, parameters: parameters)
    }
}
