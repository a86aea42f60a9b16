// The records of several runs as one list. A record and those of the same name, metric and identifying parameters in
// other runs become one whose median is that of their medians and whose interval holds all of theirs: two or three
// machines are too few for a distribution of machines. What else was found is put together, too.

import Measurement

extension ParameterName {
    /// How many runs have the record.
    public static let runs = ParameterName("runs")
    /// The largest median of a run to the smallest.
    public static let spreadBetweenRuns = ParameterName("spread-between-runs")
}

extension Record {
    private struct Identity: Hashable {
        var suite: String
        var name: String
        var metric: String
        var parameters: [ParameterName: ParameterValue]
        /// Of several that have all of the above in one run.
        var occurrence = 0
    }

    /// The parameters that tell what it is a record of: those of other metrics of the same.
    public var identifyingParameters: [ParameterName: ParameterValue] { parameters.filter { $0.key.isIdentifying } }

    private var identity: Identity {
        Identity(suite: suite, name: name, metric: metric, parameters: identifyingParameters)
    }

    /// The records of several runs, in the order of the first run that has each.
    public static func merged(_ runs: [[Record]]) -> [Record] {
        var order: [Identity] = []
        var groups: [Identity: [Record]] = [:]
        for records in runs {
            var seen: [Identity: Int] = [:]
            for record in records {
                var identity = record.identity
                seen[identity, default: 0] += 1
                identity.occurrence = seen[identity]!
                if groups[identity] == nil { order.append(identity) }
                groups[identity, default: []].append(record)
            }
        }
        return order.map { merged(groups[$0]!) }
    }

    private static func merged(_ records: [Record]) -> Record {
        var merged = records[0]
        guard records.count > 1 else {
            merged.parameters[.runs] = 1
            return merged
        }
        for name in Set(records.flatMap(\.parameters.keys)) where !name.isIdentifying {
            merged.parameters[name] = found(name, records.compactMap { $0.parameters[name] })
        }
        merged.parameters[.runs] = .int(records.count)
        let medians = records.map(\.median).sorted()
        merged.median = Statistics.medianOfSorted(medians)
        merged.low = records.map(\.low).min()!
        merged.high = records.map(\.high).max()!
        merged.samples = records.map(\.samples).reduce(0, +)
        // What was counted, but not alike, is a sample of each run.
        if merged.samples == 0, medians.first != medians.last { merged.samples = records.count }
        if medians[0] > 0 {
            merged.parameters[.spreadBetweenRuns] = .double((1000 * medians.last! / medians[0]).rounded() / 1000)
        }
        return merged
    }

    /// What runs found, as one: the most of what warns, the sum of samples, the median of other numbers, and all
    /// different words.
    private static func found(_ name: ParameterName, _ values: [ParameterValue]) -> ParameterValue {
        if name == .unended { return .int(values.compactMap(\.whole).reduce(0, +)) }
        if Set(values).count == 1 { return values[0] }
        let numbers = values.compactMap(\.number)
        if numbers.count == values.count {
            let number = name == .othersProcessors ? numbers.max()! : Statistics.medianOfSorted(numbers.sorted())
            return number == number.rounded() && abs(number) < 1e15 ? .int(Int(number)) : .double(number)
        }
        if values.contains(true) { return true }
        var texts: [String] = []
        for text in values.map(\.description) where !texts.contains(text) { texts.append(text) }
        return .string(texts.joined(separator: " or "))
    }
}
