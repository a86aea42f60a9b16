// What the suites of `faultline bench` share. A new suite is a new file and a line in the list.

import Faultline
import Measurement
import Peers
import Report

/// A group of cases that are measured together.
protocol BenchSuite: Sendable {
    /// What users call it, and the `suite` of its records.
    var name: String { get }
    /// One line for the help text.
    var summary: String { get }
    /// Measures the cases. What cannot be measured here is left out with a note.
    func records(_ bench: Bench) throws -> [Record]
}

enum BenchSuites {
    /// In the order in which they run and are listed.
    static let all: [any BenchSuite] = [
        SwitchSuite(), SpawnSuite(), GrowthSuite(), MoveSuite(), TrapSuite(), ChecksSuite(),
    ]

    static var names: String { all.map(\.name).joined(separator: ", ") }
}

/// How to measure, and what is said beside the results.
final class Bench {
    let isQuick: Bool
    let seed: UInt64
    private let progress: Progress
    private(set) var notes: [String] = []
    /// Compiled and loaded when a suite first asks for it.
    private(set) lazy var boost: BoostPeer? = loadBoost()

    init(isQuick: Bool, seed: UInt64, progress: Progress) {
        self.isQuick = isQuick
        self.seed = seed
        self.progress = progress
    }

    /// Adds a note unless it is there.
    func note(_ text: String) {
        if !notes.contains(text) { notes.append(text) }
    }

    /// For cases whose operations take nanoseconds: a batch holds as many as fill its time, the same number in each.
    var batches: InterleavedMeasurement.Settings {
        var settings = isQuick ? InterleavedMeasurement.Settings.quick : .full
        // The slowest peers take a thousand times as long as the fastest cases: bound what a shared count costs.
        if !isQuick { settings.longestBatch = 20_000_000 }
        settings.seed = seed
        return settings
    }

    /// For cases whose operations take microseconds and need a stack of their own: a fixed number in each batch.
    func repetitions(_ count: Int, rounds: Int = 101) -> InterleavedMeasurement.Settings {
        var settings = batches
        settings.iterations = .fixed(count)
        if !isQuick { settings.rounds = rounds }
        return settings
    }

    /// Measures `cases`, telling the terminal how far it is.
    func measure(
        _ suite: String, _ cases: [MeasurementCase], _ settings: InterleavedMeasurement.Settings
    ) throws -> MeasurementResult {
        progress.update("\(suite): calibrating")
        return try InterleavedMeasurement(cases: cases, settings: settings).run { [self] position in
            progress.update("\(suite): round \(position.finishedRounds) of \(position.totalRounds)")
        }
    }

    /// Says what is being prepared.
    func preparing(_ suite: String, _ what: String) { progress.update("\(suite): \(what)") }

    private func loadBoost() -> BoostPeer? {
        progress.update("compiling the Boost peer")
        do throws(PeerUnavailable) {
            return try BoostPeer.load()
        } catch {
            note("Boost.Context is not measured: \(error)")
            return nil
        }
    }
}

extension MeasurementCase {
    /// A case that a peer's function performs, which returns 0 or an errno value.
    static func peer(_ name: String, _ operation: @escaping (UInt64) -> Int32) -> MeasurementCase {
        MeasurementCase(name) { count in
            let error = operation(UInt64(count))
            guard error == 0 else { throw RuntimeFailure("\(name): \(reason(error))") }
        }
    }

    private static func reason(_ error: Int32) -> String {
        error > 0 ? ErrorNumber.text(error) : "the peer could not get memory"
    }
}
