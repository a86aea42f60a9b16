// The text exposition format, version 0.0.4: HELP, TYPE, samples; labels in ascending order, so that output is stable.

/// Writes metric families for Prometheus.
public enum PrometheusText {
    /// The families in the order given, each with its HELP and TYPE lines; ends in a newline unless there is none.
    ///
    /// - Throws: ``ReportError/invalidFamily(name:reason:)`` for a name that is malformed, lacks the prefix
    ///   `faultline_` or occurs twice, a counter that does not end in `_total` or is negative, a malformed or reserved
    ///   label, buckets out of order, or two samples with the same labels.
    public static func render(_ families: [PrometheusFamily]) throws -> String {
        var names = Set<String>()
        var text = ""
        for family in families {
            try check(family)
            guard names.insert(family.name).inserted else {
                throw ReportError.invalidFamily(name: family.name, reason: "occurs twice")
            }
            text += "# HELP \(family.name) \(escapedHelp(family.help))\n"
            text += "# TYPE \(family.name) \(typeName(family.content))\n"
            text += samples(of: family)
        }
        return text
    }

    private static func typeName(_ content: PrometheusFamily.Content) -> String {
        switch content {
        case .counter: "counter"
        case .gauge: "gauge"
        case .histogram: "histogram"
        case .summary: "summary"
        }
    }

    private static func samples(of family: PrometheusFamily) -> String {
        let name = family.name
        switch family.content {
        case .counter(let samples), .gauge(let samples):
            return samples.map { line(name, $0.labels, number($0.value)) }.joined()
        case .histogram(let buckets, let sum, let count, let labels):
            var text = buckets.map { bucket in
                line(
                    name + "_bucket", labels, String(bucket.cumulativeCount),
                    last: ("le", number(bucket.upperBound)))
            }.joined()
            text += line(name + "_bucket", labels, String(count), last: ("le", "+Inf"))
            return text + total(name, labels, sum: sum, count: count)
        case .summary(let quantiles, let sum, let count, let labels):
            let text = quantiles.map { quantile in
                line(name, labels, number(quantile.value), last: ("quantile", number(quantile.fraction)))
            }.joined()
            return text + total(name, labels, sum: sum, count: count)
        }
    }

    private static func total(
        _ name: String, _ labels: [String: String], sum: Double, count: UInt64
    ) -> String {
        line(name + "_sum", labels, number(sum)) + line(name + "_count", labels, String(count))
    }

    private static func line(
        _ name: String, _ labels: [String: String], _ value: String, last: (String, String)? = nil
    ) -> String {
        var pairs = labels.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        if let last { pairs.append(last) }
        let list = pairs.map { "\($0.0)=\"\(escapedLabel($0.1))\"" }.joined(separator: ",")
        return list.isEmpty ? "\(name) \(value)\n" : "\(name){\(list)} \(value)\n"
    }

    /// A number as the format wants it; whole ones without a fraction.
    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        if let whole = Int(exactly: value) { return String(whole) }
        return String(value)
    }

    private static func escapedHelp(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            switch character {
            case "\\": result += "\\\\"
            case _ where character.isNewline: result += "\\n"
            default: result.append(character)
            }
        }
    }

    private static func escapedLabel(_ text: String) -> String {
        // By scalar: a carriage return and a line feed are one Character.
        text.unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
    }
}

// The rules.
extension PrometheusText {
    private static func check(_ family: PrometheusFamily) throws {
        func fail(_ reason: String) -> ReportError { .invalidFamily(name: family.name, reason: reason) }
        guard isName(family.name), family.name.hasPrefix(PrometheusFamily.prefix) else {
            throw fail("a name is '\(PrometheusFamily.prefix)' and letters, digits and underscores")
        }
        switch family.content {
        case .counter(let samples):
            guard family.name.hasSuffix("_total") else { throw fail("a counter ends in '_total'") }
            guard samples.allSatisfy({ $0.value >= 0 }) else { throw fail("a counter is not negative") }
            if let reason = labelProblem(samples.map(\.labels)) { throw fail(reason) }
        case .gauge(let samples):
            if let reason = labelProblem(samples.map(\.labels)) { throw fail(reason) }
        case .histogram(let buckets, _, let count, let labels):
            if let reason = labelProblem([labels], reserved: "le") { throw fail(reason) }
            let isAscending = zip(buckets, buckets.dropFirst()).allSatisfy { lower, upper in
                lower.upperBound < upper.upperBound && lower.cumulativeCount <= upper.cumulativeCount
            }
            let isFinite = buckets.allSatisfy(\.upperBound.isFinite)
            guard isAscending, isFinite, buckets.last?.cumulativeCount ?? 0 <= count else {
                throw fail("buckets have finite ascending bounds and cumulative counts up to the count")
            }
        case .summary(let quantiles, _, _, let labels):
            if let reason = labelProblem([labels], reserved: "quantile") { throw fail(reason) }
            guard quantiles.allSatisfy({ (0...1).contains($0.fraction) }) else {
                throw fail("a quantile lies between 0 and 1")
            }
        }
    }

    private static func labelProblem(_ sets: [[String: String]], reserved: String? = nil) -> String? {
        for name in sets.flatMap(\.keys).sorted() {
            if !isName(name) || name.hasPrefix("__") {
                return "the label '\(name)' is not letters, digits and underscores"
            }
            if name == reserved { return "the label '\(name)' is reserved" }
        }
        return Set(sets).count == sets.count ? nil : "two samples have the same labels"
    }

    /// Colons, which the format allows in names, are left to recording rules.
    private static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }
}
