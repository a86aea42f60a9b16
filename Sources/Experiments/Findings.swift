// What an experiment says from its process to this one. Each finding that the child writes and that is read here is
// declared once, so that a key that was renamed or removed does not compile.

import Measurement
import Processes

/// What a line of an experiment is about: the key of `key=value`.
public struct Finding: RawRepresentable, Sendable, Hashable {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    /// A finding.
    package init(_ key: String) { rawValue = key }

    /// The same of one of several subjects.
    package func of(_ subject: String) -> Finding { Finding("\(subject)/\(rawValue)") }
}

// Findings of several experiments; those of one stand in its file.

extension Finding {
    /// Said before what may end the process.
    package static let begun = Finding("begun")
    /// How many there are.
    package static let made = Finding("made")
    /// What was refused, or whether something was.
    package static let refused = Finding("refused")
    package static let error = Finding("error")
    /// In nanoseconds.
    package static let time = Finding("time")
    package static let growths = Finding("growths")

    // In bytes, but for the mappings.
    package static let addressSpace = Finding("address-space")
    package static let resident = Finding("resident")
    package static let pageTables = Finding("page-tables")
    package static let mappings = Finding("mappings")
}

/// What an experiment found.
public struct Findings: Sendable {
    /// What `description` calls it.
    package let title: String
    /// What it said; the last value of a key that it said several times.
    package let values: [Finding: String]
    /// How its process ended.
    package let ending: Spawn.Ending
    /// The first line that it wrote to standard error.
    public let message: String

    package init(title: String, _ finished: Subprocess.Finished) {
        self.title = title
        var values: [Finding: String] = [:]
        for line in finished.output.split(separator: "\n") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            values[Finding(String(line[..<equals]))] = String(line[line.index(after: equals)...])
        }
        self.values = values
        ending = finished.ending
        message = String(finished.errors.prefix { !$0.isNewline })
    }

    /// Whether the process returned from its work without an error.
    public var succeeded: Bool { ending == .exited(0) }

    /// What it said of `finding`, or nil.
    package subscript(_ finding: Finding) -> String? { values[finding] }

    /// The number that `finding` is.
    ///
    /// - Throws: ``MeasurementFailure`` where it is not there or is no number.
    package func number(_ finding: Finding) throws -> Double {
        guard let text = self[finding], let number = Double(text), number.isFinite else {
            throw failure("no \(finding.rawValue)")
        }
        return number
    }

    /// The error that says what became of this experiment.
    public func failure(_ problem: String) -> MeasurementFailure {
        MeasurementFailure("\(title): \(problem) (\(ending)\(message.isEmpty ? "" : ": \(message)"))")
    }
}

extension Laboratory {
    /// Runs an experiment in a process of its own.
    ///
    /// - Parameter seconds: After that many it is killed.
    /// - Throws: ``Interrupted``; `WorkloadError` when no process can be made. How the process ended is a finding.
    public func experiment(_ name: String, _ arguments: [String] = [], seconds: Double = 60) throws -> Findings {
        let title = "\(name) \(arguments.joined(separator: " "))"
        try step(title)
        // Without Swift's backtracer, which would write pages about a fault that is wanted.
        let finished = try Subprocess.finish(
            "/proc/self/exe", [Experiments.command, name] + arguments,
            environment: Spawn.environment(changing: ["SWIFT_BACKTRACE": "enable=no"]), seconds: seconds,
            isUnwanted: { isAskedToStop })
        try step(title)
        return Findings(title: "experiment \(title)", finished)
    }
}
