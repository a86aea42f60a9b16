// The entry point of the regex workload.

/// Finds all matches of several patterns in a text. `input` holds the patterns, one a line, then an empty line, then
/// the text, which must be UTF-8. The checksum covers begin and end of each match and of its groups; counts: matches,
/// deepest recursion, bytes of text.
@c(fl_regex_run)
public func runRegexCode(
    _ input: UnsafePointer<UInt8>?, _ length: Int, _ parameter: UInt64, _ outcome: UnsafeMutableRawPointer
) -> UInt64 {
    let outcome = CodeOutcome(outcome)
    let input = UnsafeBufferPointer(start: input, count: length)
    var patterns: [String] = []
    var start = 0
    while let end = input[start...].firstIndex(of: 0x0a), end > start {
        patterns.append(String(decoding: UnsafeBufferPointer(rebasing: input[start..<end]), as: UTF8.self))
        start = end + 1
    }
    let text = UnsafeBufferPointer(rebasing: input[min(start + 1, input.count)...])
    var hash = FNVHash()
    var matches: UInt64 = 0
    var deepest: UInt64 = 0
    for pattern in patterns {
        do throws(RegexFailure) {
            var matcher = RegexMatcher(try RegexPattern(pattern), text: text)
            var position = 0
            while position <= text.count, matcher.search(from: position) {
                matches += 1
                for slot in matcher.slots { hash.add(word: UInt64(bitPattern: Int64(slot))) }
                // Behind an empty match the search goes on one character further.
                let (begin, end) = (matcher.slots[0], matcher.slots[1])
                if end > begin {
                    position = end
                } else {
                    position = end + (end < text.count ? RegexMatcher.scalarLength(text[end]) : 1)
                }
            }
            deepest = max(deepest, matcher.deepest)
        } catch {
            outcome.fail("pattern '\(pattern)' is malformed at byte \(error.offset): \(error.reason)")
            return 0
        }
    }
    outcome.setCount(0, matches)
    outcome.setCount(1, deepest)
    outcome.setCount(2, UInt64(text.count))
    return hash.value
}
