// The samples of a finished measurement, and the questions they answer.

/// The samples of one case.
public struct CaseSamples: Sendable, Hashable, Codable {
    /// What the case is called.
    public let name: String
    /// The name of the case this one is an identical copy of, when it is a null control.
    public let isNullControlOf: String?
    /// Operations in each batch.
    public let iterations: Int
    /// One sample per round, in nanoseconds per operation, in the order of the rounds; nothing is left out.
    public let nanosecondsPerOperation: [Double]

    /// Samples gathered elsewhere, for instance by a program of another language.
    public init(
        name: String, isNullControlOf: String? = nil, iterations: Int, nanosecondsPerOperation: [Double]
    ) {
        self.name = name
        self.isNullControlOf = isNullControlOf
        self.iterations = iterations
        self.nanosecondsPerOperation = nanosecondsPerOperation
    }
}

/// What an ``InterleavedMeasurement`` found.
public struct MeasurementResult: Sendable, Hashable, Codable {
    /// The samples, in the order in which the cases were given.
    public let cases: [CaseSamples]
    /// The order in which the cases ran in each kept round, as indices into ``cases``.
    public let orders: [[Int]]
    /// The clock that timed the cases.
    public let clock: MeasurementClock
    /// What determined the orders.
    public let seed: UInt64
    /// What else the machine did meanwhile; nil where that is not known.
    public var load: MachineLoad?

    /// A result put together from samples; `orders` may be empty when the order is unknown.
    public init(
        cases: [CaseSamples], orders: [[Int]] = [], clock: MeasurementClock, seed: UInt64
    ) {
        self.cases = cases
        self.orders = orders
        self.clock = clock
        self.seed = seed
    }

    /// The samples of the case called `name`.
    ///
    /// - Throws: ``MeasurementError/unknownCase(_:known:)``.
    public func samples(of name: String) throws -> CaseSamples {
        guard let found = cases.first(where: { $0.name == name }) else {
            throw MeasurementError.unknownCase(name, known: cases.map(\.name))
        }
        return found
    }

    /// The median of a case with its 95 % interval, in nanoseconds per operation.
    ///
    /// - Throws: ``MeasurementError/unknownCase(_:known:)``, ``StatisticsError``.
    public func time(of name: String) throws -> Estimate {
        try Estimate.median(of: samples(of: name).nanosecondsPerOperation)
    }

    /// The ratio of a case to a baseline in each round, in the order of the rounds.
    ///
    /// - Throws: ``MeasurementError/unknownCase(_:known:)``; ``StatisticsError`` when a sample of the baseline is 0.
    public func ratios(of name: String, to baseline: String) throws -> [Double] {
        try Statistics.pairedRatios(
            samples(of: name).nanosecondsPerOperation,
            to: samples(of: baseline).nanosecondsPerOperation)
    }

    /// The median over the rounds of the ratio within a round, with its 95 % interval. Lower is better.
    ///
    /// - Throws: As ``ratios(of:to:)``.
    public func ratio(of name: String, to baseline: String) throws -> Estimate {
        try Estimate.median(of: ratios(of: name, to: baseline))
    }

    /// For each null control, the ratio to the case it copies: how far from 1 noise alone takes a ratio.
    ///
    /// - Throws: As ``ratios(of:to:)``.
    public func nullControls() throws -> [(name: String, original: String, ratio: Estimate)] {
        try cases.compactMap { control in
            guard let original = control.isNullControlOf else { return nil }
            return (control.name, original, try ratio(of: control.name, to: original))
        }
    }
}
