// One operation is one resume and suspend of the next of many coroutines, in turn: with more of them, their stacks come out
// of caches further away. Beside them goroutines that yield in turn on one processor.

import Faultline
import Measurement
import Peers
import Report

struct SwitchingPopulations {
    let suite: String

    static let sizes = [2, 100, 10_000, 100_000]
    /// Operations of a sample at least, where a turn of all takes fewer.
    private static let leastOperations = 20_000

    func records(_ laboratory: Laboratory) throws -> [Record] {
        let toolchain = laboratory.go.last
        let program = try toolchain.flatMap { try converse($0, laboratory) }
        if toolchain == nil { laboratory.missing(GoToolchain.remedy) }
        return try Self.sizes.flatMap { try records(of: $0, program, toolchain, laboratory) }
    }

    private func converse(_ toolchain: GoToolchain, _ laboratory: Laboratory) throws -> Conversation? {
        try laboratory.step("\(suite): building with \(toolchain.version)")
        do throws(PeerUnavailable) {
            let program = try toolchain.program(.stacks)
            do throws(PeerFailure) { return try program.converse() } catch { throw PeerUnavailable("\(error)") }
        } catch {
            laboratory.missing("goroutines are not measured: \(error)")
            return nil
        }
    }

    private func records(
        of size: Int, _ program: Conversation?, _ toolchain: GoToolchain?, _ laboratory: Laboratory
    ) throws -> [Record] {
        let population = try Population(size)
        let own = "api-\(size)"
        let goroutines = "goroutines-\(size)"
        let api = MeasurementCase(own) { try population.resume($0) }
        var cases = [api, api.nullControl()]
        var comparisons: [(case: String, baseline: String)] = []
        var parameters: [String: ParameterValue] = ["coroutines": .int(size)]
        if let program, let toolchain {
            cases.append(try .asking(goroutines, program, "turns-among", size))
            comparisons = [(own, goroutines)]
            parameters["peer"] = .string(toolchain.version)
        }
        return try Record.records(
            of: laboratory.measure(
                "\(suite): \(size)", cases, laboratory.repetitions(max(size, Self.leastOperations), rounds: 41)),
            suite: suite, comparisons: comparisons, parameters: parameters)
    }

    /// Coroutines that wait, and which is next. They belong to the thread that made them, which is the one that measures.
    private final class Population: @unchecked Sendable {
        private let coroutines: [Coroutine<Int, Int, Void>]
        private var next = 0

        init(_ size: Int) throws {
            coroutines = try (0..<size).map { _ in
                let coroutine = try Coroutine<Int, Int, Void>(
                    configuration: StackConfiguration(reservation: 64 << 10)
                ) { co, first in
                    var input = first
                    while true { input = try co.suspend(input &+ 1) }
                }
                _ = try coroutine.resume(0)
                return coroutine
            }
        }

        @inline(never)
        func resume(_ count: Int) throws {
            var sum = 0
            for round in 0..<count {
                guard case .suspended(let output) = try coroutines[next].resume(round) else {
                    throw MeasurementFailure("a coroutine has ended")
                }
                sum &+= output
                next += 1
                if next == coroutines.count { next = 0 }
            }
            keep(sum)
        }
    }
}
