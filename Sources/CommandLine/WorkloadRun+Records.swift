// A run as records and as a table.

import Experiments
import Faultline
import Measurement
import Report

extension ParameterName {
    fileprivate static let code = ParameterName("code")
    fileprivate static let result = ParameterName("result")
    fileprivate static let checksum = ParameterName("checksum")
    fileprivate static let maximum = ParameterName("maximum")
    static let reservation = ParameterName("reservation")
}

extension WorkloadRun {
    /// The configuration that the stack had, as names and texts in the order of the help text's table.
    private var stackFacts: [(name: String, value: String)] {
        var facts = [("strategy", configuration.strategy.rawValue)]
        for option in StackOption.allCases where option.isUsed(by: configuration.strategy) {
            let value =
                switch option {
                case .initial: configuration.initial.map(Self.size)
                case .maximum: configuration.maximum.map(Self.size)
                case .reservation: configuration.reservation.map(Self.size)
                case .guardKind: configuration.guardKind?.rawValue
                case .mover: configuration.mover?.rawValue ?? "automatic"
                }
            if let value { facts.append((option.rawValue, value)) }
        }
        return facts
    }

    private static func size(_ bytes: Int) -> String { ByteSize(bytes: bytes).description }

    /// What is needed to repeat the run.
    var parameters: [ParameterName: ParameterValue] {
        var parameters: [ParameterName: ParameterValue] = [
            .code: .string(code.variant.rawValue), .language: .string(code.language.rawValue),
            .result: .string(result.summary),
            // As text, because not every reader of JSON keeps 64 bits of a number.
            .checksum: .string(String(result.checksum)),
        ]
        for (name, value) in stackFacts { parameters[ParameterName(name)] = .string(value) }
        for (name, bytes) in [
            (ParameterName.initial, configuration.initial), (.maximum, configuration.maximum),
            (.reservation, configuration.reservation),
        ] where parameters[name] != nil {
            if let bytes { parameters[name] = .int(bytes) }
        }
        return parameters
    }

    /// Time and size of the work.
    func records() throws -> [Record] {
        [
            Record(suite: "run", case: prepared.name, metric: .time, estimate: try time, parameters: parameters),
            Record(
                suite: "run", case: prepared.name, metric: Metric("operations", .count),
                exactly: Double(result.operations), parameters: parameters),
        ]
    }

    private var time: Estimate { get throws { try Estimate.median(of: times) } }

    /// The run for people.
    func table() throws -> String {
        var table = TextTable([.init("run"), .init(prepared.name)])
        table.append(["result", result.summary])
        let time = try time
        table.append([
            "time",
            QuantityFormatter.string(time, .nanoseconds)
                + (times.count > 1 ? ", median of \(times.count) repetitions" : ""),
        ])
        table.append(["code", "\(code.language.rawValue), \(code.variant.rawValue)"])
        for (name, value) in stackFacts { table.append([name, value]) }
        return table.rendered()
    }
}
