// The same measurement in several processes. A process has its own address space layout, its own heap and, where the
// code is linked for it, its own order of functions, and keeps them: all of its rounds share what these do to a time.
// So a process is one sample, the median of its rounds, and intervals are over processes.

/// What is asked of cases that were measured against each other.
public protocol ComparedCases {
    /// The estimate of a case, in nanoseconds per operation.
    func time(of name: String) throws -> Estimate
    /// The estimate of the ratio of a case to a baseline.
    func ratio(of name: String, to baseline: String) throws -> Estimate
    /// For each null control, the ratio to the case it copies.
    func nullControls() throws -> [(name: String, original: String, ratio: Estimate)]
    /// What else the machine did meanwhile; nil where that is not known.
    var load: MachineLoad? { get }
}

extension MeasurementResult: ComparedCases {}

/// What a measurement found in several processes, each of which is one sample.
public struct ProcessSamples: Sendable, Hashable, ComparedCases {
    /// One for each process, all of the same cases.
    public let processes: [MeasurementResult]
    /// What each process said beside its times, by name.
    public let facts: [[String: Double]]
    /// What the first process said that is no number.
    public let texts: [String: String]

    /// The samples of these processes.
    ///
    /// - Throws: ``MeasurementError/noCases`` without a process.
    public init(
        _ processes: [MeasurementResult], facts: [[String: Double]] = [], texts: [String: String] = [:]
    ) throws {
        guard !processes.isEmpty else { throw MeasurementError.noCases }
        self.processes = processes
        self.facts = facts
        self.texts = texts
    }

    /// The clock that timed the cases.
    public var clock: MeasurementClock { processes[0].clock }
    /// The names of the cases that are no null controls.
    public var names: [String] { processes[0].cases.filter { $0.isNullControlOf == nil }.map(\.name) }
    /// What else the machine did during the process that it disturbed most; nil where that is not known.
    public var load: MachineLoad? { processes.compactMap(\.load).max { $0.others + $0.stolen < $1.others + $1.stolen } }
    /// Kept rounds of each process.
    public var rounds: Int { processes[0].cases.first?.nanosecondsPerOperation.count ?? 0 }

    /// The median of a case in each process, in nanoseconds per operation.
    ///
    /// - Throws: `MeasurementError` where no case has that name; `StatisticsError`.
    public func times(of name: String) throws -> [Double] {
        try processes.map { try Statistics.median($0.samples(of: name).nanosecondsPerOperation) }
    }

    /// The median, over the rounds of each process, of the ratio within a round.
    ///
    /// - Throws: As ``times(of:)``; also where a baseline took no time.
    public func ratios(of name: String, to baseline: String) throws -> [Double] {
        try processes.map { try Statistics.median($0.ratios(of: name, to: baseline)) }
    }

    /// The median over the processes, with its interval.
    ///
    /// - Throws: As ``times(of:)``.
    public func time(of name: String) throws -> Estimate { try .median(of: times(of: name)) }

    /// The median over the processes of the ratio within each, with its interval.
    ///
    /// - Throws: As ``ratios(of:to:)``.
    public func ratio(of name: String, to baseline: String) throws -> Estimate {
        try .median(of: ratios(of: name, to: baseline))
    }

    /// For each null control, the ratio to the case it copies, over processes.
    ///
    /// - Throws: As ``ratios(of:to:)``.
    public func nullControls() throws -> [(name: String, original: String, ratio: Estimate)] {
        try processes[0].cases.compactMap { control in
            guard let original = control.isNullControlOf else { return nil }
            return (control.name, original, try ratio(of: control.name, to: original))
        }
    }

    /// What each process said of `name`, with its interval over processes; nil where one of them said nothing.
    ///
    /// - Throws: `StatisticsError`.
    public func fact(_ name: String) throws -> Estimate? {
        let values = facts.compactMap { $0[name] }
        return values.count == processes.count ? try .median(of: values) : nil
    }
}
