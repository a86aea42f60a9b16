// The records of a finished measurement: a time per case, a ratio per comparison, a ratio per null control.

import Measurement

extension Record {
    /// The records of a measurement.
    ///
    /// - Parameters:
    ///   - result: The measurement.
    ///   - suite: The suite of all its records.
    ///   - comparisons: Cases and what each is compared with, in the order in which the ratios are listed.
    ///   - parameters: Added to every record.
    /// - Returns: A record with metric `time` for each case that is no null control, a ratio for each comparison, and
    ///   a ratio with the parameter `null-control` for each null control.
    /// - Throws: `MeasurementError` when a comparison names an unknown case, `StatisticsError` when a baseline took no
    ///   time at all.
    public static func records(
        of result: MeasurementResult, suite: String, comparisons: [(case: String, baseline: String)] = [],
        parameters: [ParameterName: ParameterValue] = [:]
    ) throws -> [Record] {
        var shared = parameters
        shared[.clock] = .clock(result.clock)
        shared[.seed] = .string(String(result.seed))
        shared[.othersProcessors] = result.load.flatMap(ParameterValue.disturbance)
        let times = try result.cases.filter { $0.isNullControlOf == nil }.map { samples in
            var own = shared
            own[.iterations] = .int(samples.iterations)
            own[.outliers] = .int(try Statistics.outliers(samples.nanosecondsPerOperation).count)
            return Record(
                suite: suite, case: samples.name, metric: .time, estimate: try result.time(of: samples.name),
                parameters: own)
        }
        return try times + ratios(of: result, suite, comparisons, shared)
    }

    /// The records of a measurement in several processes, each of which is a sample.
    ///
    /// - Parameters: Those of a measurement in one process.
    /// - Returns: The same records, which say how many processes there were.
    /// - Throws: The same errors.
    public static func records(
        of result: ProcessSamples, suite: String, comparisons: [(case: String, baseline: String)] = [],
        parameters: [ParameterName: ParameterValue] = [:]
    ) throws -> [Record] {
        var shared = parameters
        shared[.clock] = .clock(result.clock)
        shared[.processes] = .int(result.processes.count)
        shared[.rounds] = .int(result.rounds)
        shared[.othersProcessors] = result.load.flatMap(ParameterValue.disturbance)
        let times = try result.names.map { name in
            Record(suite: suite, case: name, metric: .time, estimate: try result.time(of: name), parameters: shared)
        }
        return try times + ratios(of: result, suite, comparisons, shared)
    }

    private static func ratios(
        of result: some ComparedCases, _ suite: String, _ comparisons: [(case: String, baseline: String)],
        _ shared: [ParameterName: ParameterValue]
    ) throws -> [Record] {
        var records: [Record] = []
        for (name, baseline) in comparisons {
            records.append(
                .ratio(
                    suite: suite, case: name, baseline: baseline,
                    estimate: try result.ratio(of: name, to: baseline), parameters: shared))
        }
        for control in try result.nullControls() {
            var own = shared
            own[.nullControl] = true
            records.append(
                .ratio(
                    suite: suite, case: control.name, baseline: control.original,
                    estimate: control.ratio, parameters: own))
        }
        return records
    }
}
