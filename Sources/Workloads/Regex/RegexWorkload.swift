// The regex workload: patterns for source code, run over the sources of this package or files that users name.

import Processes

/// A backtracking regular expression matcher.
public struct RegexWorkload: Workload {
    public let name = "regex"
    public let summary = "a backtracking regular expression matcher: a call for each choice that may be undone"
    public let inputHelp = "text files in UTF-8 (default: the sources of the workloads)"
    public let languages: [CodeLanguage] = [.swift]

    /// What is searched for: definitions, string literals, comments, calls with nested parentheses, innermost blocks (a
    /// recursion one call deep for each character), numbers, lines that open a block, repeated words.
    static let patterns = [
        #"\b(func|static|enum|struct|class|let|var)\s+([A-Za-z_]\w*)"#,
        #""(?:\\.|[^"\\\n])*""#,
        #"//[^\n]*$|/\*(?:.|\n)*?\*/"#,
        #"\w+\((?:[^()]|\([^()]*\))*\)"#,
        #"\{[^{}]*\}"#,
        #"\b(0x[0-9a-fA-F_]{2,}|[1-9][0-9]{0,2}(_[0-9]{3})*)\b"#,
        #"^\s*(.*\S)\s*\{$"#,
        #"\b([A-Za-z]+)\W+\1\b"#,
    ]

    public init() {}

    public func prepare(inputs: [String]) throws(WorkloadError) -> PreparedWorkload {
        var texts: [(label: String, bytes: [UInt8])] = []
        for input in inputs { texts.append((input, try WorkloadError.input(input))) }
        if inputs.isEmpty { texts = [("the sources", EmbeddedFile.sources.flatMap(\.bytes))] }
        return try Self.prepare(texts: texts)
    }

    /// Prepares texts that are in memory; `label` is what messages call them.
    public static func prepare(texts: [(label: String, bytes: [UInt8])]) throws(WorkloadError) -> PreparedWorkload {
        var cases: [WorkloadCase] = []
        var (matches, size): (UInt64, Int) = (0, 0)
        for text in texts {
            guard String(validating: text.bytes, as: UTF8.self) != nil else {
                throw WorkloadError("\(text.label) is not UTF-8", remedy: "convert it first")
            }
            let expected = try text.bytes.withUnsafeBufferPointer { bytes throws(WorkloadError) in
                try expectation(patterns, bytes)
            }
            let input = InputBytes((patterns.joined(separator: "\n") + "\n\n").utf8 + text.bytes)
            matches += expected.matches
            size += text.bytes.count
            cases.append(
                WorkloadCase(
                    label: text.label, input: input, checksum: expected.checksum, counts: [expected.matches]))
        }
        return PreparedWorkload(
            name: "regex",
            summary: "\(patterns.count) patterns, \(grouped(matches)) matches, \(grouped(size)) bytes",
            operations: matches, cases: cases)
    }

    /// Checksum and number of matches, without the matcher.
    static func expectation(
        _ patterns: [String], _ text: UnsafeBufferPointer<UInt8>
    ) throws(WorkloadError) -> (checksum: UInt64, matches: UInt64) {
        var hash = FNVHash()
        var matches: UInt64 = 0
        for pattern in patterns {
            for slots in try find(pattern, text) {
                for slot in slots { hash.add(word: UInt64(bitPattern: Int64(slot))) }
                matches += 1
            }
        }
        return (hash.value, matches)
    }

    private static func find(
        _ pattern: String, _ text: UnsafeBufferPointer<UInt8>
    ) throws(WorkloadError) -> [[Int]] {
        if pattern == patterns.last { return RepeatedWords.find(text) }
        let parsed: RegexPattern
        do throws(RegexFailure) {
            parsed = try RegexPattern(pattern)
        } catch {
            throw WorkloadError("pattern '\(pattern)' is malformed at byte \(error.offset): \(error.reason)")
        }
        var simulation = RegexSimulation(parsed, text: text)
        var found: [[Int]] = []
        var position = 0
        while position <= text.count, let slots = simulation.search(from: position) {
            found.append(slots)
            position = slots[1]
            if slots[1] == slots[0] {
                position += 1
                while position < text.count, text[position] & 0xc0 == 0x80 { position += 1 }
            }
        }
        return found
    }
}

/// What `\b([A-Za-z]+)\W+\1\b` finds, by a loop over words: two equal ones with no word between.
enum RepeatedWords {
    static func find(_ text: UnsafeBufferPointer<UInt8>) -> [[Int]] {
        var found: [[Int]] = []
        var former: Range<Int>?
        var index = 0
        while index < text.count {
            guard isWord(text[index]) else {
                index += 1
                continue
            }
            let start = index
            while index < text.count, isWord(text[index]) { index += 1 }
            let word = start..<index
            let isLetters = text[word].allSatisfy { ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7a }
            if let first = former, text[first].elementsEqual(text[word]) {
                found.append([first.lowerBound, word.upperBound, first.lowerBound, first.upperBound])
                former = nil
            } else {
                former = isLetters ? word : nil
            }
        }
        return found
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }
}
