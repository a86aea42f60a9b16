// The functions of the standard library that make a value's text are not exported, but where an overflow strikes below
// them their frames may be abandoned. So texts are asked for, and the value that is asked says from where.
internal import CShim

enum TextWays {
    private struct Value: CustomStringConvertible {
        let streamMayLock: Bool
        var description: String {
            fl_runtime_code_asked(streamMayLock)
            return ""
        }
    }

    /// Its text is made by reflection.
    private struct Holder { let value: Value }
    private struct Stream: TextOutputStream { mutating func write(_ text: String) {} }

    /// Reading it the first time goes all ways. They are few, because each new type costs the runtime a search.
    static let areGone: Void = {
        // The stream of a generic function may be standard output, which is locked meanwhile.
        let first = Value(streamMayLock: true)
        var stream = Stream()
        print(first, to: &stream)
        debugPrint(first, to: &stream)
        _ = [0: [Holder(value: Value(streamMayLock: false))]].description
    }()
}
