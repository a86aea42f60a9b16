// What became of the tests that hazards name.

/// What became of tests: the file that `swift test --xunit-output` writes.
public struct TestOutcomes: Sendable {
    /// A test: the names of target and suites joined by points, its own name, and whether it failed.
    struct Outcome: Sendable {
        let suite: String
        let test: String
        let failed: Bool
    }

    private let outcomes: [Outcome]

    /// The outcomes in the text of such a file.
    public init(_ text: String) {
        var outcomes: [Outcome] = []
        for element in text.split(separator: "<testcase ").dropFirst() {
            guard let suite = Self.attribute("classname", of: element), let test = Self.attribute("name", of: element)
            else { continue }
            outcomes.append(
                Outcome(suite: suite, test: test, failed: element.contains("<failure") || element.contains("<error")))
        }
        self.outcomes = outcomes
    }

    /// How many there are.
    public var count: Int { outcomes.count }

    /// Whether what `name` names (a target, a suite, or a test of one) passed; nil where nothing of it ran.
    public func passed(_ name: String) -> Bool? {
        let parts = name.split(separator: ".", maxSplits: 1)
        let own = outcomes.filter { outcome in
            let suites = outcome.suite.split(separator: ".")
            guard suites.contains(parts[0]) else { return false }
            // The name of a test that is a sentence stands in backquotes.
            return parts.count == 1 || outcome.test.prefix { $0 != "(" }.filter { $0 != "`" } == parts[1]
        }
        return own.isEmpty ? nil : !own.contains(where: \.failed)
    }

    private static func attribute(_ name: String, of element: Substring) -> String? {
        guard let start = element.firstRange(of: " \(name)=\"") ?? element.firstRange(of: "\(name)=\"") else {
            return nil
        }
        return String(element[start.upperBound...].prefix { $0 != "\"" })
    }
}
