// docs/HAZARDS.md as data, and what became of the tests that it names. The text travels inside the program.

import Experiments
import Measurement
import Workloads

/// One row of the tables of hazards.
public struct Hazard: Sendable, Hashable {
    /// The heading above its table.
    public let section: String
    /// What can go wrong.
    public let name: String
    /// What is done about it.
    public let remedy: String
    /// What the last column says.
    public let shownBy: String

    /// How the last column of a hazard begins that no test shows.
    static let untested = ["open", "none", "README", "by construction"]

    /// Whether a test is named.
    public var hasTest: Bool { !Self.untested.contains { shownBy.hasPrefix($0) } }

    /// Suites, targets or tests: the words that begin with a capital, and what follows a point.
    public var tests: [String] {
        guard hasTest else { return [] }
        let words = shownBy.split { !$0.isLetter && !$0.isNumber && $0 != "." }
        return words.map { $0.last == "." ? String($0.dropLast()) : String($0) }.filter {
            $0.first?.isUppercase == true
        }
    }

    /// Whether `faultline faults` shows it.
    public var isShownByFaults: Bool { shownBy.contains("faultline faults") }

    /// The rows of every table with three columns.
    public static func table(_ text: String) -> [Hazard] {
        var section = ""
        var hazards: [Hazard] = []
        for line in text.split(separator: "\n") {
            if line.hasPrefix("#") {
                section = String(line.drop { $0 == "#" || $0 == " " })
            } else if line.hasPrefix("|") {
                let cells = line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast().map {
                    $0.trimmingSpaces
                }
                // The heading and the line below it are no rows.
                guard cells.count == 3, cells[0] != "hazard", cells[0].contains(where: { $0 != "-" }) else { continue }
                hazards.append(Hazard(section: section, name: cells[0], remedy: cells[1], shownBy: cells[2]))
            }
        }
        return hazards
    }

    /// The project's own.
    public static var all: [Hazard] { table(String(decoding: PackageResources.HAZARDS_md, as: UTF8.self)) }
}

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
            return parts.count == 1 || outcome.test.prefix { $0.isLetter || $0.isNumber } == parts[1]
        }
        return own.isEmpty ? nil : !own.contains(where: \.failed)
    }

    private static func attribute(_ name: String, of element: Substring) -> String? {
        guard let start = element.range(of: " \(name)=\"") ?? element.range(of: "\(name)=\"") else { return nil }
        return String(element[start.upperBound...].prefix { $0 != "\"" })
    }
}

extension Substring {
    fileprivate var trimmingSpaces: String {
        var rest = drop { $0 == " " }
        while rest.last == " " { rest.removeLast() }
        return String(rest)
    }

    /// Where `text` first stands.
    fileprivate func range(of text: String) -> Range<Index>? { firstRange(of: text) }
}
