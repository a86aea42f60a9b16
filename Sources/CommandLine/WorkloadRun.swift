// Running a workload on a stack. Input is read, code built and the expected result computed before the stack is made,
// so that times and statistics are those of the workload alone.

import Faultline
import Measurement
import Report
import Workloads

/// A workload that ran, as often as asked, with the right result each time.
struct WorkloadRun {
    let prepared: PreparedWorkload
    let code: LoadedCode
    let configuration: StackConfiguration
    let result: WorkloadResult
    /// Nanoseconds of each repetition.
    let times: [Double]
    /// What the stack went through.
    let stack: FaultStatistics
    /// What the process went through, since the stack was made.
    let process: FaultStatistics

    /// Runs what the options describe. All repetitions run on one stack.
    /// - Throws: `UsageFailure`, `RuntimeFailure`, `WorkloadError`.
    init(_ options: WorkloadOptions, on stackOptions: StackOptions) throws {
        let workload = try options.chosen()
        let configuration = try stackOptions.configuration()
        let variant = try options.variant(for: configuration.strategy)
        let progress = Progress()
        defer { progress.finish() }

        progress.update("\(workload.name): reading the input and computing the expected result")
        let prepared = try Self.prepared(workload, options.input)
        progress.update("\(workload.name): building the \(variant.rawValue) code")
        let code = try CodeLoader().load(
            workload, variant: variant,
            hooks: StackCheckHooks(
                morestack: CheckedCode.morestack, allocateStackSpace: CheckedCode.allocateStackSpace))

        FaultStatistics.resetProcess()
        let count = options.repetitions
        var times: [Double] = []
        // Suspended after each repetition, so that progress is written from this stack.
        let coroutine = try Self.coroutine(configuration, prepared, code, count)
        var finished: WorkloadResult?
        do {
            while finished == nil {
                // The last resume only lets the body return.
                if times.count < count {
                    progress.update("\(workload.name): repetition \(times.count + 1) of \(count)")
                }
                switch try coroutine.resume() {
                case .suspended(let time): times.append(Double(time))
                case .finished(let result): finished = result
                }
            }
        } catch let fault as StackFault {
            throw RuntimeFailure(Self.explanation(of: fault, workload.name, configuration))
        }
        guard let finished else { preconditionFailure("the loop ends with a result") }
        (self.prepared, self.code, self.configuration) = (prepared, code, configuration)
        (result, self.times) = (finished, times)
        (stack, process) = (coroutine.statistics, .process)
    }

    private static func prepared(_ workload: any Workload, _ inputs: [String]) throws -> PreparedWorkload {
        do {
            return try workload.prepare(inputs: inputs)
        } catch {
            guard !inputs.isEmpty else { throw error }
            throw UsageFailure(error.remedy == nil ? "\(error); --input takes: \(workload.inputHelp)" : "\(error)")
        }
    }

    private static func coroutine(
        _ configuration: StackConfiguration, _ prepared: PreparedWorkload, _ code: LoadedCode, _ count: Int
    ) throws -> Coroutine<Void, UInt64, WorkloadResult> {
        do {
            return try Coroutine(configuration: configuration) { stack, _ in
                var last: WorkloadResult?
                for _ in 0..<count {
                    let start = MeasurementClock.monotonic.now()
                    last = try prepared.run(code)
                    try stack.suspend(MeasurementClock.monotonic.now() - start)
                }
                guard let last else { preconditionFailure("there is at least one repetition") }
                return last
            }
        } catch let error as StackError {
            throw RuntimeFailure(error.commandLineText)
        }
    }

    /// What ended the workload and what to do about it.
    private static func explanation(
        of fault: StackFault, _ workload: String, _ configuration: StackConfiguration
    ) -> String {
        guard case .overflow(let overflow) = fault else { return "\(workload): \(fault)" }
        let strategy = configuration.strategy
        if let refused = overflow.refused {
            return "\(workload): no room for its stack after \(overflow.bytesInUse) bytes of \(overflow.limit) "
                + "(strategy '\(strategy.rawValue)'): \(refused.call) failed with \(ErrorNumber.text(refused.errno)); "
                + "free memory"
        }
        let remedy =
            switch strategy {
            case .growsDown:
                "'grows-down' is bounded by RLIMIT_STACK, now \(StackLimit.current) bytes: raise it with ulimit -s, "
                    + "and --maximum where you set it"
            case .automatic, .fixed, .demand, .checkFixed: "raise --maximum, or choose a strategy that grows"
            case .fault, .faultMove, .checkMove, .checkSegment: "raise --maximum"
            }
        return "\(workload): stack overflow: the limit of \(overflow.limit) bytes (strategy '\(strategy.rawValue)') is "
            + "reached; \(remedy)"
    }
}
