// Ways of growing many stacks at once on several threads: what the claim `contention` and the suite of that name
// measure. Invariant: a sample in which another number of stacks grew, or otherwise than it should, is an error.

import Faultline
import Glibc
import Measurement
import Peers
import Report

/// One way, measured on any number of threads.
package struct ContendingGrowth {
    /// What records call it.
    package let name: String
    package let peer: String
    private let runner: Runner

    private enum Runner {
        /// The experiment `contention` with these options, which ask for stacks of that kind, in a process for each
        /// time.
        case experiment([String], StackConfiguration)
        case goroutines(PeerProgram)
    }

    /// How much is measured.
    package struct Settings {
        /// Rounds, in each of which every way takes its turn on every number of threads, in a process of its own: the
        /// number of samples.
        package let rounds: Int
        /// Phases of each process, whose median is its sample.
        package let phases: Int

        package init(rounds: Int, phases: Int) {
            (self.rounds, self.phases) = (rounds, phases)
        }
    }

    /// Numbers of threads that are tried.
    package static let threads = [1, 2, 4, 8, 16]
    package static var processors: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    private static let depths = [8 << 10, 16 << 10, 32 << 10, 64 << 10]
    private static func option(_ depths: [Int]) -> String {
        "depths=\(depths.map(String.init).joined(separator: ","))"
    }

    private init(_ name: String, _ options: [String], _ configuration: StackConfiguration = .init()) {
        (self.name, peer, runner) = (name, ParameterValue.thisLibrary.description, .experiment(options, configuration))
    }

    private init(_ name: String, peer: String, _ runner: Runner) {
        (self.name, self.peer, self.runner) = (name, peer, runner)
    }

    /// By trap and in place from 8 KiB to 128 KiB, each of four steps twice as far.
    package static func inPlace(_ name: String, _ kind: StackGuard) -> ContendingGrowth {
        ContendingGrowth(
            name, ["strategy=fault", "initial=8192", "guard=\(kind.rawValue)", option(depths), "growths=4"],
            StackConfiguration(strategy: .fault, guardKind: kind))
    }

    /// By one move of a stack of 16 KiB.
    package static func move(_ name: String, _ mover: PageMover, guard kind: StackGuard) -> ContendingGrowth {
        ContendingGrowth(
            name,
            [
                "strategy=fault-move", "initial=16384", "depths=16384", "growths=1", "mover=\(mover.rawValue)",
                "guard=\(kind.rawValue)",
            ], StackConfiguration(strategy: .faultMove, guardKind: kind, mover: mover))
    }

    /// The same stores as in place, for which the kernel alone supplies pages.
    package static func kernel(_ name: String) -> ContendingGrowth {
        ContendingGrowth(name, ["strategy=demand", option(depths), "growths=0"])
    }

    /// Four stores on one page, which is there, and computation between them: work for which threads share nothing.
    package static func computation(_ name: String) -> ContendingGrowth {
        ContendingGrowth(name, ["strategy=demand", "depths=1024,1024,1024,1024", "growths=0", "calls=3000"])
    }

    /// Tasks that descend as many bytes of asynchronous frames as stacks in place grow by. A task's memory grows by
    /// pieces of a kilobyte that its allocator takes from the heap; a quarter of the descent counts as one growth.
    package static func tasks(_ name: String) -> ContendingGrowth {
        ContendingGrowth(
            name, ["kind=task", "bytes=\((128 << 10) - (8 << 10))", option(depths), "growths=0"])
    }

    /// Goroutines, whose stacks grow from 2 KiB to 128 KiB, with as many processors of Go's as threads.
    package static func goroutines(_ name: String, _ program: PeerProgram) -> ContendingGrowth {
        ContendingGrowth(name, peer: program.version, .goroutines(program))
    }

    /// What a process says of one growth: medians of its phases, in nanoseconds.
    package struct Sample {
        /// Of all threads.
        let processorTime: Double
        /// From the begin of all to the end of the last, by the number of growths: with it threads wait, too. Nil where
        /// they do other things between.
        let elapsedTime: Double?

        fileprivate init(processor: [Double], elapsed: [Double] = []) throws {
            processorTime = try Statistics.median(processor)
            elapsedTime = elapsed.isEmpty ? nil : try Statistics.median(elapsed)
        }
    }

    /// The sample of a new process; nil where this machine lacks what it needs, which is then named.
    private func sample(_ threads: Int, phases: Int, _ laboratory: Laboratory) throws -> Sample? {
        switch runner {
        case .experiment(let options, let configuration):
            guard try laboratory.offers(configuration, for: name) else { return nil }
            let findings = try laboratory.experiment(
                "contention", ["threads=\(threads)", "phases=\(phases)"] + options)
            guard findings.succeeded else { throw findings.failure("the stacks did not all grow") }
            if let mover = configuration.mover, findings[.moves(by: mover)] == nil {
                laboratory.missing("\(name) is not measured: this kernel moves pages otherwise")
                return nil
            }
            let stores = try findings.number(.stores)
            return try Sample(
                processor: (0..<phases).map { try findings.number(.processorTime(phase: $0)) / stores },
                elapsed: (0..<phases).map { try findings.number(.elapsed(phase: $0)) / stores })
        case .goroutines(let program):
            try laboratory.step("contention: \(program.version) on \(threads) processors")
            let conversation = try program.converse()
            defer { conversation.end() }
            // From 2 KiB to 128 KiB. The first phase warms up.
            let request = "contend 1 \(threads) 400"
            _ = try conversation.numbers(request, atLeast: 3)
            return try Sample(
                processor: (0..<phases).map { _ in
                    let answer = try conversation.numbers(request, atLeast: 3)
                    guard answer[1] > 0 else { throw MeasurementFailure("\(program.version) grew no stack") }
                    return Double(answer[2]) / Double(answer[1])
                })
        }
    }

    // MARK: measuring several

    /// Every way on every number of threads, in an order drawn anew for each round.
    package static func measure(
        _ ways: [ContendingGrowth], _ settings: Settings, _ laboratory: Laboratory
    ) throws -> Measurements {
        let turns = ways.indices.flatMap { way in threads.map { (way: way, threads: $0) } }
        var samples = Array(repeating: [Sample](), count: turns.count)
        var random = SeededGenerator(seed: laboratory.seed)
        for _ in 0..<settings.rounds {
            for index in random.permutation(of: turns.count) {
                let turn = turns[index]
                if let sample = try ways[turn.way].sample(turn.threads, phases: settings.phases, laboratory) {
                    samples[index].append(sample)
                }
            }
        }
        let byTurn = zip(turns, samples).map { Measurements.Turn(way: ways[$0.way], threads: $0.threads, samples: $1) }
        return Measurements(turns: byTurn.filter { !$0.samples.isEmpty }, seed: laboratory.seed)
    }

    package struct Measurements {
        package struct Turn {
            package let way: ContendingGrowth
            package let threads: Int
            package let samples: [Sample]

            fileprivate var processorTimes: [Double] { samples.map(\.processorTime) }

            package var parameters: [ParameterName: ParameterValue] {
                [
                    .peer: .string(way.peer), .threads: .int(threads),
                    .processors: .int(ContendingGrowth.processors),
                ]
            }
        }

        package let turns: [Turn]
        package let seed: UInt64

        /// The processor time of each and its ratio to that on one thread; elapsed time.
        package func records(suite: String) throws -> [Record] {
            var records: [Record] = []
            for turn in turns {
                records.append(
                    Record(
                        suite: suite, case: turn.way.name, metric: .time,
                        estimate: try Estimate.median(of: turn.processorTimes), parameters: turn.parameters))
                let elapsed = turn.samples.compactMap(\.elapsedTime)
                if !elapsed.isEmpty {
                    records.append(
                        Record(
                            suite: suite, case: turn.way.name, metric: .elapsedTime,
                            estimate: try Estimate.median(of: elapsed), parameters: turn.parameters))
                }
                guard turn.threads > 1, let alone = find(turn.way.name, turn.way.peer, threads: 1) else { continue }
                records.append(
                    .ratio(
                        suite: suite, case: turn.way.name, baseline: "1 thread",
                        estimate: try Estimate.ratio(of: turn.processorTimes, to: alone.processorTimes),
                        parameters: turn.parameters))
            }
            return records
        }

        /// The ratio of the case `name` to `baseline`, on each number of threads on which both were measured.
        package func ratios(suite: String, _ name: String, to baseline: String, isNull: Bool = false) throws -> [Record]
        {
            try turns.filter { $0.way.name == name }.compactMap { turn in
                guard let other = find(baseline, nil, threads: turn.threads) else { return nil }
                var parameters = turn.parameters
                if isNull { parameters[.nullControl] = true }
                if other.way.peer != turn.way.peer { parameters[.baselinePeer] = .string(other.way.peer) }
                return .ratio(
                    suite: suite, case: name, baseline: baseline,
                    estimate: try Estimate.ratio(of: turn.processorTimes, to: other.processorTimes),
                    parameters: parameters)
            }
        }

        private func find(_ name: String, _ peer: String?, threads: Int) -> Turn? {
            turns.first { $0.way.name == name && (peer == nil || $0.way.peer == peer) && $0.threads == threads }
        }
    }
}
