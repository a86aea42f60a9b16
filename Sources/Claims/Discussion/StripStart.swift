// "Programs linked with -s -w start 18 % sooner; position-independent ones lower the cost of random addresses."
//
// A large program that comes with Go, linked in three ways, from its start to its end when it is asked for no more than
// its version: with its file in memory, and after the kernel was told to drop it. The first statement has a number and
// decides.

import Experiments
import Glibc
import Measurement
import Peers
import Processes
import Report

extension ParameterName {
    static let linked = ParameterName("linked")
    /// Whether the kernel was told to forget the file before.
    static let cold = ParameterName("cold")
}

extension Figure {
    static let startOfStripped = Figure("start of a stripped program, against one that is not", .ratio)
    static let startOfStrippedCold = Figure("the same with the file dropped from memory", .ratio)
    static let startOfIndependent = Figure("start of a position-independent program, against one that is not", .ratio)
}

public struct StripStart: Claim {
    public init() {}

    public let identifier = "strip-start"
    public let saidBy = "an article on start-up and the loading of stacks"
    public let statement = "A Go program linked with -s -w starts 18 % sooner."
    public let claimed = [ClaimedFigure(.startOfStripped, 0.82)]
    public let experiments = [
        "start gofmt, in the full run Go's compiler, built by the newest Go as usual, with -s -w, and "
            + "position-independent: "
            + "from start to end of a process that does next to nothing, its file in memory and dropped from it"
    ]

    public let plotted = PlottedNames(
        [.ratio], [.cold, .peer], cases: Linking.allCases.map(\.rawValue), figures: [.startOfStripped])

    /// How it is linked: the case of its records.
    enum Linking: String, CaseIterable {
        case usual
        case stripped = "-s -w"
        case independent = "position-independent"

        var flags: [String] {
            switch self {
            case .usual: []
            case .stripped: ["-ldflags=-s -w"]
            case .independent: ["-buildmode=pie"]
            }
        }
    }

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        guard let toolchain = laboratory.go.last else { return [] }
        let (package, arguments) = laboratory.isQuick ? ("cmd/gofmt", ["-l", "/dev/null"]) : ("cmd/compile", ["-V"])
        var paths: [String] = []
        for linking in Linking.allCases {
            try laboratory.step("\(identifier): building \(package), \(linking.rawValue)")
            do throws(PeerUnavailable) {
                paths.append(try toolchain.command(package, linking.flags))
            } catch {
                laboratory.missing("\(package) is not started: \(error)")
                return []
            }
        }
        var random = SeededGenerator(seed: laboratory.seed)
        var records: [Record] = []
        for isCold in [false, true] {
            var samples = Array(repeating: [Double](), count: paths.count)
            for round in 0...(laboratory.isQuick ? 21 : 101) {
                for index in random.permutation(of: paths.count) {
                    if round % 10 == 0 { try laboratory.step("\(identifier): start \(round)") }
                    let time = try Self.start(paths[index], arguments, toolchain, isCold: isCold)
                    if round > 0 { samples[index].append(time) }
                }
            }
            let shared: [ParameterName: ParameterValue] = [
                .peer: .string(toolchain.version), .work: .string(package), .cold: .bool(isCold),
            ]
            for (index, linking) in Linking.allCases.enumerated() {
                records.append(record(linking.rawValue, .time, try Estimate.median(of: samples[index]), shared))
                guard index > 0 else { continue }
                records.append(
                    ratio(
                        linking.rawValue, to: Linking.usual.rawValue,
                        try Estimate.ratio(of: samples[index], to: samples[0]), shared))
            }
        }
        return records
    }

    /// Nanoseconds from the start of a process to its end.
    private static func start(
        _ path: String, _ arguments: [String], _ toolchain: GoToolchain, isCold: Bool
    ) throws -> Double {
        if isCold {
            let file = open(path, O_RDONLY | O_CLOEXEC)
            guard file >= 0 else { throw MeasurementFailure("cannot open \(path): \(ErrorNumber.text(errno))") }
            // What is not written to the disk yet is not dropped.
            fdatasync(file)
            posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED)
            close(file)
        }
        let begin = MeasurementClock.monotonic.now()
        let finished = try Subprocess.finish(path, arguments, environment: toolchain.environment, seconds: 20)
        let took = MeasurementClock.monotonic.now() - begin
        guard case .exited = finished.ending else { throw MeasurementFailure("\(path) \(finished.ending)") }
        return Double(took)
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        func find(_ linking: Linking, isCold: Bool) -> Estimate? {
            evidence.find(
                linking.rawValue, metric: .ratio,
                where: [.cold: .bool(isCold), .baseline: .string(Linking.usual.rawValue)])
        }
        guard let warm = find(.stripped, isCold: false) else { throw MissingEvidence("no start of a stripped program") }
        let further = [
            (Figure.startOfStrippedCold, find(.stripped, isCold: true)),
            (.startOfIndependent, find(.independent, isCold: false)),
        ]
        let measured =
            [MeasuredFigure(.startOfStripped, warm)]
            + further.compactMap { figure, estimate in estimate.map { MeasuredFigure(figure, $0) } }
        let times = evidence.all(metric: .time).map { record in
            "\(record.name)\(record.parameters[.cold] == true ? ", cold" : "") "
                + QuantityFormatter.string(record.median, .nanoseconds)
        }.joined(separator: "; ")
        let reason = "stripped it takes \(warm.text()) of the time, claimed 0.82; \(times)"
        // Two hundredths more or less are the same.
        switch warm.relation(to: ClaimedFigure(.startOfStripped, low: nil, high: 0.84)) {
        case .within, .below: return Judgement(.confirmed, measured: measured, reason: reason)
        case .above: return Judgement(.refuted, measured: measured, reason: reason)
        case .undecided:
            return Judgement(.notMeasurable, measured: measured, reason: "more rounds are needed: \(reason)")
        }
    }
}
