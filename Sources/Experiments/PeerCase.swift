// Cases that peers perform: a program of another language, which times itself, or a function in C.

import Measurement
import Peers

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
