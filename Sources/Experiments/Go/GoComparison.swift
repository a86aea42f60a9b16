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
    package static let probeFaults = Metric("probe-faults", .count)
    package static let stackGrowths = Metric("growths", .count)
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
        /// Compiled without checks.
        case compiled
        /// With probes that grow stacks in place of checks.
        case probes
        /// Compiled with probes that grow stacks.
        case compiledProbes
        /// The same stacks as with probes, each check replaced by an equal one.
        case equalGrowing
        /// Parts of what the stacks of the others differ in, one more each, with all checks.
        case firstSize, noShrinking, guards, lowestWord

        /// What records call it.
        public var title: String {
            switch self {
            case .original: "original"
            case .again: "original again"
            case .equal: "equal checks"
            case .patched: "patched"
            case .compiled: "compiled without"
            case .probes: "probes that grow"
            case .compiledProbes: "compiled with probes"
            case .equalGrowing: "equal checks that grow"
            case .firstSize: "large first stack"
            case .noShrinking: "and no shrinking"
            case .guards: "and guards"
            case .lowestWord: "and no cleared word"
            }
        }
    }

    /// The executables of one layout.
    public struct Layout: Sendable {
        private(set) var paths: [Variant: String]
        /// Why there is no variant with probes; nil where there is one.
        public private(set) var refusalOfProbes: String?

        /// Adds the executable of another variant.
        public mutating func add(_ path: String, as variant: Variant) { paths[variant] = path }

        /// Writes a patched copy of a program to `copy`, and adds it.
        mutating func add(
            _ program: GoExecutable, _ options: StripOptions, to copy: String, as variant: Variant
        ) throws {
            do {
                try AtomicFile.write(try program.stripped(options).content, to: copy, mode: 0o755)
            } catch let failure as AtomicFile.Failure {
                throw MeasurementFailure("cannot write '\(copy)': \(ErrorNumber.text(failure.number))")
            }
            paths[variant] = copy
        }

        /// The copy without checks.
        public var patched: String { paths[.patched]! }

        /// Patches a program; the copies go to `folder`.
        ///
        /// - Parameter isControlled: whether copies with equal checks are made.
        /// - Throws: `GoBinaryError`, or ``MeasurementFailure`` when a copy cannot be written.
        public init(
            of path: String, content: [UInt8], _ options: StripOptions, isControlled: Bool, folder: String, name: String
        ) throws {
            let program = try GoExecutable(content)
            paths = [Variant.original: path, .again: path]
            func copy(_ variant: Variant) -> String { "\(folder)/\(name)-\(variant.rawValue)" }
            for variant in [Variant.patched] + (isControlled ? [.equal] : []) {
                var own = options
                own.checks = variant == .equal ? .equal : .removed
                try add(program, own, to: copy(variant), as: variant)
            }
            refusalOfProbes = GrowthSupport.refusal
            guard refusalOfProbes == nil else { return }
            do {
                try add(program, StripOptions(growth: .fault), to: copy(.probes), as: .probes)
                if isControlled {
                    let equal = StripOptions(growth: .fault, checks: .equal)
                    try add(program, equal, to: copy(.equalGrowing), as: .equalGrowing)
                }
            } catch let refusal as GoBinaryError {
                refusalOfProbes = refusal.description
            }
        }
    }

    private typealias Run = GoTask.Run

    /// What is read from a run.
    private static var readings: [(metric: Metric, value: (Run) -> Double)] {
        [
            (.processorTime, \.finished.usage.processorTime), (.elapsedTime, \.elapsed),
            (.peakMemory, { Double($0.finished.usage.peakResident) }),
            (.pageFaults, { Double($0.finished.usage.minorFaults) }),
        ]
    }

    /// The layouts; those of one program in several random orders of its functions, or one.
    public let layouts: [Layout]
    /// What the program is given to do.
    public let task: GoTask
    /// Rounds of each layout, after one that is thrown away.
    public let rounds: Int
    /// Whether what the variants write must be the same.
    public let comparesOutput: Bool
    /// Determines the order of the variants.
    public let seed: UInt64

    /// A comparison.
    public init(
        layouts: [Layout], task: GoTask, rounds: Int, comparesOutput: Bool, seed: UInt64
    ) {
        self.layouts = layouts
        self.task = task
        self.rounds = rounds
        self.comparesOutput = comparesOutput
        self.seed = seed
    }

    /// Runs all variants.
    ///
    /// - Parameters:
    ///   - progress: told what is being run.
    ///   - isInterrupted: asked before each run and during it.
    ///   - answer: told what the load wrote, of a server's last run of each variant.
    /// - Returns: `go-compare` records; nil when it was interrupted.
    /// - Throws: ``MeasurementFailure`` when a variant behaves otherwise than the original.
    public func records(
        progress: (String) -> Void, isInterrupted: () -> Bool, answer: (Variant, String) -> Void
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
                    let run = try task.run(layouts[layout].paths[variant]!, isInterrupted)
                    if isInterrupted() { return nil }
                    if let problem = run.problem {
                        throw MeasurementFailure("the variant '\(variant.title)': \(problem)")
                    }
                    let before = expected ?? run
                    expected = before
                    try check(run, variant, against: before)
                    // The first fills caches, of files above all.
                    if round > 0 { samples[layout][variant, default: []].append(run) }
                }
            }
        }
        if task.load != nil {
            for variant in variants { answer(variant, samples[0][variant]?.last?.answer ?? "") }
        }
        return try records(of: samples, variants)
    }

    /// What a reader of `records` should doubt.
    public func warnings(_ records: [Record]) -> [String] {
        var warnings: [String] = []
        let elapsed = records.first { $0.name == Variant.original.title && $0.metric == Metric.elapsedTime.name }
        if let elapsed, elapsed.median < Self.shortest {
            warnings.append(
                "a run takes \(QuantityFormatter.string(elapsed.median, elapsed.unit)), of which the start of the "
                    + "program is a large part: give it more to do, 50 ms at least")
        }
        let samples = layouts.count > 1 ? layouts.count : rounds
        if samples < Self.fewest {
            let what = layouts.count > 1 ? "layouts" : "rounds"
            warnings.append(
                "\(samples) \(what) are too few for intervals of 95 %: take \(Self.fewest) or more (--\(what))")
        }
        return warnings
    }

    /// Nanoseconds of a run of which its start is no large part.
    private static let shortest = 50e6
    /// All samples lie on one side of the median with a probability of 2^(1-n), which is below 5 % from here on: no
    /// interval of fewer can be one of 95 %.
    private static let fewest = 6

    private func check(_ run: Run, _ variant: Variant, against expected: Run) throws {
        if run.finished.ending != expected.finished.ending {
            // Either may be the one that says why.
            let lines = [run, expected].compactMap { $0.finished.errors.split(separator: "\n").first }
            let line = lines.first.map { ": \($0)" } ?? ""
            throw MeasurementFailure(
                "the variant '\(variant.title)' \(run.finished.ending), another \(expected.finished.ending)\(line)")
        }
        // What a server writes has times in it.
        guard comparesOutput, task.load == nil else { return }
        guard run.finished.output == expected.finished.output, run.finished.outputSize == expected.finished.outputSize
        else {
            throw MeasurementFailure(
                "the variant '\(variant.title)' writes something else than another run; if the program never writes "
                    + "the same twice, pass --ignore-output")
        }
    }

    /// What each variant is compared with.
    static let comparisons: [(Variant, Variant)] = [
        (.again, .original), (.equal, .original), (.patched, .original), (.patched, .equal),
        (.compiled, .original), (.compiled, .equal), (.compiled, .patched), (.probes, .original),
        (.equalGrowing, .original), (.probes, .equalGrowing), (.compiledProbes, .original),
        (.compiledProbes, .equalGrowing), (.compiledProbes, .probes),
        (.firstSize, .original), (.noShrinking, .firstSize), (.guards, .noShrinking), (.lowestWord, .guards),
    ]

    private func records(of samples: [[Variant: [Run]]], _ variants: [Variant]) throws -> [Record] {
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
                        estimate: try Estimate.median(of: all), parameters: shared))
            }
            for (variant, baseline) in Self.comparisons where variants.contains(variant) && variants.contains(baseline)
            {
                let estimate =
                    if layouts.count == 1 {
                        try Estimate.ratio(of: values(variant, 0), to: values(baseline, 0))
                    } else {
                        // The order of functions moves time more than checks do: each layout gives one number.
                        try Estimate.median(
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

    // MARK: growths

    /// How often a run of the variant with probes grows stacks, in a second of its processor time: from what the copy
    /// says at its end.
    ///
    /// - Parameter missing: told why there is no record.
    public func growthRecords(isInterrupted: () -> Bool, missing: (String) -> Void) throws -> [Record] {
        guard let path = layouts[0].paths[.probes] else {
            missing(
                "the variant '\(Variant.probes.title)' is left out: \(layouts[0].refusalOfProbes ?? "it is missing")")
            return []
        }
        // To a file: what a program writes to its standard error is kept up to a limit.
        let folder = try Files.makeTemporaryFolder(in: Files.temporaryParent)
        defer { Files.removeFolder(folder) }
        let counted = "\(folder)/growths"
        let run = try task.run(path, variables: [GrowthStatistics.variable.name: counted], isInterrupted)
        if let problem = run.problem {
            missing("growths are not counted: \(problem)")
            return []
        }
        let text = (try? Files.read(counted)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        guard let counts = GrowthStatistics(text) else {
            missing("growths are not counted: the program ends without calling exit")
            return []
        }
        let seconds = run.finished.usage.processorTime / 1e9
        let (faults, growths) = (Double(counts.probeFaults), Double(counts.growths))
        return [(Metric.probeFaults, faults), (.stackGrowths, growths), (.growthsPerSecond, growths / seconds)].map {
            Record(suite: "go-compare", case: Variant.probes.title, metric: $0, exactly: $1)
        }
    }
}
