// The time of one growth, part by part. Each part is measured by itself, so that their sum can miss the total; what it
// misses is a record like the others.
//
//     before the store                                                            the store is done
//     | exception and delivery | handler: own work, system calls | return | retry and demand fault |
//       delivery, by a handler   handler total, less the calls     by an     the same store where
//       in front                 timed in the same growth          empty     room is there
//                                                                  handler

import Faultline
import Measurement
import Report

/// The parts of a growth, in the order in which they happen.
public enum GrowthPart: String, CaseIterable, Sendable {
    /// From the store that faults to the handler's first instruction.
    case delivery = "exception-and-delivery"
    /// In the handler, without its system calls.
    case handler = "handler"
    /// The handler's system calls.
    case systemCalls = "system-calls"
    /// The kernel's way back from a handler.
    case signalReturn = "signal-return"
    /// The store again, for which the kernel supplies a page.
    case demandFault = "demand-fault"
    /// The total less all of the above.
    case remainder = "remainder"

    /// What records call it.
    package var metric: Metric { Metric(rawValue, .nanoseconds) }
}

/// Gathers the parts of growths while a case runs.
package final class GrowthPartsRecorder {
    /// Nanoseconds per growth, of one batch.
    private struct Sample {
        var delivery = 0.0
        var handler = 0.0
        var systemCalls = 0.0
        var total = 0.0
    }

    package let kind: GrowthKind
    private var samples: [Sample] = []

    package init(_ kind: GrowthKind) { self.kind = kind }

    /// Growths taken apart: a case beside the one that times them as a whole, because of the clock around each system
    /// call.
    package var measurementCase: MeasurementCase {
        MeasurementCase(selfTimed: "\(kind.name) in parts") { [self] count in
            var sum = Sample()
            for _ in 0..<count {
                let times = try kind.perform(.inParts)
                sum.delivery += Double(times.parts.delivery)
                sum.handler += Double(times.parts.handler)
                sum.systemCalls += Double(times.systemCalls)
                sum.total += Double(times.parts.total)
            }
            let each = Double(count)
            samples.append(
                Sample(
                    delivery: sum.delivery / each, handler: sum.handler / each, systemCalls: sum.systemCalls / each,
                    total: sum.total / each))
            return UInt64(sum.total)
        }
    }

    /// The records of the parts over the last `rounds` batches; the ones before were to warm up.
    ///
    /// - Parameters:
    ///   - signalReturn: What the kernel's way back takes, in nanoseconds.
    ///   - demandFault: What the store takes where room is there.
    package func records(
        suite: String, rounds: Int, signalReturn: Estimate, demandFault: Estimate
    ) throws -> [Record] {
        let kept = samples.suffix(rounds)
        func median(_ part: (Sample) -> Double) throws -> Estimate { try Estimate.median(of: kept.map(part)) }
        let systemCalls = try median(\.systemCalls)
        let estimates: [(GrowthPart, Estimate)] =
            kind.mechanism == .trap
            ? [
                (.delivery, try median(\.delivery)), (.handler, try median { $0.handler - $0.systemCalls }),
                (.systemCalls, systemCalls), (.signalReturn, signalReturn), (.demandFault, demandFault),
                (
                    .remainder,
                    try median { $0.total - $0.delivery - $0.handler - signalReturn.median - demandFault.median }
                ),
            ] : [(.handler, try median { $0.total - $0.systemCalls }), (.systemCalls, systemCalls)]
        return estimates.map { part, estimate in
            Record(
                suite: suite, case: kind.name, metric: part.metric, estimate: estimate,
                parameters: kind.parameters)
        }
    }
}
