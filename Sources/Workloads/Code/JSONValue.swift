// The tree that the JSON workload builds, its digest (a recursive walk), and its destruction (a loop).

/// A JSON value. Numbers without fraction and exponent that fit are integers; `-0` is not, so that its sign survives.
enum JSONValue {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    /// All members in order, duplicate names kept.
    case object([JSONMember])

    var isContainer: Bool {
        switch self {
        case .array, .object: true
        case .null, .bool, .integer, .number, .string: false
        }
    }

    /// Destroys the tree under `root` without recursion: releasing a deep tree the ordinary way nests one release
    /// of the Swift runtime per level, in code that has no prologue checks.
    static func dismantle(_ root: inout JSONValue) {
        guard root.isContainer else { return }
        var pending = [root]
        root = .null
        while let value = pending.popLast() {
            // Children that contain others outlive their parent, in `pending`.
            switch value {
            case .array(let items):
                for item in items where item.isContainer { pending.append(item) }
            case .object(let members):
                for member in members where member.value.isContainer { pending.append(member.value) }
            default:
                break
            }
        }
    }
}

extension JSONValue {
    /// Destroys a container that failed to parse, whose contents so far are in `contents`.
    static func dismantle<Element>(_ partial: consuming JSONValue, emptying contents: inout [Element]) {
        contents = []
        var partial = partial
        dismantle(&partial)
    }
}

/// One name and value of an object.
struct JSONMember {
    var name: String
    var value: JSONValue
}

/// What a document amounts to, for comparison with an independent scanner (Sources/Workloads/JSON/JSONScanner.swift).
///
/// The hash covers, in document order: a letter per value (`n t f i d s`), the word of an integer or of a number's bit
/// pattern, the decoded UTF-8 of a string and 0xFF; `[` and `]`, `{` and `}` around contents; `k`, the decoded UTF-8
/// and 0xFF for a member's name.
struct JSONDigest {
    var hash = FNVHash()
    var values: UInt64 = 0
    var names: UInt64 = 0
    var stringBytes: UInt64 = 0
    /// Nesting of arrays and objects: 0 for a document that is a scalar.
    var depth: UInt64 = 0

    mutating func add(_ value: JSONValue, level: UInt64) {
        values += 1
        switch value {
        case .null: hash.add(UInt8(ascii: "n"))
        case .bool(let flag): hash.add(flag ? UInt8(ascii: "t") : UInt8(ascii: "f"))
        case .integer(let integer):
            hash.add(UInt8(ascii: "i"))
            hash.add(word: UInt64(bitPattern: integer))
        case .number(let number):
            hash.add(UInt8(ascii: "d"))
            hash.add(word: number.bitPattern)
        case .string(let text):
            addText(text, kind: UInt8(ascii: "s"))
        case .array(let items):
            addArray(items, level: level + 1)
        case .object(let members):
            addObject(members, level: level + 1)
        }
    }

    private mutating func addArray(_ items: [JSONValue], level: UInt64) {
        depth = max(depth, level)
        hash.add(UInt8(ascii: "["))
        for item in items {
            add(item, level: level)
        }
        hash.add(UInt8(ascii: "]"))
    }

    private mutating func addObject(_ members: [JSONMember], level: UInt64) {
        depth = max(depth, level)
        hash.add(UInt8(ascii: "{"))
        for member in members {
            names += 1
            addText(member.name, kind: UInt8(ascii: "k"))
            add(member.value, level: level)
        }
        hash.add(UInt8(ascii: "}"))
    }

    @inline(never)
    private mutating func addText(_ text: String, kind: UInt8) {
        hash.add(kind)
        hash.add(text: text)
        stringBytes += UInt64(text.utf8.count)
    }
}
