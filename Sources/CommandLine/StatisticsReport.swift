// Fault statistics as a table, as records of the suite `statistics` and as Prometheus metrics, from one list of
// counters.

import Experiments
import Faultline
import Measurement
import Report

/// The statistics of the process and of one stack.
struct StatisticsReport {
    let process: FaultStatistics
    let stack: FaultStatistics
    /// What ran.
    let workload: String
    /// Of the run, for records.
    let parameters: [ParameterName: ParameterValue]

    /// One number of `FaultStatistics`, with its names in each format.
    private struct Counter {
        /// In records.
        let metric: String
        let unit: MetricUnit
        /// In Prometheus, without prefix and `_total`; nil for what is no counter.
        let name: String?
        let help: String
        var label: (name: String, value: String)?
        let value: (FaultStatistics) -> Int

        init(
            _ metric: String, _ unit: MetricUnit = .count, name: String? = nil, help: String,
            label: (name: String, value: String)? = nil, _ value: @escaping (FaultStatistics) -> Int
        ) {
            (self.metric, self.unit, self.name, self.help) = (metric, unit, name, help)
            (self.label, self.value) = (label, value)
        }
    }

    private static var counters: [Counter] { traps + growth + moves + checks + idle + times }

    private static var traps: [Counter] {
        FaultStatistics.verdicts.map { verdict in
            Counter("traps", name: "traps", help: "Faults by verdict.", label: ("verdict", verdict)) {
                $0.traps[verdict] ?? 0
            }
        }
    }

    private static var growth: [Counter] {
        [
            Counter("growths", name: "growths", help: "Times that room was made.", \.growths),
            Counter(
                "bytes-committed", .bytes, name: "committed_bytes", help: "Bytes that growth made usable.",
                \.bytesCommitted),
            Counter("overflows", name: "overflows", help: "Overflows, contained or not.", \.overflows),
            Counter(highWater, .bytes, help: highWaterHelp, \.highWaterMark),
        ]
    }

    private static var moves: [Counter] {
        PageMover.allCases.map { mover in
            Counter(
                "moves", name: "moves", help: "Moves by the mover that finished them.",
                label: ("mover", mover.rawValue)
            ) { $0.moves[mover] ?? 0 }
        } + [
            Counter("bytes-moved", .bytes, name: "moved_bytes", help: "Bytes of live stack that moved.", \.bytesMoved),
            Counter(
                "words-scanned", name: "scanned_words", help: "Words that moves compared with the old range.",
                \.wordsScanned),
            Counter(
                "words-relocated", name: "relocated_words", help: "Words and registers that moves adjusted.",
                \.wordsRelocated),
            Counter("forwards", name: "forwards", help: "Stale accesses that were redirected.", \.forwards),
        ]
    }

    private static var checks: [Counter] {
        [
            Counter("checks-failed", name: "failed_checks", help: "Prologue checks that failed.", \.checksFailed),
            Counter("segments", name: "segments", help: "Segments that check-segment added.", \.segments),
        ]
    }

    private static var idle: [Counter] {
        [
            Counter("hibernations", name: "hibernations", help: "Times that a coroutine hibernated.", \.hibernations),
            Counter(
                "bytes-stored", .bytes, name: "stored_bytes", help: "Bytes that hibernations put into the store.",
                \.bytesStored),
            Counter(
                "wake-ups-by-resume", name: "wake_ups_by_resume", help: "Hibernated coroutines restored by a resume.",
                \.wakeUpsByResume),
            Counter(
                "wake-ups-by-fault", name: "wake_ups_by_fault", help: "Hibernated coroutines restored by an access.",
                \.wakeUpsByFault),
            Counter(
                "shrinks", name: "shrinks", help: "Times that shrinking gave pages back or moved a stack.", \.shrinks),
            Counter(
                "bytes-released", .bytes, name: "released_bytes", help: "Bytes that shrinking gave back.",
                \.bytesReleased),
        ]
    }

    private static var times: [Counter] {
        [
            Counter("handler-runs", name: "handler_runs", help: "Times that the handler ran.", \.handlerTime.count),
            Counter("handler-p50", .nanoseconds, help: handlerTimeHelp, \.handlerTime.p50),
            Counter("handler-p99", .nanoseconds, help: handlerTimeHelp, \.handlerTime.p99),
            Counter("handler-max", .nanoseconds, help: handlerTimeHelp, \.handlerTime.max),
        ]
    }

    private static let highWater = "high-water"
    private static let highWaterHelp = "Maximum bytes of one stack in use at a trap, failed check or overflow."
    private static let handlerTimeHelp =
        "Time in the handler; quantiles are upper bounds of buckets of a quarter octave."

    /// For people; what is zero for both is left out.
    var table: String {
        var table = TextTable([.init("statistics"), .init("process", .right), .init("stack", .right)])
        for counter in Self.counters {
            let values = [process, stack].map(counter.value)
            guard values.contains(where: { $0 != 0 }) else { continue }
            let name = counter.label.map { "\(counter.metric) (\($0.value))" } ?? counter.metric
            table.append([name] + values.map { QuantityFormatter.string(Double($0), counter.unit) })
        }
        let text = table.rendered()
        return text.isEmpty ? "statistics: all counters are zero\n" : text
    }

    /// Every counter, of the process and of the stack; the parameter `scope` says of which.
    var records: [Record] {
        [("process", process), ("stack", stack)].flatMap { scope, statistics in
            Self.counters.map { counter in
                var own = parameters
                own[ParameterName("scope")] = .string(scope)
                if let label = counter.label { own[ParameterName(label.name)] = .string(label.value) }
                return Record(
                    suite: "statistics", case: workload, metric: Metric(counter.metric, counter.unit),
                    exactly: Double(counter.value(statistics)), parameters: own)
            }
        }
    }

    /// The text exposition format. The stack's metrics have names of their own: with a label instead, sums over all
    /// labels would count it twice.
    func prometheus() throws -> String {
        try PrometheusText.render(
            Self.families(process, prefix: "", of: "The whole process. ")
                + Self.families(stack, prefix: "stack_", of: "The workload's stack. "))
    }

    private static func families(_ statistics: FaultStatistics, prefix: String, of scope: String) -> [PrometheusFamily]
    {
        var families: [PrometheusFamily] = []
        var samples: [String: [PrometheusFamily.Sample]] = [:]
        for counter in counters {
            guard let name = counter.name else { continue }
            let labels = counter.label.map { [$0.name: $0.value] } ?? [:]
            let full = "\(PrometheusFamily.prefix)\(prefix)\(name)_total"
            samples[full, default: []].append(.init(Double(counter.value(statistics)), labels: labels))
            // Samples of one name follow one another: the last one has them all.
            if families.last?.name == full { families.removeLast() }
            families.append(PrometheusFamily(full, help: scope + counter.help, .counter(samples[full] ?? [])))
        }
        families.append(
            PrometheusFamily(
                "\(PrometheusFamily.prefix)\(prefix)high_water_bytes", help: scope + highWaterHelp,
                .gauge([.init(Double(statistics.highWaterMark))])))
        // Gauges: the sum that a summary needs is not kept.
        let time = statistics.handlerTime
        families.append(
            PrometheusFamily(
                "\(PrometheusFamily.prefix)\(prefix)handler_time_seconds", help: scope + handlerTimeHelp,
                .gauge(
                    [("0.5", time.p50), ("0.99", time.p99), ("1", time.max)].map { quantile, nanoseconds in
                        .init(Double(nanoseconds) / 1e9, labels: ["quantile": quantile])
                    })))
        return families
    }
}

extension WorkloadRun {
    /// What the process and the stack went through.
    var statistics: StatisticsReport {
        StatisticsReport(process: process, stack: stack, workload: prepared.name, parameters: parameters)
    }
}
