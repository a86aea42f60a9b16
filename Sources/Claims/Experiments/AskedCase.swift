// A case that a program of another language performs, which times itself.

import Measurement
import Peers

extension MeasurementCase {
    /// The operation `request` of a program that answers lines, with these arguments behind the count. It is performed
    /// a few times now, because a program's first answer takes long and would be taken for a slow operation.
    static func asking(
        _ name: String, _ program: Conversation, _ request: String, _ arguments: Int...
    ) throws -> MeasurementCase {
        let further = arguments.map { " \($0)" }.joined()
        _ = try program.numbers("\(request) 10\(further)")
        return MeasurementCase(selfTimed: name) { count in
            try program.numbers("\(request) \(count)\(further)")[0]
        }
    }
}
