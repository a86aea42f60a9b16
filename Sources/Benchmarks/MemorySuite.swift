// What a coroutine that waits takes in all: its pages, page tables and what the library keeps, with its page or
// without; beside it a goroutine and a Swift task. Each sample is a process of its own.

import Experiments
import Faultline
import Measurement
import Report

public struct MemorySuite: BenchSuite {
    public let name = "memory"
    public let summary =
        "bytes of a coroutine that waits, in slots of 8 MiB and 64 KiB, and hibernated, beside Go and Swift tasks"

    /// How a case is made, and what must be free beside what it takes.
    private struct Case {
        let name: String
        let options: [String]
        let parameters: [ParameterName: ParameterValue]
        /// What one takes at most, in bytes, to tell whether they have room here.
        let atMost: Int
        let counts: [Int]

        static let all = [
            Case(
                name: "suspended-8MiB", options: ["strategy=fault"],
                parameters: [.strategy: .string("fault"), .slot: .int(8 << 20)],
                atMost: 9_200, counts: [100_000, 1_000_000]),
            Case(
                name: "suspended-64KiB-slot", options: ["strategy=fault-move"],
                parameters: [.strategy: .string("fault-move"), .slot: .int(64 << 10)],
                atMost: 5_000, counts: [100_000, 1_000_000]),
            Case(
                name: "hibernated", options: ["strategy=fault-move", "hibernate=1", "wake=10000"],
                parameters: [.strategy: .string("fault-move"), .slot: .int(64 << 10)],
                atMost: 1_000, counts: [100_000, 1_000_000, 10_000_000]),
            // By sweeps while they are made, and one at the end.
            Case(
                name: "hibernated-by-policy", options: ["strategy=fault-move", "idle=0", "sweeps=1", "wake=10000"],
                parameters: [.strategy: .string("fault-move"), .slot: .int(64 << 10)],
                atMost: 1_000, counts: [100_000, 1_000_000]),
        ]
    }

    /// What a goroutine and a task take at most, in bytes.
    private static let atMostOfPeers = 4_000
    private static let whole = Metric("bytes-per-coroutine", .bytes)
    private static let bookkeeping = Metric("bookkeeping", .bytes)
    private static let wakeUp = Metric("wake-up", .nanoseconds)
    /// From here on they take a while and vary little: one sample.
    private static let many = 1_000_000

    public func records(_ laboratory: Laboratory) throws -> [Record] {
        func counts(_ all: [Int]) -> [Int] { laboratory.isQuick ? [20_000] : all }
        var records: [Record] = []
        for subject in Case.all {
            for count in counts(subject.counts)
            where laboratory.hasRoom(for: count, subject.name, ofBytes: subject.atMost) {
                records += try measured(subject, count, laboratory)
            }
        }
        laboratory.note(
            "bytes-per-coroutine is resident and page-tables; bookkeeping is resident too and counted there")
        let program = try laboratory.newestGoStackProgram()
        for count in counts([100_000, 1_000_000])
        where laboratory.hasRoom(for: count, "task", ofBytes: Self.atMostOfPeers) {
            var peers = [
                WaitingSubject.own(WaitingSubject.task, kind: .task, count: count, parameters: [.peer: "swift"])
            ]
            if let program { peers.append(.go(program, count: count)) }
            for (peer, samples) in zip(peers, try laboratory.samples(peers, rounds: rounds(count, laboratory))) {
                records += try measured(peer, samples, laboratory)
            }
        }
        return records
    }

    private func rounds(_ count: Int, _ laboratory: Laboratory) -> Int {
        count >= Self.many ? 1 : laboratory.isQuick ? 3 : 5
    }

    /// Of the same metrics, as far as a peer has them.
    private func measured(
        _ peer: WaitingSubject, _ samples: [WaitingSample], _ laboratory: Laboratory
    ) throws -> [Record] {
        let parameters = peer.parameters.merging([.count: .int(peer.count)]) { own, _ in own }
        let parts: [(Metric, (WaitingSample) -> Double)] = [
            (Self.whole, \.memory), (.pageTables, \.pageTables), (.resident, \.resident),
        ]
        return try parts.map { metric, part in
            Record(
                suite: name, case: peer.name, metric: metric, estimate: try Estimate.median(of: samples.map(part)),
                parameters: parameters)
        }
    }

    private func measured(_ subject: Case, _ count: Int, _ laboratory: Laboratory) throws -> [Record] {
        var samples: [Metric: [Double]] = [:]
        for _ in 0..<rounds(count, laboratory) {
            let findings = try laboratory.experiment(
                "waiting", ["kind=coroutine", "count=\(count)"] + subject.options, seconds: 590)
            guard findings.succeeded else {
                laboratory.missing("\(count) of '\(subject.name)': \(findings.failure("not all of them wait"))")
                return []
            }
            for (metric, value) in try Self.metrics(findings, count) { samples[metric, default: []].append(value) }
        }
        var parameters = subject.parameters
        parameters[.count] = .int(count)
        return try samples.sorted { $0.key.name < $1.key.name }.map { metric, values in
            Record(
                suite: name, case: subject.name, metric: metric, estimate: try Estimate.median(of: values),
                parameters: parameters)
        }
    }

    /// By metric; bytes are those of one coroutine. Bookkeeping is resident memory too, and part of it.
    static func metrics(_ findings: Findings, _ count: Int) throws -> [Metric: Double] {
        let one = Double(count)
        let resident = try findings.number(.resident) / one
        let pageTables = try findings.number(.pageTables) / one
        var metrics: [Metric: Double] = [
            whole: resident + pageTables, .resident: resident, .pageTables: pageTables,
            bookkeeping: try findings.number(.bookkeeping) / one,
            .mappings: try findings.number(.mappings),
        ]
        if findings[.wakeUp] != nil { metrics[wakeUp] = try findings.number(.wakeUp) }
        return metrics
    }
}
