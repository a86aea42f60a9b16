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
    func run(_ options: ExperimentOptions, _ found: Found) throws
}

/// Says in the child what an experiment found.
public typealias Found = (_ key: Finding, _ value: any CustomStringConvertible) throws -> Void

/// What an experiment is told: arguments of the form `key=value`.
public struct ExperimentOptions: Sendable {
    private let values: [String: String]

    public init(_ arguments: [String]) throws {
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
        MeasuredProcessExperiment(), SwitchingExperiment(), StackMemoryExperiment(), DescentsExperiment(),
        ForwardsExperiment(),
        SamplerExperiment(LayoutSampler()), SamplerExperiment(GrowthCostSampler()),
    ]

    /// In the child: runs the experiment called `name` and writes what it finds to standard output.
    ///
    /// - Parameter samplers: Those of the claims.
    /// - Throws: ``MeasurementFailure`` where there is none of that name; what the experiment throws.
    public static func run(_ name: String, _ arguments: [String], samplers: [any Sampler] = []) throws {
        let known = all + samplers.map(SamplerExperiment.init)
        guard let experiment = known.first(where: { $0.name == name }) else {
            throw MeasurementFailure(
                "unknown experiment '\(name)'; choose from: \(known.map(\.name).joined(separator: ", "))")
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
            guard StandardOutput.write("\(key.rawValue)=\(value)\n", to: STDOUT_FILENO) == .complete else {
                throw MeasurementFailure("what experiment '\(name)' found cannot be written")
            }
        }
    }

    /// Ends the child at once: giving back what it holds would take long and prove nothing.
    package static func finish() -> Never { _exit(0) }
}
