// "All pointers to a stack are on that stack", so that a stack can be moved by correcting what is on it.
//
// A Go program whose goroutines wait in every way is searched for words that hold an address of one of their stacks.
// What decides is words outside of it, in records of the runtime that point to what is on the stack: copystack in
// runtime/stack.go corrects each of them by hand (adjustsudogs, adjustdefers, adjustpanics). What says where a stack is
// and how far it is used (bounds, saved registers, the allocator's records) is no pointer to a variable and does not
// count.
// Words that were left behind, and words of which it cannot be told what they are, are figures of their own. What is
// claimed was said of Go, and its newest version decides.
//
// Beside it programs in C, in Swift and in C for Python, whose compilers promise nothing of the kind: how often an
// address that had been kept elsewhere was used after their stack had moved. Such uses are counted, not addresses.

import Experiments
import Measurement
import Peers
import Report

extension Metric {
    /// In memory, each with an address of a stack.
    static let words = Metric("words", .count)
    static let moves = Metric("moves", .count)
    /// Uses of an address of where a stack was.
    static let forwards = Metric("forwards", .count)
}

extension ParameterName {
    /// A kind of place.
    static let place = ParameterName("place")
    static let goroutines = ParameterName("goroutines")
}

extension Figure {
    static let pointersOutside = Figure("addresses outside of their stack, in records of Go's runtime", .count)
    static let pointersOnStack = Figure("addresses on their own stack", .count)
    static let waitingGoroutines = Figure("goroutines that wait", .count)
}

public struct PointersOnStack: Claim {
    public init() {}

    public let identifier = "pointers-on-stack"
    public let saidBy = "CloudFlare, How stacks are handled in Go, 2014"
    public let statement =
        "All pointers to a stack are on that stack, so that it can be moved by correcting what is on it."
    public let claimed = [ClaimedFigure(.pointersOutside, 0)]
    public let experiments = [
        "goroutines that wait in twelve ways and in a system call, after a collection: their program's memory, "
            + "searched for words that hold an address of one of their stacks, in a process for each round",
        "programs in C and in Swift, and CPython, on stacks that move when they grow: how often an address was used "
            + "that had been kept elsewhere; one process each",
    ]

    public let plotted = PlottedNames(
        [.words], [.peer, .place, .goroutines], values: AddressPlace.Kind.allCases.map(\.rawValue))

    /// Goroutines that wait in each way.
    private static let each = 20
    /// The case of all places of a kind.
    static func all(_ kind: AddressPlace.Kind) -> String {
        switch kind {
        case .own: "on their own stack"
        case .record: "in records of the runtime"
        case .bookkeeping: "in what says where the stack is"
        case .stale: "left behind"
        case .undecided: "undecided"
        }
    }

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        var records: [Record] = []
        for toolchain in laboratory.go { records += try goroutines(toolchain, laboratory) }
        let foreign = CheckSubject.all(laboratory).filter(\.kind.isReal)
        for subject in foreign {
            records += try forwards(subject.name, [.language: subject.parameters[.language]!], laboratory)
        }
        return try records + forwards(ForwardsExperiment.python, [.language: "python"], laboratory)
    }

    // MARK: goroutines

    private func goroutines(_ toolchain: GoToolchain, _ laboratory: Laboratory) throws -> [Record] {
        guard let program = try laboratory.program(.pointers, toolchain) else { return [] }
        var goroutines: [Double] = []
        var samples: [[AddressPlace: Int]] = []
        let processes = laboratory.processes
        for process in 1...processes {
            try laboratory.step("\(identifier): \(toolchain.version), process \(process) of \(processes)")
            do {
                let found = try program.stackAddresses(Self.each)
                goroutines.append(Double(found.goroutines))
                samples.append(found.places)
            } catch let error as TracingRefused {
                laboratory.missing(
                    "\(toolchain.version) is not measured: its memory may not be read (\(error.reason)); allow ptrace "
                        + "in the sandbox")
                return []
            } catch let error as PeerFailure {
                laboratory.missing("\(toolchain.version) is not measured: \(error)")
                return []
            }
        }
        let shared: [ParameterName: ParameterValue] = [
            .peer: .string(toolchain.version),
            .goroutines: .int(Int(goroutines.max() ?? 0)),
        ]
        func record(
            _ name: String, _ kind: AddressPlace.Kind, _ count: ([AddressPlace: Int]) -> Int
        ) throws -> Record {
            self.record(
                name, .words, try Estimate.median(of: samples.map { Double(count($0)) }),
                shared.merging([.place: .string(kind.rawValue)]) { $1 })
        }
        let places = Set(samples.flatMap(\.keys)).sorted { ($0.kind.rawValue, $0.name) < ($1.kind.rawValue, $1.name) }
        return try AddressPlace.Kind.allCases.map { kind in
            try record(Self.all(kind), kind) { places in
                places.reduce(0) { $0 + ($1.key.kind == kind ? $1.value : 0) }
            }
        }
            + places.filter { ![.own, .stale].contains($0.kind) }.map { place in
                try record(place.name, place.kind) { $0[place] ?? 0 }
            }
    }

    // MARK: stacks that move

    private func forwards(
        _ name: String, _ parameters: [ParameterName: ParameterValue], _ laboratory: Laboratory
    ) throws -> [Record] {
        let stacks = laboratory.isQuick ? 4 : 20
        let findings = try laboratory.experiment("forwards", ["workload=\(name)", "count=\(stacks)"])
        guard findings.succeeded else {
            laboratory.missing("\(name) is not measured: \(findings.failure("it did not run on a stack that moves"))")
            return []
        }
        var shared = parameters.merging([.strategy: "fault-move", .stacks: .int(stacks)]) { $1 }
        if let version = findings[.version] { shared[.peer] = .string("\(name) \(version)") }
        return [
            record(name, .moves, exactly: try findings.number(.moves), shared),
            record(name, .forwards, exactly: try findings.number(.forwards), shared),
        ]
    }

    // MARK: judging

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let newest = evidence.all(metric: .words).ofNewestGo
        func all(_ kind: AddressPlace.Kind) throws(MissingEvidence) -> Record {
            guard let record = newest.first(where: { $0.name == Self.all(kind) }) else {
                throw MissingEvidence("no memory of a Go program was searched")
            }
            return record
        }
        let (outside, own, undecided) = (try all(.record), try all(.own), try all(.undecided))
        let left = try all(.stale)
        let goroutines = outside.parameters[.goroutines]?.whole ?? 0
        var measured = [
            MeasuredFigure(.pointersOutside, outside.estimate), MeasuredFigure(.pointersOnStack, own.estimate),
            MeasuredFigure(.waitingGoroutines, Estimate(exactly: Double(goroutines))),
        ]
        /// Of one kind, by their names; those of the newest version are figures.
        func named(_ kind: AddressPlace.Kind) -> [Record] {
            newest.filter {
                $0.parameters[.place] == .string(kind.rawValue) && $0.name != Self.all(kind) && $0.high > 0
            }
        }
        for kind in [AddressPlace.Kind.record, .undecided, .bookkeeping] {
            if kind != .record, let sum = newest.first(where: { $0.name == Self.all(kind) }) {
                measured.append(MeasuredFigure(Figure("addresses \(sum.name)", .count), sum.estimate))
            }
            // What bookkeeping consists of is in the records.
            guard kind != .bookkeeping else { continue }
            let prefix = kind == .record ? "addresses in" : "addresses undecided,"
            measured += named(kind).map { MeasuredFigure(Figure("\(prefix) \($0.name)", .count), $0.estimate) }
        }
        measured.append(MeasuredFigure(Figure("addresses \(left.name)", .count), left.estimate))
        let older = evidence.all(Self.all(.record), metric: .words).filter { $0.goVersion != outside.goVersion }
        measured += older.map {
            MeasuredFigure(
                Figure("addresses in records of the runtime, \($0.goVersion ?? "another")", .count), $0.estimate)
        }
        let uses = try self.uses(evidence)
        measured += uses.flatMap { use in
            [
                MeasuredFigure(Figure("uses of an address kept elsewhere, \(use.name)", .count), use.forwards),
                MeasuredFigure(Figure("moves of the stacks of \(use.name)", .count), use.moves),
            ]
        }
        let moved = uses.filter { $0.moves.median > 0 }
        let others =
            moved.isEmpty
            ? ""
            : "; uses of addresses that had been kept elsewhere, where stacks move: "
                + moved.map { "\($0.name) \(Int($0.forwards.median)) in \(Int($0.moves.median)) moves" }
                .joined(separator: ", ")
        let places = "\(outside.goVersion ?? "Go"), \(goroutines) goroutines that wait: "
        let onStack = "\(Int(own.median)) addresses of a stack are on it"
        func names(_ kind: AddressPlace.Kind) -> String {
            named(kind).map { "\($0.name) \(Int($0.median))" }.joined(separator: ", ")
        }
        if outside.high > 0 {
            return Judgement(
                .refuted, measured: measured,
                reason:
                    "\(places)\(Int(outside.median)) are in records of the runtime, which it corrects apart "
                    + "(\(names(.record))); \(onStack)\(others)")
        }
        if undecided.high > 0 {
            return Judgement(
                .notMeasurable, measured: measured,
                reason:
                    "\(places)\(Int(undecided.median)) words outside may be addresses of a stack or not "
                    + "(\(names(.undecided))); "
                    + "\(onStack)\(others)")
        }
        return Judgement(.confirmed, measured: measured, reason: "\(places)\(onStack), none elsewhere\(others)")
    }

    /// What was counted of one program whose stacks move.
    private struct Uses {
        let name: String
        let moves: Estimate
        let forwards: Estimate
    }

    private func uses(_ evidence: Evidence) throws(MissingEvidence) -> [Uses] {
        var uses: [Uses] = []
        for record in evidence.all(metric: .forwards) {
            let moves = try evidence.estimate(record.name, metric: .moves)
            uses.append(Uses(name: record.name, moves: moves, forwards: record.estimate))
        }
        return uses
    }
}
