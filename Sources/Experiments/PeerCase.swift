// Cases that peers perform: a program of another language, which times itself, or a function in C.

import Measurement
import Peers
import Report

extension MeasurementCase {
    /// The operation `request` of a program that answers lines, with these arguments behind the count. It is performed
    /// a few times now, because a program's first answer takes long and would be taken for a slow operation.
    package static func asking(
        _ name: String, _ program: Conversation, _ request: String, _ arguments: Int...
    ) throws -> MeasurementCase {
        let further = arguments.map { " \($0)" }.joined()
        _ = try program.numbers("\(request) 10\(further)")
        return MeasurementCase(selfTimed: name) { count in
            try program.numbers("\(request) \(count)\(further)")[0]
        }
    }

    /// A task of a peer. It is done a few times now, for the same reason.
    package static func performing(
        _ task: PeerTask, by peer: RunningPeer, as name: String? = nil
    ) throws -> MeasurementCase {
        // Before each batch as well: its process has slept, and its code has left the nearest caches.
        let warm = { _ = try peer.perform(task, 10) }
        try warm()
        return MeasurementCase(selfTimed: name ?? task.name, setup: warm) { try peer.perform(task, $0) }
    }

    /// A case that a peer's function performs, which returns 0 or an errno value.
    package static func peer(_ name: String, _ operation: @escaping (UInt64) -> Int32) -> MeasurementCase {
        MeasurementCase(name) { count in
            let error = operation(UInt64(count))
            guard error == 0 else { throw MeasurementFailure("\(name): \(reason(error))") }
        }
    }

    private static func reason(_ error: Int32) -> String {
        error > 0 ? ErrorNumber.text(error) : "the peer could not get memory"
    }
}

/// The cases of every peer that is here and has tasks of one kind.
package struct PeerCases {
    package private(set) var cases: [MeasurementCase] = []
    /// Of each case, the peer and its version.
    private var versions: [String: String] = [:]

    package init(_ kinds: PeerTask.Kind..., in laboratory: Laboratory) throws {
        for peer in Peer.all {
            let tasks = peer.tasks.filter { kinds.contains($0.kind) }
            guard !tasks.isEmpty, let running = try laboratory.running(peer) else { continue }
            for task in tasks {
                cases.append(try .performing(task, by: running))
                versions[task.name] = running.version
            }
        }
    }

    /// Whether that peer is here.
    package func has(_ name: String) -> Bool { versions[name] != nil }

    /// The ratios of `own` to each of them.
    package func comparisons(of own: String) -> [(case: String, baseline: String)] {
        cases.map { (own, $0.name) }
    }

    /// The records, those of a peer with its version.
    package func naming(_ records: [Record]) -> [Record] {
        records.map { record in
            var record = record
            record.parameters[.peer] = versions[record.name].map { .string($0) }
            if case .string(let baseline)? = record.parameters[.baseline] {
                record.parameters[.baselinePeer] = versions[baseline].map { .string($0) }
            }
            return record
        }
    }
}
