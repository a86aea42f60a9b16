// What the suites of `faultline bench` share. A new suite is a new file and a line in the list.

import Experiments
import Faultline
import Measurement
import Peers
import Report

extension ParameterName {
    /// How many coroutines take turns.
    static let coroutines = ParameterName("coroutines")
}

/// A group of cases that are measured together.
public protocol BenchSuite: Sendable {
    /// What users call it, and the `suite` of its records.
    var name: String { get }
    /// One line for the help text.
    var summary: String { get }
    /// Measures the cases. What cannot be measured here is left out with a note.
    func records(_ laboratory: Laboratory) throws -> [Record]
}

public enum BenchSuites {
    /// In the order in which they run and are listed.
    public static let all: [any BenchSuite] = [
        SwitchSuite(), SpawnSuite(), GeneratorSuite(), GrowableSuite(), HeadroomSuite(), GrowthSuite(), MoveSuite(),
        TrapSuite(), ChecksSuite(), MemorySuite(), ConnectionsSuite(), ContentionSuite(),
    ]

    public static var names: String { all.map(\.name).joined(separator: ", ") }
}
