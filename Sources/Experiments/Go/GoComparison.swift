// One Go program as it is and without its stack checks, run alternately.
//
// Invariants: every round runs every variant of one layout once, in an order drawn anew; whatever a variant wrote and
// how it ended is what the original did, or nothing is reported; what is compared is the ratio within a round, and over
// several layouts the layout is the sample.

import GoBinary
import Measurement
import Processes
import Report
import Workloads

extension Metric {
    package static let processorTime = Metric("processor-time", .nanoseconds)
    package static let elapsedTime = Metric("elapsed-time", .nanoseconds)
}

extension ParameterName {
    static let counter = ParameterName("counter")
}

/// A comparison of a program with its patched copy.
public struct GoComparison {
    /// One executable among those that take turns.
    public enum Variant: String, Sendable, CaseIterable {
        /// As it was built.
        case original
        /// The same file again: how far two equal programs differ here.
        case again
        /// The same stacks as the patched one, each check replaced by an equal one.
        case equal
        /// Without checks.
        case patched

        /// What records call it.
        public var title: String {
            switch self {
            case .original: "original"
            case .again: "original again"
            case .equal: "equal checks"
            case .patched: "patched"
            }
        }
    }

    /// The executables of one layout.
    public struct Layout: Sendable {
        let paths: [Variant: String]

        /// Patches a program; the copies go to `folder`.
        ///
        /// - Parameter isControlled: whether a copy with equal checks is made.
        /// - Throws: `GoBinaryError`, or ``MeasurementFailure`` when a copy cannot be written.
        public init(
            of path: String, content: [UInt8], _ options: StripOptions, isControlled: Bool, folder: String, name: String
        ) throws {
            let program = try GoExecutable(content)
            var paths = [Variant.original: path, .again: path]
            for variant in [Variant.patched] + (isControlled ? [.equal] : []) {
                var own = options
                own.checks = variant == .equal ? .equal : .removed
                let copy = "\(folder)/\(name)-\(variant.rawValue)"
                do {
                    try AtomicFile.write(try program.stripped(own).content, to: copy, mode: 0o755)
                } catch let failure as AtomicFile.Failure {
                    throw MeasurementFailure("cannot write '\(copy)': \(ErrorNumber.text(failure.number))")
                }
                paths[variant] = copy
            }
            self.paths = paths
        }
    }

    /// What is read from a run.
    private static var readings: [(metric: Metric, value: (Run) -> Double)] {
        [
            (.processorTime, \.finished.usage.processorTime), (.elapsedTime, \.elapsed),
            (.peakMemory, { Double($0.finished.usage.peakResident) }),
            (.pageFaults, { Double($0.finished.usage.minorFaults) }),
        ]
    }

    private struct Run {
        let finished: Subprocess.Finished
        let elapsed: Double
    }

    /// The layouts; those of one program in several random orders of its functions, or one.
    public let layouts: [Layout]
    /// What the program is given.
    public let arguments: [String]
    /// Rounds of each layout, after one that is thrown away.
    public let rounds: Int
    /// Seconds after which a run counts as hanging.
    public let longest: Double
    /// Whether what the variants write must be the same.
    public let comparesOutput: Bool
    /// Determines the order of the variants.
    public let seed: UInt64

    /// A comparison.
    public init(
        layouts: [Layout], arguments: [String], rounds: Int, longest: Double, comparesOutput: Bool, seed: UInt64
    ) {
        self.layouts = layouts
        self.arguments = arguments
        self.rounds = rounds
        self.longest = longest
        self.comparesOutput = comparesOutput
        self.seed = seed
    }

    /// Runs all variants.
    ///
    /// - Parameters:
    ///   - progress: told what is being run.
    ///   - isInterrupted: asked before each run and during it.
    /// - Returns: `go-compare` records; nil when it was interrupted.
    /// - Throws: ``MeasurementFailure`` when a variant behaves otherwise than the original.
    public func records(
        progress: (String) -> Void, isInterrupted: () -> Bool
    ) throws -> [Record]? {
        let variants = Variant.allCases.filter { layouts[0].paths[$0] != nil }
        var samples: [[Variant: [Run]]] = Array(repeating: [:], count: layouts.count)
        var random = SeededGenerator(seed: seed)
        var expected: Run?
        for round in 0...rounds {
            for layout in random.permutation(of: layouts.count) {
                for index in random.permutation(of: variants.count) {
                    if isInterrupted() { return nil }
                    let variant = variants[index]
                    progress("round \(round) of \(rounds): \(variant.title)")
                    let run = try run(layouts[layout].paths[variant]!, isInterrupted)
                    if isInterrupted() { return nil }
                    let before = expected ?? run
                    expected = before
                    try check(run, variant, against: before)
                    // The first fills caches, of files above all.
                    if round > 0 { samples[layout][variant, default: []].append(run) }
                }
            }
        }
        return try records(of: samples, variants)
    }

    private func run(_ path: String, _ isInterrupted: () -> Bool) throws -> Run {
        let start = MeasurementClock.monotonic.now()
        let finished = try Subprocess.finishMeasured(path, arguments, seconds: longest, isUnwanted: isInterrupted)
        let elapsed = Double(MeasurementClock.monotonic.now() - start)
        if finished.ending == .timedOut, !isInterrupted() {
            throw MeasurementFailure("a run did not end within \(longest) s; give it less to do or raise --seconds")
        }
        return Run(finished: finished, elapsed: elapsed)
    }

    private func check(_ run: Run, _ variant: Variant, against expected: Run) throws {
        if run.finished.ending != expected.finished.ending {
            let line = run.finished.errors.split(separator: "\n").first.map { ": \($0)" } ?? ""
            throw MeasurementFailure(
                "the variant '\(variant.title)' \(run.finished.ending), another \(expected.finished.ending)\(line)")
        }
        guard comparesOutput else { return }
        guard run.finished.output == expected.finished.output, run.finished.outputSize == expected.finished.outputSize
        else {
            throw MeasurementFailure(
                "the variant '\(variant.title)' writes something else than another run; if the program never writes "
                    + "the same twice, pass --ignore-output")
        }
    }

    /// What each variant is compared with.
    private static let comparisons: [(Variant, Variant)] = [
        (.again, .original), (.equal, .original), (.patched, .original), (.patched, .equal),
    ]

    private func records(of samples: [[Variant: [Run]]], _ variants: [Variant]) throws -> [Record] {
        let bootstrap = Bootstrap(seed: seed)
        let shared: [ParameterName: ParameterValue] = [.rounds: .int(rounds), .layouts: .int(layouts.count)]
        var records: [Record] = []
        for (metric, value) in Self.readings {
            func values(_ variant: Variant, _ layout: Int) -> [Double] {
                (samples[layout][variant] ?? []).map(value)
            }
            for variant in variants {
                let all = layouts.indices.flatMap { values(variant, $0) }
                records.append(
                    Record(
                        suite: "go-compare", case: variant.title, metric: metric,
                        estimate: try bootstrap.median(of: all), parameters: shared))
            }
            for (variant, baseline) in Self.comparisons where variants.contains(variant) && variants.contains(baseline)
            {
                let estimate =
                    if layouts.count == 1 {
                        try bootstrap.ratio(of: values(variant, 0), to: values(baseline, 0))
                    } else {
                        // The order of functions moves time more than checks do: each layout gives one number.
                        try bootstrap.median(
                            of: try layouts.indices.map {
                                try Statistics.median(
                                    Statistics.pairedRatios(values(variant, $0), to: values(baseline, $0)))
                            })
                    }
                records.append(
                    .ratio(
                        suite: "go-compare", case: Self.caseName(variant, metric), baseline: baseline.title,
                        estimate: estimate,
                        parameters: shared.merging(
                            variant == .again ? [.nullControl: true] : [:]
                        ) { $1 }))
            }
        }
        return records
    }

    /// The case of a variant's ratios.
    package static func caseName(_ variant: Variant, _ metric: Metric) -> String { "\(variant.title), \(metric.name)" }

    // MARK: instructions

    /// Executed instructions of one run of each variant of the first layout, counted by valgrind.
    ///
    /// - Returns: no record where valgrind is not installed or does not run the program, with the reason in `missing`.
    public func instructionRecords(
        progress: (String) -> Void, isInterrupted: () -> Bool, missing: (String) -> Void
    ) throws -> [Record]? {
        guard let counter = ProgramCounter() else {
            missing("executed instructions are not counted: install valgrind")
            return []
        }
        var counts: [(Variant, Double)] = []
        for variant in [Variant.original, .equal, .patched] {
            guard let path = layouts[0].paths[variant] else { continue }
            if isInterrupted() { return nil }
            progress("counting instructions: \(variant.title)")
            do {
                // Some 50 times as long as without valgrind.
                counts.append(
                    (
                        variant,
                        try counter.instructions(path, arguments, seconds: longest * 50, isUnwanted: isInterrupted)
                    ))
            } catch {
                if isInterrupted() { return nil }
                missing("executed instructions are not counted: \(error)")
                return []
            }
        }
        let parameters: [ParameterName: ParameterValue] = [.counter: .string(counter.version)]
        var records = counts.map { variant, count in
            Record(
                suite: "go-compare", case: variant.title, metric: .instructions, exactly: count,
                parameters: parameters)
        }
        for (variant, baseline) in Self.comparisons {
            guard let count = counts.first(where: { $0.0 == variant }),
                let base = counts.first(where: { $0.0 == baseline })
            else { continue }
            records.append(
                .ratio(
                    suite: "go-compare", case: Self.caseName(variant, .instructions), baseline: baseline.title,
                    estimate: Estimate(exactly: count.1 / base.1), parameters: parameters))
        }
        return records
    }
}
