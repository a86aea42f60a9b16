import Testing

@testable import Workloads

/// All matches of the backtracking matcher: begin and end of each group.
private func matches(_ pattern: String, _ text: String) throws -> [[Int]] {
    _ = try RegexPattern(pattern)
    let bytes = InputBytes(text.utf8)
    return onLargeStack {
        var matcher = RegexMatcher(try! RegexPattern(pattern), text: bytes.bytes)
        var found: [[Int]] = []
        var position = 0
        while position <= bytes.count, matcher.search(from: position) {
            found.append(matcher.slots)
            position = matcher.slots[1] > matcher.slots[0] ? matcher.slots[1] : matcher.slots[1] + 1
        }
        return found
    }
}

@Suite("Regular expressions")
struct RegexTests {
    @Test(
        "the first match and its groups are found",
        arguments: [
            ("abc", "xabcx", [1, 4]), ("a.c", "a\nc abc", [4, 7]), ("a|ab", "ab", [0, 1]),
            ("(a|ab)(c|bcd)", "abcd", [0, 4, 0, 1, 1, 4]),
            ("a*", "aaa", [0, 3]), ("a*?", "aaa", [0, 0]), ("a+?b", "aaab", [0, 4]), ("a??b", "ab", [0, 2]),
            ("a{2}", "aaa", [0, 2]), ("a{2,}", "aaaa", [0, 4]), ("a{1,2}?", "aa", [0, 1]),
            ("(a+)(a*)", "aaa", [0, 3, 0, 3, 3, 3]),
            ("(a+?)(a*)", "aaa", [0, 3, 0, 1, 1, 3]), ("(?:ab)+", "ababx", [0, 4]),
            ("(a)|(b)", "b", [0, 1, -1, -1, 0, 1]),
            ("[a-c]+", "xxbcad", [2, 5]), ("[^a-c]+", "abxyc", [2, 4]), ("[]a]+", "x]a]", [1, 4]),
            ("[a-]+", "b-a-", [1, 4]),
            ("[\\d.]+", "v1.25", [1, 5]), ("\\w+", "-ab_9-", [1, 5]), ("\\W", "ab cd", [2, 3]),
            ("[\\S]+", " xy ", [1, 3]),
            ("^b", "a\nb", [2, 3]), ("a$", "ba\nc", [1, 2]), ("\\bfoo\\b", "xfoo foo", [5, 8]),
            ("\\Bo", "o oo", [3, 4]),
            ("(\\w)\\1", "abccd", [2, 4, 2, 3]), ("(a*)b\\1", "aabaa", [0, 5, 0, 2]), ("(a)?\\1b", "b", []),
            ("(a*)*", "aab", [0, 2, 2, 2]),
            ("(a|b*)*c", "abbac", [0, 5, 4, 4]), ("\\.\\*\\\\", "x.*\\", [1, 4]), ("é", "café", [3, 5]),
            (".", "😀", [0, 4]),
            ("[é-ü]+", "aéöüz", [1, 7]), ("[^x]", "é", [0, 2]), ("x*", "", [0, 0]), ("a{0}b", "ab", [1, 2]),
            ("(?:a|b|c|)d", "bd", [0, 2]),
        ])
    func firstMatch(_ pattern: String, _ text: String, _ expected: [Int]) throws {
        #expect(try matches(pattern, text).first ?? [] == expected)
    }

    @Test(
        "malformed patterns are errors that say where",
        arguments: [
            ("(a", 2, "missing ')'"), ("a)", 1, "unmatched ')'"), ("*a", 1, "nothing to repeat"),
            ("a**", 2, "nothing to repeat"),
            ("[a", 2, "missing ']'"), ("[b-a]", 4, "the range in a class is out of order"),
            ("a{2,1}", 5, "the bounds of a repetition are out of order"),
            ("a{x}", 2, "expected a repetition count"), ("a{1001}", 5, "a repetition count above 1000"),
            ("\\", 1, "the pattern ends after a backslash"),
            ("\\q", 2, "unknown escape '\\q'"), ("(a)\\2", 5, "\\2 refers to a group that does not exist"),
            ("(?=a)", 2, "the only group that starts with '(?' is '(?:'"),
        ])
    func malformed(_ pattern: String, _ offset: Int, _ reason: String) {
        let input = "\(pattern)\n\ntext"
        let outcome = call(runRegexCode, Array(input.utf8))
        #expect(outcome.isFailure)
        #expect(outcome.message == "pattern '\(pattern)' is malformed at byte \(offset): \(reason)")
    }

    @Test("backtracking and automaton find the same matches and groups")
    func simulation() throws {
        let patterns =
            [
                "a*b", "(a|b)*c", "(a|ab)(c|bcd)(d*)", "a+?b*", "(a*?)(a*)b", "(?:a|b){2,4}", "(a{1,3}?)(b{0,2})",
                "^a|b$", "\\ba\\w*",
                "[^a]+", "(b)|(c)|d", "x?y?z?", "((a)b?)+", "a(?:b|c)*?d", "(?:ab|a)(?:bc|c)?", "\\Ba", ".a.",
                "(a|b|)c",
            ] + RegexWorkload.patterns.dropLast()
        var random: UInt64 = 88_172_645_463_325_252
        for round in 0..<40 {
            var text = ""
            for _ in 0..<(round * 2) {
                random ^= random << 13
                random ^= random >> 7
                random ^= random << 17
                text +=
                    ["a", "b", "c", "d", "é", "\n", "{", "}", "(", ")", "\"", "0", " ", "a", "b", "/"][
                        Int(random >> 40) % 16]
            }
            for pattern in patterns {
                let input = InputBytes("\(pattern)\n\n\(text)".utf8)
                let outcome = call(runRegexCode, Array(input.bytes))
                let expected = try Array(text.utf8).withUnsafeBufferPointer {
                    try RegexWorkload.expectation([pattern], $0)
                }
                #expect(outcome.checksum == expected.checksum, "\(pattern) on \(text)")
                #expect(outcome.counts[0] == expected.matches, "\(pattern) on \(text)")
            }
        }
    }

    @Test(
        "the loop over words finds what the back reference finds",
        arguments: ["the the", "a b b_ b b", "it it it it", "x1 x1 y y", "é é a\n\na", ""])
    func repeatedWords(_ text: String) throws {
        let found = Array(text.utf8).withUnsafeBufferPointer { RepeatedWords.find($0) }
        #expect(try matches(RegexWorkload.patterns.last!, text) == found)
    }

    @Test("recursion is as deep as a match has choices")
    func depth() {
        let outcome = call(runRegexCode, Array(("(?:a|b)*c\n\n" + String(repeating: "ab", count: 5000) + "c").utf8))
        #expect(outcome.counts[0] == 1)
        #expect(outcome.counts[1] > 10_000)
    }

    @Test("text that is not UTF-8 is refused")
    func encoding() {
        #expect(line { try RegexWorkload.prepare(texts: [("x", [0xff])]) } == "x is not UTF-8; convert it first")
    }
}
