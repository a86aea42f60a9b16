// "Growing and loading stacks contends as processors are added: 12 µs become 189 µs."

import Faultline
import Glibc
import Measurement
import Peers
import Report

public struct Contention: Claim {
    public init() {}

    public let identifier = "contention"
    public let saidBy = "articles on runtime.stackalloc and on start-up and the loading of stacks"
    public let statement = "Growing and loading stacks contends as processors are added: from 12 to 189 µs."
    public let claimed = [
        ClaimedFigure("growth on one processor", 12_000, unit: .nanoseconds),
        ClaimedFigure("growth on many processors", 189_000, unit: .nanoseconds),
    ]
    public let experiments = [
        "1, 2, 4, 8 and 16 threads of one process grow 64 stacks each at the same moment: by trap with each kind of "
            + "guard, by a move with each mover, by the kernel alone, and goroutines with as many processors",
        "processor time of one growth: elapsed time, times the processors in use, by the number of growths; beside it "
            + "work for which threads share nothing",
    ]

    /// Work for which threads share nothing: how much longer it takes on several is what the machine's other load does.
    static let control = "computation alone"
    static let threads = [1, 2, 4, 8, 16]

    /// A way of growing.
    private struct Mechanism {
        let name: String
        let options: [String]
        var mover: PageMover?

        /// Grows in place from 8 KiB to 128 KiB, each step twice as far.
        static func inPlace(_ name: String, _ options: [String], grows: Bool = true) -> Mechanism {
            Mechanism(
                name: name,
                options: options + ["depths=8192,16384,32768,65536", "growths=\(grows ? 4 : 0)"])
        }

        static func move(_ mover: PageMover, guard kind: StackGuard) -> Mechanism {
            Mechanism(
                name: "move by \(mover.rawValue)",
                options: [
                    "strategy=fault-move", "initial=16384", "depths=16384", "growths=1", "mover=\(mover.rawValue)",
                    "guard=\(kind.rawValue)",
                ], mover: mover)
        }

        static let all = [
            inPlace("trap, prot-none", ["strategy=fault", "initial=8192", "guard=prot-none"]),
            inPlace("trap, guard-pages", ["strategy=fault", "initial=8192", "guard=guard-pages"]),
            // Identical to the one before: what differs is noise.
            inPlace("trap, guard-pages null", ["strategy=fault", "initial=8192", "guard=guard-pages"]),
            move(.copy, guard: .protNone), move(.uffdioMove, guard: .guardPages), move(.mremap, guard: .protNone),
            inPlace("kernel's page fault", ["strategy=demand"], grows: false),
            // Four stores on one page, which is there, and computation between them.
            Mechanism(
                name: Contention.control,
                options: ["strategy=demand", "depths=1024,1024,1024,1024", "growths=0", "calls=3000"]),
        ]
    }

    private struct Subject {
        let name: String
        let peer: String
        let threads: Int
        /// Nanoseconds of processor time for one growth, several samples.
        let samples: (Laboratory) throws -> [Double]
    }

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        let processors = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        let programs = try laboratory.goStackPrograms()
        var subjects: [Subject] = []
        for threads in Self.threads {
            let used = min(threads, processors)
            for mechanism in Mechanism.all {
                subjects.append(
                    Subject(name: mechanism.name, peer: "faultline", threads: threads) { laboratory in
                        try Self.samples(of: mechanism, threads: threads, used: used, laboratory)
                    })
            }
            for program in programs {
                subjects.append(
                    Subject(name: "goroutine", peer: program.version, threads: threads) { laboratory in
                        try Self.samples(of: program, processors: used, laboratory)
                    })
            }
        }
        return try records(subjects, processors: processors, laboratory)
    }

    private func records(_ subjects: [Subject], processors: Int, _ laboratory: Laboratory) throws -> [Record] {
        var samples = Array(repeating: [Double](), count: subjects.count)
        var random = SeededGenerator(seed: laboratory.seed)
        for _ in 0..<(laboratory.isQuick ? 1 : 3) {
            for index in random.permutation(of: subjects.count) {
                samples[index] += try subjects[index].samples(laboratory)
            }
        }
        let bootstrap = Bootstrap(seed: laboratory.seed)
        var records: [Record] = []
        for (index, subject) in subjects.enumerated() where !samples[index].isEmpty {
            let shared: [String: ParameterValue] = [
                "peer": .string(subject.peer), "threads": .int(subject.threads), "processors": .int(processors),
            ]
            records.append(
                Record(
                    suite: identifier, case: subject.name, metric: "time", unit: .nanoseconds,
                    estimate: try bootstrap.median(of: samples[index]), parameters: shared))
            guard
                let alone = subjects.firstIndex(where: {
                    $0.name == subject.name && $0.peer == subject.peer && $0.threads == 1
                }), alone != index, !samples[alone].isEmpty
            else { continue }
            records.append(
                .ratio(
                    suite: identifier, case: subject.name, baseline: "1 thread",
                    estimate: try bootstrap.ratio(of: samples[index], to: samples[alone]), parameters: shared))
        }
        return records
    }

    /// Nothing where the kernel does not have what the mechanism needs.
    private static func samples(
        of mechanism: Mechanism, threads: Int, used: Int, _ laboratory: Laboratory
    ) throws -> [Double] {
        let phases = laboratory.isQuick ? 7 : 11
        let findings = try laboratory.experiment(
            "contention", ["threads=\(threads)", "phases=\(phases)"] + mechanism.options)
        guard findings.succeeded else {
            if findings.message.contains("needs") {
                laboratory.missing("\(mechanism.name) is not measured: \(findings.message)")
                return []
            }
            throw findings.failure("the stacks did not all grow")
        }
        if let mover = mechanism.mover, findings.values["moves/\(mover.rawValue)"] == nil {
            laboratory.missing("\(mechanism.name) is not measured: this kernel moves pages otherwise")
            return []
        }
        let stores = try findings.number("stores")
        return try (0..<phases).map { try findings.number("elapsed/\($0)") * Double(used) / stores }
    }

    private static func samples(
        of program: GoProgram, processors: Int, _ laboratory: Laboratory
    ) throws -> [Double] {
        let phases = laboratory.isQuick ? 7 : 11
        try laboratory.step("contention: \(program.version) on \(processors) processors")
        let conversation = try program.converse()
        _ = try conversation.numbers("contend 1 \(processors) 400", atLeast: 2)
        return try (0..<phases).map { _ in
            // From 2 KiB to 128 KiB.
            let answer = try conversation.numbers("contend 1 \(processors) 400", atLeast: 2)
            guard answer[1] > 0 else { throw MeasurementFailure("\(program.version) grew no stack") }
            return Double(answer[0]) * Double(processors) / Double(answer[1])
        }
    }

    /// Less than this, in an interval's lower end, is no contention; nor is what the control takes longer.
    static let noise = 1.25
    /// Where the control takes longer than this, nothing is found free of contention.
    static let mostNoise = 1.5

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let all = evidence.all(metric: Record.ratioMetric)
        guard case .int(let processors)? = all.first?.parameters["processors"], processors > 1 else {
            throw MissingEvidence("growth on two processors or more")
        }
        // More threads than processors wait for each other's turn whatever they do.
        let most = all.compactMap { record -> Int? in
            guard case .int(let threads)? = record.parameters["threads"] else { return nil }
            return threads <= processors ? threads : nil
        }.max()
        guard let most else { throw MissingEvidence("no record with as many threads as processors") }
        let withMost = all.filter { $0.parameters["threads"] == .int(most) && !$0.name.hasSuffix(" null") }
        let compared = withMost.filter { $0.name != Self.control }
        guard !compared.isEmpty else { throw MissingEvidence("no record of growth with \(most) threads") }
        let control = withMost.first { $0.name == Self.control }
        let noise = max(Self.noise, control?.high ?? 0)
        let subject = compared.last { $0.name == "goroutine" } ?? compared[0]
        let peer: [String: ParameterValue] = ["peer": subject.parameters["peer"]!]
        var measured: [MeasuredFigure] = []
        for (figure, threads) in zip(claimed, [1, most]) {
            let which = peer.merging(["threads": .int(threads)]) { first, _ in first }
            let time = try evidence.estimate(subject.name, metric: "time", where: which)
            measured.append(MeasuredFigure(figure.name, time, unit: .nanoseconds))
        }
        measured += withMost.map {
            MeasuredFigure("\(Self.title($0)), \(most) threads against 1", $0.estimate, unit: .ratio)
        }
        let contending = compared.filter { $0.low > noise }
        // Where others take the processors, not much can be called free of contention.
        let free = noise > Self.mostNoise ? [] : compared.filter { $0.median <= noise }
        func list(_ records: [Record]) -> String {
            records.map { "\(Self.title($0)) \(Self.text($0.median))" }.joined(separator: ", ")
        }
        let reason =
            "processor time of a growth with \(most) threads, in that of one (noise \(Self.text(noise))): "
            + list(compared)
        if contending.count == compared.count { return Judgement(.confirmed, measured: measured, reason: reason) }
        if free.count == compared.count { return Judgement(.refuted, measured: measured, reason: reason) }
        if contending.isEmpty {
            let open = compared.filter { !free.contains($0) }
            return Judgement(
                .notMeasurable, measured: measured,
                reason: "an idle machine or more rounds are missing to tell \(list(open)) from noise; \(reason)")
        }
        return Judgement(.depends, measured: measured, reason: "\(list(contending)) contend; \(reason)")
    }

    private static func text(_ number: Double) -> String { "\((number * 100).rounded() / 100)" }

    private static func title(_ record: Record) -> String {
        guard record.name == "goroutine", let peer = record.parameters["peer"] else { return record.name }
        return "\(peer)"
    }
}
