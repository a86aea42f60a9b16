// The time of one growth, part by part. Each part is measured by itself, so that their sum can miss the total; what it misses is
// a record like the others.
//
//     before the store                                                            the store is done
//     | exception and delivery | handler: own work, system calls | return | retry and demand fault |
//       delivery, by a handler   handler total, less the calls     by an     the same store where
//       in front                 timed while they are made         empty     room is there
//                                                                  handler

import CPeers
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
}

/// Gathers the parts of growths while cases run.
final class GrowthPartsRecorder {
    /// Sums of one batch, per growth.
    private struct Sample {
        var delivery = 0.0
        var handler = 0.0
        var systemCalls = 0.0
        var total = 0.0
    }

    let kind: GrowthKind
    private var watched: [Sample] = []
    private var called: [Double] = []

    init(_ kind: GrowthKind) { self.kind = kind }

    /// Growths taken apart, and growths whose system calls are timed: two cases, because the clock around each call would
    /// be part of the handler's time.
    var cases: [MeasurementCase] {
        let parts = MeasurementCase(selfTimed: "\(kind.name) in parts") { [self] count in
            var sample = Sample()
            for _ in 0..<count {
                let parts = try kind.perform(.inParts)
                sample.delivery += Double(parts.delivery)
                sample.handler += Double(parts.handler)
                sample.total += Double(parts.total)
            }
            watched.append(
                Sample(
                    delivery: sample.delivery / Double(count), handler: sample.handler / Double(count),
                    total: sample.total / Double(count)))
            return UInt64(sample.total)
        }
        let calls = MeasurementCase(selfTimed: "\(kind.name) system calls") { [self] count in
            var took: UInt64 = 0
            for _ in 0..<count { took += try kind.perform(.callsTimed).handler }
            called.append(Double(took) / Double(count))
            return took
        }
        return kind.means == .demand ? [] : [parts, calls]
    }

    /// The records of the parts over the last `rounds` batches; the ones before were to warm up.
    ///
    /// - Parameters:
    ///   - signalReturn: What the kernel's way back takes, in nanoseconds.
    ///   - demandFault: What the store takes where room is there.
    func records(
        suite: String, rounds: Int, signalReturn: Estimate, demandFault: Estimate, bootstrap: Bootstrap
    ) throws -> [Record] {
        let kept = watched.suffix(rounds)
        let calls = try bootstrap.median(of: called.suffix(rounds))
        var estimates: [(GrowthPart, Estimate)] = []
        if kind.means == .trap {
            // Samples of different cases of one round: the order says which belong together.
            let own = zip(kept, called.suffix(rounds)).map { $0.handler - $1 }
            estimates = [
                (.delivery, try bootstrap.median(of: kept.map(\.delivery))),
                (.handler, try bootstrap.median(of: own)), (.systemCalls, calls), (.signalReturn, signalReturn),
                (.demandFault, demandFault),
                (
                    .remainder,
                    try bootstrap.median(
                        of: kept.map {
                            $0.total - $0.delivery - $0.handler - signalReturn.median - demandFault.median
                        })
                ),
            ]
        } else {
            let own = zip(kept, called.suffix(rounds)).map { $0.total - $1 }
            estimates = [(.handler, try bootstrap.median(of: own)), (.systemCalls, calls)]
        }
        return estimates.map { part, estimate in
            Record(
                suite: suite, case: kind.name, metric: part.rawValue, unit: .nanoseconds, estimate: estimate,
                parameters: kind.parameters)
        }
    }
}
