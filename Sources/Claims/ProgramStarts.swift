// How long programs take to start by how they were linked: measured once in a run, for several claims. Programs that
// come with Go are asked for their version. A start is over when the first byte of the answer arrives, which `main`
// writes: what the process does at its end is not in it.

import Experiments
import Glibc
import Measurement
import Peers
import Processes
import Report

extension ParameterName {
    /// Whether the kernel was told to forget the file before.
    static let cold = ParameterName("cold")
}

/// The starts of each program.
struct ProgramStarts {
    /// How a program is linked: the case of its records.
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

    /// The usual program started once more in each round.
    static let again = Linking.usual.rawValue + CaseSuffix.again
    static let cases = Linking.allCases.map(\.rawValue) + [again]

    /// Large ones, each with what makes it say its version.
    private static let programs = [
        ("cmd/go", "version"), ("cmd/compile", "-V"), ("cmd/link", "-V"), ("cmd/vet", "-V=full"), ("cmd/asm", "-V"),
        ("cmd/cgo", "-V"),
    ]

    private let version: String
    /// For each program its name and, by ``cases``, nanoseconds of each round.
    private let warm: [(program: String, samples: [[Double]])]
    private let cold: [(program: String, samples: [[Double]])]

    /// Those of a run; nil where no program can be built.
    static func measured(_ laboratory: Laboratory) throws -> ProgramStarts? {
        try laboratory.remembering("starts of programs") { try ProgramStarts(laboratory) }
    }

    private init?(_ laboratory: Laboratory) throws {
        guard let toolchain = laboratory.go.last else { return nil }
        version = toolchain.version
        var random = SeededGenerator(seed: laboratory.seed)
        var series: [Bool: [(program: String, samples: [[Double]])]] = [:]
        for (package, argument) in laboratory.isQuick ? Array(Self.programs.prefix(3)) : Self.programs {
            var paths: [String] = []
            for linking in Linking.allCases {
                try laboratory.step("starts: building \(package), \(linking.rawValue)")
                do throws(PeerUnavailable) {
                    paths.append(try toolchain.command(package, linking.flags))
                } catch {
                    laboratory.missing("\(package) is not started: \(error)")
                    break
                }
            }
            guard paths.count == Linking.allCases.count else { continue }
            paths.append(paths[0])
            for isCold in [false, true] {
                var samples = Array(repeating: [Double](), count: paths.count)
                for round in 0...(laboratory.isQuick ? 15 : 21) {
                    try laboratory.step("starts: \(package) \(round)")
                    for index in random.permutation(of: paths.count) {
                        let time = try Self.start(paths[index], argument, toolchain, isCold: isCold)
                        if round > 0 { samples[index].append(time) }
                    }
                }
                series[isCold, default: []].append((package, samples))
            }
        }
        (warm, cold) = (series[false] ?? [], series[true] ?? [])
        if warm.isEmpty { return nil }
    }

    /// Nanoseconds from the start of a process to the first byte that it writes.
    private static func start(
        _ path: String, _ argument: String, _ toolchain: GoToolchain, isCold: Bool
    ) throws -> Double {
        if isCold {
            let file = open(path, O_RDONLY | O_CLOEXEC)
            guard file >= 0 else { throw MeasurementFailure("cannot open \(path): \(ErrorNumber.text(errno))") }
            // What is not written to the disk yet is not dropped.
            fdatasync(file)
            posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED)
            close(file)
        }
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw MeasurementFailure("cannot create a pipe: \(ErrorNumber.text(errno))") }
        defer { close(ends[0]) }
        // Else a program that another thread starts would hold them.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(nothing) }
        let begin = MeasurementClock.monotonic.now()
        let child: pid_t
        do {
            defer { close(ends[1]) }
            child = try Spawn.start(
                path, [argument], environment: toolchain.environment,
                streams: Spawn.Streams(input: nothing, output: ends[1], errors: nothing))
        }
        var byte: UInt8 = 0
        // A program that ends without a word closes the pipe.
        let count = read(ends[0], &byte, 1)
        let took = MeasurementClock.monotonic.now() - begin
        let ending = try Spawn.wait(for: child, seconds: 20)
        guard count == 1, ending == .exited(0) else { throw MeasurementFailure("\(path) \(ending)") }
        return Double(took)
    }

    /// For each program its times and its ratios to the usual one, then the means of the ratios over programs.
    func records(_ suite: String, _ linkings: [Linking], isCold: Bool) throws -> [Record] {
        let series = isCold ? cold : warm
        let shared: [ParameterName: ParameterValue] = [.peer: .string(version), .cold: .bool(isCold)]
        let baseline = Linking.usual.rawValue
        let wanted = Self.cases.indices.filter { index in
            index >= Linking.allCases.count || index == 0 || linkings.contains(Linking.allCases[index])
        }
        var records: [Record] = []
        for (program, samples) in series {
            let own = shared.merging([.work: .string(program)]) { $1 }
            for index in wanted {
                let name = Self.cases[index]
                records.append(
                    Record(
                        suite: suite, case: name, metric: .time, estimate: try .median(of: samples[index]),
                        parameters: own))
                guard index > 0 else { continue }
                records.append(
                    .ratio(
                        suite: suite, case: name, baseline: baseline,
                        estimate: try .ratio(of: samples[index], to: samples[0]),
                        parameters: own.merging(name == Self.again ? [.nullControl: true] : [:]) { $1 }))
            }
        }
        for index in wanted.dropFirst() {
            let name = Self.cases[index]
            let ratios = try series.map { try Statistics.pairedRatios($0.samples[index], to: $0.samples[0]) }
            records.append(
                .ratio(
                    suite: suite, case: name, baseline: baseline, estimate: try .geometricMean(over: ratios),
                    parameters: shared.merging([.programs: .int(series.count)]) { $1 }
                        .merging(name == Self.again ? [.nullControl: true] : [:]) { $1 }))
        }
        return records
    }

    /// What is decided by the mean over programs, which the claims are about. Single programs are figures: to say of
    /// which it holds, they would have to be sorted by some of their starts and judged by others.
    static func judge(
        _ evidence: Evidence, _ linking: Linking, _ figure: Figure, null control: Figure, claim: some Claim
    ) throws(MissingEvidence) -> Judgement {
        let all = evidence.all(linking.rawValue, metric: .ratio)
        guard let mean = all.first(where: { $0.parameters[.programs] != nil })?.estimate,
            let null = evidence.all(again, metric: .ratio).first(where: { $0.parameters[.programs] != nil })?.estimate
        else { throw MissingEvidence("no start of programs that are linked with \(linking.rawValue)") }
        let claimed = claim.claimed(figure)
        let programs = all.filter { $0.parameters[.work] != nil }
        let measured =
            [MeasuredFigure(figure, mean), MeasuredFigure(control, null)]
            + programs.map {
                MeasuredFigure(Figure("\(figure.name), \($0.parameters[.work]?.text ?? "")", .ratio), $0.estimate)
            }
        let text = "the time to start is \(mean.text()) of the usual, and \(null.text()) of the same program again"
        let list = programs.map { "\($0.parameters[.work]?.text ?? "") \($0.estimate.text())" }
        let verdict = mean.verdict(on: claimed, null: null)
        // The interval is that of a mean over programs, which lie apart: more starts of each do not narrow it.
        let remedy =
            verdict == .notMeasurable ? "more programs are needed to tell it from \(claimed.description): " : ""
        return Judgement(verdict, measured: measured, reason: "\(remedy)\(text); \(list.joined(separator: ", "))")
    }
}
