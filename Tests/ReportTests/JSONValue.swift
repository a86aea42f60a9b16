import Foundation

/// Any JSON, with whole numbers told from others and both from booleans.
enum JSONValue: Hashable, Decodable {
    case null
    case bool(Bool)
    case int(Int)
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int.self) {
            self = .int(value)
        } else if let value = try? container.decode(Double.self) {
            self = .double(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    init(_ text: String) throws {
        self = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }

    var number: Double? {
        switch self {
        case .int(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }

    var object: [String: JSONValue]? {
        if case .object(let members) = self { members } else { nil }
    }

    var array: [JSONValue]? {
        if case .array(let items) = self { items } else { nil }
    }

    var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// The value at a path of members and indices; `nil` when there is none. Assigning `nil` removes a member.
    subscript(path: [String]) -> JSONValue? {
        get {
            guard let first = path.first else { return self }
            let next: JSONValue? =
                switch self {
                case .object(let members): members[first]
                case .array(let items): Int(first).flatMap { items.indices.contains($0) ? items[$0] : nil }
                default: nil
                }
            return next?[Array(path.dropFirst())]
        }
        set {
            guard let first = path.first else {
                if let newValue { self = newValue }
                return
            }
            let rest = Array(path.dropFirst())
            switch self {
            case .object(var members):
                if rest.isEmpty {
                    members[first] = newValue
                } else {
                    members[first]?[rest] = newValue
                }
                self = .object(members)
            case .array(var items):
                if let index = Int(first), items.indices.contains(index) { items[index][rest] = newValue }
                self = .array(items)
            default: break
            }
        }
    }
}
