// A case that a program of another language performs, which times itself.

import Measurement
import Peers

extension MeasurementCase {
    /// The operation `request` of a program that answers lines, with these arguments behind the count.
    static func asking(_ name: String, _ program: Conversation, _ request: String, _ arguments: Int...)
        -> MeasurementCase
    {
        let further = arguments.map { " \($0)" }.joined()
        return MeasurementCase(selfTimed: name) { count in
            try program.numbers("\(request) \(count)\(further)")[0]
        }
    }
}
