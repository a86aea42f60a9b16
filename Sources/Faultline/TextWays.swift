// The functions of the standard library that make a value's text are not exported, but where an overflow strikes below
// them their frames may be abandoned. So texts are asked for, and the value that is asked says from where.
internal import CShim

enum TextWays {
    private struct Value: CustomStringConvertible, Hashable {
        let streamMayLock: Bool
        var description: String {
            fl_runtime_code_asked(streamMayLock)
            return ""
        }
    }

    /// Its text is made by reflection.
    private struct Holder: Hashable { let value: Value }
    private enum Choice { case value(Value) }
    private struct Stream: TextOutputStream { mutating func write(_ text: String) {} }

    /// Reading it the first time goes all ways.
    static let areGone: Void = {
        // The stream of a generic function may be standard output, which is locked meanwhile.
        let first = Value(streamMayLock: true)
        var stream = Stream()
        print(first, to: &stream)
        debugPrint(first, to: &stream)
        dump(first, to: &stream)
        dump(Holder(value: first), to: &stream)

        let value = Value(streamMayLock: false)
        let texts: [Any] = [
            Holder(value: value), Choice.value(value), (value, value) as Any, Optional(value) as Any, [value],
            [value: value], Set([value]), [Holder(value: value)][...], ContiguousArray([value]),
        ]
        for text in texts { _ = ("\(text)", String(describing: text), String(reflecting: text)) }
    }()
}
