// Rounds of all cases, in an order drawn anew for each round.
//
// Invariants: every case has exactly one sample per kept round; samples of one round share its index in every case;
// the order of the cases and nothing else depends on the seed.

/// Times several cases against each other in one process and one run.
///
/// The cases take turns, so that a change of clock speed or a busy neighbour meets all of them; the order within a
/// round is shuffled, so that no case always follows the same other one.
///
///     let result = try InterleavedMeasurement(
///         cases: [plain, checked, plain.nullControl()], settings: .quick
///     ).run()
///     let ratio = try result.ratio(of: "checked", to: "plain")
public struct InterleavedMeasurement {
    /// How long and how often to measure.
    public struct Settings: Sendable, Hashable {
        /// A batch takes at least this long, in nanoseconds; 1 or more.
        public var targetBatch: UInt64
        /// Under ``IterationPolicy/shared``, no batch is made longer than about this, in nanoseconds.
        public var longestBatch: UInt64
        /// Rounds that are kept, 1 or more.
        public var rounds: Int
        /// Rounds that run first and are discarded, 0 or more.
        public var warmUpRounds: Int
        /// How iteration counts are chosen.
        public var iterations: IterationPolicy
        /// The clock that times the cases.
        public var clock: MeasurementClock
        /// Determines the order of the cases in each round.
        public var seed: UInt64

        /// Settings, each with the value of ``quick`` unless given.
        public init(
            targetBatch: UInt64 = 200_000, longestBatch: UInt64 = 2_000_000, rounds: Int = 31,
            warmUpRounds: Int = 3, iterations: IterationPolicy = .shared,
            clock: MeasurementClock = .monotonic, seed: UInt64 = 1
        ) {
            self.targetBatch = targetBatch
            self.longestBatch = longestBatch
            self.rounds = rounds
            self.warmUpRounds = warmUpRounds
            self.iterations = iterations
            self.clock = clock
            self.seed = seed
        }

        /// Batches of 200 µs, 31 rounds: from 7 ms per case to, for slow ones, ten times that.
        public static let quick = Settings()

        /// Batches of 2 ms, 101 rounds: from 0.2 s per case to, for slow ones, ten times that.
        public static let full = Settings(
            targetBatch: 2_000_000, longestBatch: 20_000_000, rounds: 101, warmUpRounds: 5)
    }

    /// Where a running measurement is.
    public struct Position: Sendable, Hashable {
        /// Rounds done, warm-up included.
        public var finishedRounds: Int
        /// All rounds, warm-up included.
        public var totalRounds: Int

        /// A position.
        public init(finishedRounds: Int, totalRounds: Int) {
            self.finishedRounds = finishedRounds
            self.totalRounds = totalRounds
        }
    }

    /// The cases, in the order in which results list them.
    public let cases: [MeasurementCase]
    /// How long and how often to measure.
    public let settings: Settings

    /// A measurement of `cases`.
    ///
    /// - Throws: ``MeasurementError`` when there is no case, two have one name, or a setting is out of its range.
    public init(cases: [MeasurementCase], settings: Settings = .quick) throws {
        guard !cases.isEmpty else { throw MeasurementError.noCases }
        var names = Set<String>()
        for measured in cases {
            guard names.insert(measured.name).inserted else {
                throw MeasurementError.duplicateCase(measured.name)
            }
            try Self.require(measured.maximumIterations ?? 1, minimum: 1, "maximumIterations")
        }
        try Self.require(settings.rounds, minimum: 1, "rounds")
        try Self.require(settings.warmUpRounds, minimum: 0, "warmUpRounds")
        try Self.require(Int(clamping: settings.targetBatch), minimum: 1, "targetBatch")
        if case .fixed(let count) = settings.iterations {
            try Self.require(count, minimum: 1, "iterations")
        }
        self.cases = cases
        self.settings = settings
    }

    private static func require(_ value: Int, minimum: Int, _ setting: String) throws {
        guard value >= minimum else {
            throw MeasurementError.settingTooSmall(setting: setting, value: value, minimum: minimum)
        }
    }

    /// Calibrates, warms up and measures, on the calling thread.
    ///
    /// - Parameter afterRound: Called between rounds, outside every timed region; an error it throws ends the
    ///   measurement, which is how one is interrupted.
    /// - Returns: One sample per case and kept round.
    /// - Throws: What a body, a setup, a teardown or `afterRound` threw.
    public func run(afterRound: ((Position) throws -> Void)? = nil) throws -> MeasurementResult {
        let iterations = try iterationCounts()
        var generator = SeededGenerator(seed: settings.seed)
        var samples = [[Double]](repeating: [], count: cases.count)
        var orders: [[Int]] = []
        let total = settings.warmUpRounds + settings.rounds
        for round in 0..<total {
            let order = generator.permutation(of: cases.count)
            let isKept = round >= settings.warmUpRounds
            for index in order {
                let batch = try cases[index].run(
                    iterations: iterations[index], clock: settings.clock)
                if isKept {
                    samples[index].append(Double(batch.timed) / Double(iterations[index]))
                }
            }
            if isKept { orders.append(order) }
            try afterRound?(Position(finishedRounds: round + 1, totalRounds: total))
        }
        return MeasurementResult(
            cases: cases.indices.map { index in
                CaseSamples(
                    name: cases[index].name, isNullControlOf: cases[index].isNullControlOf,
                    iterations: iterations[index], nanosecondsPerOperation: samples[index])
            },
            orders: orders, clock: settings.clock, seed: settings.seed)
    }

    private func iterationCounts() throws -> [Int] {
        if case .fixed(let count) = settings.iterations {
            return cases.map { min(count, $0.maximumIterations ?? count) }
        }
        let patience = max(settings.longestBatch, settings.targetBatch)
        let calibrations = try cases.map { measured in
            try Calibration.calibrate(
                measured, target: settings.targetBatch, patience: patience, clock: settings.clock)
        }
        return Calibration.counts(
            calibrations, of: cases, shared: settings.iterations == .shared, longestBatch: patience)
    }
}

/// What is wrong with a measurement or with a question asked of its result; one line each.
public enum MeasurementError: Error, Hashable, CustomStringConvertible {
    /// There is nothing to measure.
    case noCases
    /// Two cases have this name.
    case duplicateCase(String)
    /// A setting is below its minimum.
    case settingTooSmall(setting: String, value: Int, minimum: Int)
    /// No case has this name; the names there are.
    case unknownCase(String, known: [String])

    public var description: String {
        switch self {
        case .noCases:
            "a measurement needs at least one case"
        case .duplicateCase(let name):
            "two cases are named '\(name)': give each case a name of its own"
        case .settingTooSmall(let setting, let value, let minimum):
            "\(setting) is \(value): it must be at least \(minimum)"
        case .unknownCase(let name, let known):
            "no case is named '\(name)': the cases are \(known.joined(separator: ", "))"
        }
    }
}
