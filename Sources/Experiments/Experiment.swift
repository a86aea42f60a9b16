// Experiments that need a process of their own, because they take much memory, change limits, or die: this program runs
// itself again as `faultline experiment NAME ARGUMENT…`, and the child says what it found in lines of `key=value`.
//
// Invariants: a line is written as soon as it is known, so that a child that dies has said what it knew; what a child
// did not say is an error, never a number.

import Glibc
import Measurement
import Processes
import Report
import Workloads

/// Something that is done in a process of its own.
public protocol Experiment: Sendable {
    /// The first argument of `faultline experiment`.
    var name: String { get }
    /// Does it, in the child. Throws end the child with exit code 1 and the error as its message.
    func run(
        _ options: ExperimentOptions, _ found: (_ key: String, _ value: any CustomStringConvertible) throws -> Void)
        throws
}

/// What an experiment is told: arguments of the form `key=value`.
public struct ExperimentOptions: Sendable {
    private let values: [String: String]

    package init(_ arguments: [String]) throws {
        var values: [String: String] = [:]
        for argument in arguments {
            guard let equals = argument.firstIndex(of: "=") else {
                throw MeasurementFailure("experiments take key=value, not '\(argument)'")
            }
            values[String(argument[..<equals])] = String(argument[argument.index(after: equals)...])
        }
        self.values = values
    }

    /// The text called `key`, or nil.
    public func text(_ key: String) -> String? { values[key] }

    /// The number called `key`.
    ///
    /// - Throws: ``MeasurementFailure`` where it is not there and there is no `standard`, or is no whole number.
    public func number(_ key: String, or standard: Int? = nil) throws -> Int {
        if values[key] == nil, let standard { return standard }
        guard let number = values[key].flatMap({ Int($0) }) else {
            throw MeasurementFailure("the experiment needs \(key)=NUMBER")
        }
        return number
    }
}

/// The list of experiments.
public enum Experiments {
    /// The hidden subcommand that runs one.
    public static let command = "experiment"
    /// No experiment takes longer, in seconds.
    private static let longest: UInt32 = 600

    /// Every experiment.
    public static let all: [any Experiment] = [
        StacksExperiment(), FaultsExperiment(), GrowthExperiment(), WaitingExperiment(), RequestsExperiment(),
        ContentionExperiment(), RecursionExperiment(), ShrinkExperiment(),
        OvercommitExperiment(), OvercommitModeExperiment(), ExhaustionExperiment(),
        MeasuredProcessExperiment(), SwitchingExperiment(),
    ]

    /// In the child: runs the experiment called `name` and writes what it finds to standard output.
    ///
    /// - Throws: ``MeasurementFailure`` where there is none of that name; what the experiment throws.
    public static func run(_ name: String, _ arguments: [String]) throws {
        guard let experiment = all.first(where: { $0.name == name }) else {
            throw MeasurementFailure(
                "unknown experiment '\(name)'; choose from: \(all.map(\.name).joined(separator: ", "))")
        }
        // A fault that is expected leaves no core; a child whose parent was killed does not go on for ever.
        var noCore = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(UInt32(RLIMIT_CORE.rawValue)), &noCore)
        alarm(longest)
        // The process that started it may block signals that an experiment sends itself.
        var none = sigset_t()
        sigemptyset(&none)
        sigprocmask(SIG_SETMASK, &none, nil)
        try experiment.run(ExperimentOptions(arguments)) { key, value in
            guard StandardOutput.write("\(key)=\(value)\n", to: STDOUT_FILENO) == .complete else {
                throw MeasurementFailure("what experiment '\(name)' found cannot be written")
            }
        }
    }

    /// Ends the child at once: giving back what it holds would take long and prove nothing.
    package static func finish() -> Never { _exit(0) }
}

/// What an experiment found.
public struct Findings: Sendable {
    /// What `description` calls it.
    package let title: String
    /// What it said, by key.
    public let values: [String: String]
    /// How its process ended.
    package let ending: Spawn.Ending
    /// The first line that it wrote to standard error.
    public let message: String

    package init(title: String, _ finished: Subprocess.Finished) {
        self.title = title
        var values: [String: String] = [:]
        for line in finished.output.split(separator: "\n") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            values[String(line[..<equals])] = String(line[line.index(after: equals)...])
        }
        self.values = values
        ending = finished.ending
        message = String(finished.errors.prefix { !$0.isNewline })
    }

    /// Whether the process returned from its work without an error.
    public var succeeded: Bool { ending == .exited(0) }

    /// The number called `key`.
    ///
    /// - Throws: ``MeasurementFailure`` where it is not there or is no number.
    public func number(_ key: String) throws -> Double {
        guard let text = values[key], let number = Double(text), number.isFinite else { throw failure("no \(key)") }
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
