// The hazards of growing by traps as data: the claim about portability looks what became of their tests, and
// docs/HAZARDS.md has its tables from here.

import FoundationEssentials

/// What can go wrong.
public struct Hazard: Sendable, Decodable {
    /// What it is called.
    public let name: String
    /// Whether the processor or the system makes it what it is; nil where it is one anywhere.
    public let dependsOn: Dependence?
    /// What is done about it.
    public let remedy: String
    /// The targets, suites or tests (`Suite.test`) that show it to be mastered.
    public let tests: [String]
    /// Whether `faultline faults` shows it.
    private let isRaised: Bool?
    /// What else is to be said of the tests; without any, why there is none.
    private let remark: String?

    /// Whether `faultline faults` shows it.
    public var isShownByFaults: Bool { isRaised == true }

    /// What shows it.
    public var shownBy: String {
        tests.joined(separator: ", ") + (isShownByFaults ? "; `faultline faults`" : "") + (remark ?? "")
    }
}

/// What a hazard depends on.
public enum Dependence: String, Sendable, Decodable, CaseIterable {
    /// Its instructions and registers.
    case processor
    /// The kernel, its calls and limits.
    case system
}

/// The hazards of one kind.
public struct HazardTable: Sendable, Decodable {
    /// The heading above the table.
    public let section: String
    /// Its rows.
    public let hazards: [Hazard]

    /// All tables, from `Resources/hazards.json`.
    public static let all: [HazardTable] = {
        do {
            return try JSONDecoder().decode([HazardTable].self, from: Data(PackageResources.hazards_json))
        } catch {
            preconditionFailure("hazards.json: \(error)")
        }
    }()

    /// The table in Markdown, a line for each row.
    private var lines: [String] {
        ["| hazard | what is done | shown by |", "|---|---|---|"]
            + hazards.map { "| \($0.name) | \($0.remedy) | \($0.shownBy) |" }
    }

    /// A document with its tables as they must be: below the heading of a section stands the section's table.
    public static func rendered(in document: String) -> String {
        var lines: [String] = []
        var table: HazardTable?
        for line in document.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line.hasPrefix("#") {
                let heading = line.drop { $0 == "#" || $0 == " " }
                table = all.first { $0.section == heading }
            }
            guard let own = table, line.hasPrefix("|") else {
                lines.append(line)
                continue
            }
            // The first line of a table stands for all of it.
            if lines.last?.hasPrefix("|") != true { lines += own.lines }
        }
        return lines.joined(separator: "\n")
    }
}
