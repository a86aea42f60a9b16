// How to measure: how long, with which seed and which peers, and what could not be measured.

import Faultline
import Measurement
import Peers
import Processes
import Report

/// A run that did not do what its name says, or could not be made; one line that names it and the remedy.
public struct MeasurementFailure: Error, CustomStringConvertible {
    /// The line.
    public let description: String

    /// A failure.
    public init(_ description: String) { self.description = description }
}

/// The user asked to stop; what is finished counts.
public struct Interrupted: Error {
    /// An interruption.
    public init() {}
}

/// What experiments share.
public final class Laboratory {
    /// Fewer and shorter rounds.
    public let isQuick: Bool
    /// Determines every order and every resampling.
    public let seed: UInt64
    /// The seed of a run that names none.
    public static let defaultSeed: UInt64 = 1
    /// What to add to a command so that it measures in the same way.
    package var options: String { (isQuick ? " --quick" : "") + (seed == Self.defaultSeed ? "" : " --seed \(seed)") }
    /// Called with what is being done, often.
    private let progress: (String) -> Void
    /// Whether the user asked to stop.
    private let isInterrupted: () -> Bool
    /// What a reader should know of this run, in order.
    public private(set) var notes: [String] = []
    /// What could not be run since ``beginClaim()``, each with its remedy.
    public private(set) var missingHere: [String] = []
    /// What a claim may spend on measuring again what others disturbed: on a machine that is never idle a run does not
    /// take twice as long.
    private var secondsToRepeat = 0.0
    private var remembered: [String: Any] = [:]
    /// Those that were asked for, by name; started when one is first asked for.
    private var started: [String: Result<RunningPeer, PeerUnavailable>] = [:]
    private lazy var goToolchains = GoToolchain.installed()
    private lazy var goVersions = GoToolchain.installed(between: true)
    /// The newest version of Go that is installed, whether or not it can be measured; nil where there is none.
    package var newestGo: String? { goToolchains.last?.version }
    /// Every version of Go that is installed, the oldest first. Says so when there is none.
    public var go: [GoToolchain] {
        // Every claim that asks is told, not only the first.
        if goToolchains.isEmpty { missing(GoToolchain.remedy) }
        return goToolchains
    }

    /// The same with those between the oldest and the newest, for claims about a version.
    package var everyGo: [GoToolchain] {
        if goVersions.isEmpty { missing(GoToolchain.remedy) }
        return goVersions
    }

    /// A laboratory.
    public init(
        isQuick: Bool, seed: UInt64, progress: @escaping (String) -> Void,
        isInterrupted: @escaping () -> Bool = { false }
    ) {
        self.isQuick = isQuick
        self.seed = seed
        self.progress = progress
        self.isInterrupted = isInterrupted
    }

    /// Adds a note unless it is there.
    public func note(_ text: String) {
        if !notes.contains(text) { notes.append(text) }
    }

    /// Says that something could not be run and what would help; a note too.
    public func missing(_ text: String) {
        if !missingHere.contains(text) { missingHere.append(text) }
        note(text)
    }

    /// What `body` gives; nil where a program cannot be had or does not do as it should, which is said after `absence`.
    package func unlessMissing<Value>(_ absence: String, _ body: () throws -> Value) throws -> Value? {
        do {
            return try body()
        } catch let error as PeerUnavailable {
            missing("\(absence): \(error)")
        } catch let error as ProcessError {
            missing("\(absence): \(error)")
        }
        return nil
    }

    /// Whether stacks of this configuration can be made here. Where they cannot, `subject` is missing.
    package func offers(_ configuration: StackConfiguration, for subject: String) throws -> Bool {
        do throws(StackError) {
            try configuration.validate()
            return true
        } catch {
            guard case .invalidConfiguration = error else { throw error }
            missing("\(subject) is not measured: \(error)")
            return false
        }
    }

    /// Whether the user asked to stop.
    public var isAskedToStop: Bool { isInterrupted() }

    /// Forgets what was missing for the claim before.
    public func beginClaim() {
        missingHere = []
        secondsToRepeat = isQuick ? 10 : 60
    }

    /// Says what is being done, and stops when the user asked for it. Call it between pieces of work of a second or so.
    ///
    /// - Throws: ``Interrupted``.
    public func step(_ text: String) throws {
        if isInterrupted() { throw Interrupted() }
        progress(text)
    }

    /// Seeds of `count` layouts, which follow each other: those of another seed of the run are others. From 1 on:
    /// linkers take 0 for "another order in every link" or for none.
    package func layouts(_ count: Int) -> [UInt32] {
        let first = UInt32(truncatingIfNeeded: (seed &- 1) % 10_000) * Self.layoutsOfRun + 1
        return (0..<UInt32(count)).map { first + $0 }
    }

    /// More than any claim asks for.
    private static let layoutsOfRun: UInt32 = 1000

    /// For cases whose operations take nanoseconds: a batch holds as many as fill its time, the same number in each.
    public var batches: InterleavedMeasurement.Settings {
        var settings = isQuick ? InterleavedMeasurement.Settings.quick : .full
        // The slowest peers take a thousand times as long as the fastest cases: bound what a shared count costs.
        if !isQuick { settings.longestBatch = 20_000_000 }
        settings.seed = seed
        return settings
    }

    /// For cases whose operations take microseconds and need a stack of their own: a fixed number in each batch.
    public func repetitions(_ count: Int, rounds: Int = 101) -> InterleavedMeasurement.Settings {
        var settings = batches
        settings.iterations = .fixed(count)
        if !isQuick { settings.rounds = rounds }
        return settings
    }

    /// Measures `cases`, saying how far it is.
    ///
    /// - Throws: What a case threw; ``Interrupted`` between rounds; ``MeasurementFailure`` where the library takes
    ///   another stack for the one that runs afterwards, which would slow down or end what is measured next.
    public func measure(
        _ name: String, _ cases: [MeasurementCase], _ settings: InterleavedMeasurement.Settings
    ) throws -> MeasurementResult {
        try step("\(name): calibrating")
        let isKnown = StackSpace.remaining > 0
        var (result, load) = try undisturbed(name) {
            try InterleavedMeasurement(cases: cases, settings: settings).run { [self] position in
                try step("\(name): round \(position.finishedRounds) of \(position.totalRounds)")
            }
        }
        guard !isKnown || StackSpace.remaining > 0 else {
            throw MeasurementFailure("\(name): a case has left the thread with the stack of a coroutine as its own")
        }
        result.load = load
        return result
    }

    /// Does `work`, and does it once more where others used the processors meanwhile: the quieter of the two counts.
    ///
    /// - Returns: With what else the machine did.
    package func undisturbed<Result>(
        _ name: String, _ work: () throws -> Result
    ) throws -> (Result, MachineLoad?) {
        func watched() throws -> (Result, MachineLoad?) {
            let before = LoadReading()
            let result = try work()
            return (result, MachineLoad(from: before, to: LoadReading()))
        }
        let first = try watched()
        guard let load = first.1, load.isDisturbing, load.seconds <= secondsToRepeat else { return first }
        secondsToRepeat -= load.seconds
        try step("\(name): again, because \(load.text)")
        let second = try watched()
        guard let again = second.1, again.others + again.stolen < load.others + load.stolen else { return first }
        return second
    }

    /// What `make` makes, made once in a run: several claims hang on it.
    package func remembering<Value>(_ key: String, _ make: () throws -> Value) rethrows -> Value {
        // Nothing is no value, also where the value may be nil.
        if let some = remembered[key], let known = some as? Value { return known }
        let value = try make()
        remembered[key] = value
        return value
    }

    /// Says what is being prepared.
    public func preparing(_ suite: String, _ what: String) { progress("\(suite): \(what)") }

    /// A peer, started; nil where it cannot be, which is then named, to every claim that asks.
    package func running(_ peer: Peer) throws -> RunningPeer? {
        let result: Result<RunningPeer, PeerUnavailable>
        if let known = started[peer.name] {
            result = known
        } else {
            try step("building and starting \(peer.name)")
            result = Result { () throws(PeerUnavailable) in try peer.start() }
            started[peer.name] = result
        }
        do {
            return try result.get()
        } catch {
            missing("\(peer.name) is not measured: \(error)")
            return nil
        }
    }
}
