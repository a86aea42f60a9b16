import Foundation

/// Validates JSON against the part of JSON Schema (draft 2020-12) that the records' schema uses. A keyword that it does
/// not know is an error, so that no rule of the schema goes unchecked.
struct SchemaValidator {
    enum Problem: Error, Hashable {
        case unknownKeyword(String)
        case malformed(String)
        /// A document that does not follow the schema: where, and which keyword it breaks.
        case violation(at: String, keyword: String)
    }

    let schema: JSONValue

    private static let annotations: Set<String> = ["$schema", "$id", "$defs", "title", "description"]

    /// Throws the first problem, members in ascending order.
    func validate(_ value: JSONValue) throws {
        try validate(value, schema, at: "")
    }

    /// Validates every part of the schema once against a value, so that unknown keywords are found wherever they are.
    func checkKeywords() throws {
        try checkKeywords(schema)
    }

    private func checkKeywords(_ rules: JSONValue) throws {
        guard let members = rules.object else {
            if case .bool = rules { return }
            throw Problem.malformed("a schema is an object or a boolean")
        }
        for (keyword, rule) in members {
            switch keyword {
            case "$defs", "properties":
                for part in (rule.object ?? [:]).values { try checkKeywords(part) }
            case "items", "additionalProperties", "if", "then", "else": try checkKeywords(rule)
            case "allOf": for part in rule.array ?? [] { try checkKeywords(part) }
            case "$ref": _ = try resolve(rule)
            case "type", "enum", "const", "required", "minimum", "pattern", "minLength": break
            case _ where Self.annotations.contains(keyword): break
            default: throw Problem.unknownKeyword(keyword)
            }
        }
    }

    private func resolve(_ reference: JSONValue) throws -> JSONValue {
        guard let text = reference.string, text.hasPrefix("#/"),
            let found = schema[text.dropFirst(2).split(separator: "/").map(String.init)]
        else { throw Problem.malformed("no such reference: \(reference)") }
        return found
    }

    private func validate(_ value: JSONValue, _ rules: JSONValue, at path: String) throws {
        if case .bool(let isAllowed) = rules {
            if !isAllowed { throw Problem.violation(at: path, keyword: "false") }
            return
        }
        guard let members = rules.object else { throw Problem.malformed("at \(path)") }
        for (keyword, rule) in members.sorted(by: { $0.key < $1.key }) {
            try check(value, keyword, rule, members, at: path)
        }
    }

    private func check(
        _ value: JSONValue, _ keyword: String, _ rule: JSONValue, _ rules: [String: JSONValue], at path: String
    ) throws {
        func require(_ holds: Bool) throws {
            if !holds { throw Problem.violation(at: path, keyword: keyword) }
        }
        switch keyword {
        case "type":
            let names = (rule.array ?? [rule]).compactMap(\.string)
            try require(names.contains { Self.isA($0, value) })
        case "enum": try require(rule.array?.contains(value) == true)
        case "const": try require(rule == value)
        case "minimum":
            if let number = value.number { try require(number >= rule.number ?? .infinity) }
        case "pattern":
            if let text = value.string, let pattern = rule.string {
                try require(text.range(of: pattern, options: .regularExpression) != nil)
            }
        case "minLength":
            if let text = value.string { try require(Double(text.unicodeScalars.count) >= rule.number ?? .infinity) }
        case "required":
            if let object = value.object {
                for name in (rule.array ?? []).compactMap(\.string) where object[name] == nil {
                    throw Problem.violation(at: "\(path)/\(name)", keyword: keyword)
                }
            }
        case "properties":
            for (name, part) in (rule.object ?? [:]).sorted(by: { $0.key < $1.key }) {
                if let member = value.object?[name] { try validate(member, part, at: "\(path)/\(name)") }
            }
        case "additionalProperties":
            let named = Set((rules["properties"]?.object ?? [:]).keys)
            for (name, member) in (value.object ?? [:]).sorted(by: { $0.key < $1.key }) where !named.contains(name) {
                if rule == .bool(false) {
                    throw Problem.violation(at: "\(path)/\(name)", keyword: keyword)
                }
                try validate(member, rule, at: "\(path)/\(name)")
            }
        case "items":
            for (index, item) in (value.array ?? []).enumerated() {
                try validate(item, rule, at: "\(path)/\(index)")
            }
        case "allOf":
            for part in rule.array ?? [] { try validate(value, part, at: path) }
        case "if":
            let isMet = (try? validate(value, rule, at: path)) != nil
            if let branch = rules[isMet ? "then" : "else"] { try validate(value, branch, at: path) }
        case "$ref": try validate(value, try resolve(rule), at: path)
        case "then", "else": break
        case _ where Self.annotations.contains(keyword): break
        default: throw Problem.unknownKeyword(keyword)
        }
    }

    private static func isA(_ type: String, _ value: JSONValue) -> Bool {
        switch (type, value) {
        case ("null", .null), ("boolean", .bool), ("number", .int), ("number", .double), ("integer", .int),
            ("string", .string), ("array", .array), ("object", .object):
            true
        case ("integer", .double(let number)): number.rounded() == number
        default: false
        }
    }
}
