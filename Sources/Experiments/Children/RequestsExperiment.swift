// Serves requests one after the other, each on a stack that begins with its initial size: parse, walk, destroy.

import Faultline
import Measurement
import Workloads

extension Finding {
    package static let moves = Finding("moves")
    // Of the latencies, in nanoseconds.
    package static let p50 = Finding("p50")
    package static let p99 = Finding("p99")
    package static let p999 = Finding("p99.9")
}

struct RequestsExperiment: Experiment {
    let name = "requests"

    /// Options: `count`; those of a stack (`strategy`, `initial`, …).
    func run(_ options: ExperimentOptions, _ found: Found) throws {
        let count = try options.number("count")
        let configuration = try options.stackConfiguration()
        let requests = try RequestDocuments.prepared()
        let code = try CodeLoader().load(
            JSONWorkload(), variant: configuration.strategy.needsChecks ? .checked : .plain,
            hooks: StackCheckHooks(
                morestack: CheckedCode.morestack, allocateStackSpace: CheckedCode.allocateStackSpace))
        // Once on a large stack: metadata of the language and the allocator's first memory are not a request's work.
        let large = StackConfiguration(strategy: configuration.strategy.needsChecks ? .checkFixed : .demand)
        for request in requests { _ = try withStack(large) { try request.run(code) } }
        try found(.begun, 1)
        // And once each as they will be, for what the library does once.
        for request in requests { _ = try withStack(configuration) { try request.run(code) } }
        FaultStatistics.resetProcess()
        var latencies = LatencyHistogram()
        let began = MeasurementClock.processTime.now()
        for index in 0..<count {
            let request = requests[index % requests.count]
            let start = MeasurementClock.monotonic.now()
            _ = try withStack(configuration) { try request.run(code) }
            latencies.record(MeasurementClock.monotonic.now() - start)
        }
        let took = MeasurementClock.processTime.now() - began
        let statistics = FaultStatistics.process
        try found(.time, took)
        try found(.growths, statistics.growths)
        try found(.moves, statistics.moves.values.reduce(0, +))
        try found(.p50, latencies.p50 ?? 0)
        try found(.p99, latencies.p99 ?? 0)
        try found(.p999, latencies.p999 ?? 0)
        Experiments.finish()
    }
}
