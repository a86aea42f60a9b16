// The words of hibernated stacks in few bytes: they come back as they were, and nothing beyond the stream is touched.
import CShimInternals
import Measurement
import Testing

private let base: UInt = 0x7f12_3456_7000

/// Words as stacks hold them: of every length, near the base, with the upper half of the one before.
private func words(_ count: Int, _ random: inout SeededGenerator) -> [UInt] {
    var upper: UInt = 0x5555
    return (0..<count).map { _ in
        switch Int.random(in: 0..<6, using: &random) {
        case 0, 1: return 0
        case 2: return base - UInt.random(in: 0...0x1_0100, using: &random)
        case 3: return upper << 32 | UInt(UInt32.random(in: 0...UInt32.max, using: &random))
        case 4: return UInt.random(in: 0...UInt.max, using: &random) >> (8 * UInt.random(in: 0..<8, using: &random))
        default:
            upper = UInt.random(in: 1...0xffff_ffff, using: &random)
            return upper << 32
        }
    }
}

/// Encodes into exactly `capacity` bytes in front of a guard; null where they do not suffice.
private func encode(_ words: [UInt], capacity: Int) -> (stream: GuardedBytes, length: Int)? {
    let stream = GuardedBytes(capacity)
    let length = fl_words_encode(words, words.count, base, stream.bytes, capacity)
    return length == 0 && words.contains { $0 != 0 } ? nil : (stream, length)
}

private func decode(_ bytes: GuardedBytes, _ count: Int, steps: (Int) -> Int = { $0 }) -> [UInt] {
    var stream = fl_word_stream(
        at: UnsafePointer(bytes.bytes), end: UnsafePointer(bytes.bytes + bytes.count), base: base, upper: 0, tags: 0,
        odd: false)
    var decoded = [UInt](repeating: 0xaa, count: count)
    var done = 0
    while done < count {
        let step = max(1, min(steps(count - done), count - done))
        decoded.withUnsafeMutableBufferPointer { fl_words_decode(&stream, $0.baseAddress! + done, step) }
        done += step
    }
    return decoded
}

@Suite struct StackCodecTests {
    @Test(arguments: UInt64(0)..<40) func randomWordsComeBackWhateverTheStepsOfDecoding(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let original = words(Int.random(in: 1...700, using: &random), &random)
        let encoded = try #require(encode(original, capacity: fl_words_measure(original, original.count, base)))
        #expect(decode(encoded.stream, original.count) == original)
        #expect(decode(encoded.stream, original.count, steps: { Int.random(in: 1...$0, using: &random) }) == original)
    }

    @Test(arguments: UInt64(100)..<120) func aByteTooFewIsRefusedAndNothingBehindItIsWritten(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        // The last word takes bytes, so the stream has no zeros at its end to save.
        let original = words(Int.random(in: 0...60, using: &random), &random) + [0x1234_5678_9abc_def0]
        let measured = fl_words_measure(original, original.count, base)
        for capacity in 0..<measured { #expect(encode(original, capacity: capacity) == nil) }
        #expect(try #require(encode(original, capacity: measured)).length == measured)
    }

    @Test func zerosAtTheEndTakeNoByte() throws {
        let zeros = [UInt](repeating: 0, count: 100)
        #expect(fl_words_measure(zeros, zeros.count, base) == 0)
        #expect(decode(GuardedBytes(0), zeros.count) == zeros)
        #expect(fl_words_measure([7] + zeros, 101, base) == fl_words_measure([7], 1, base))
        #expect(decode(try #require(encode([7] + zeros, capacity: 2)).stream, 101) == [7] + zeros)
    }

    // In a process whose dictionary holds none of these words.
    @Test func oneWordTakesItsBytesAndATag() async {
        await #expect(processExitsWith: .success) {
            let lengths: [(word: UInt, bytes: Int)] = [
                (base, 3), (base - 1, 3), (base - 65_535, 3), (base - 65_536, 7), (base + 1, 7), (1, 2), (0xff, 2),
                (0x100, 3), (0xffff, 3), (0x1_0000, 4), (0xffff_ffff, 5), (0x1_0000_0000, 6), (UInt.max, 9),
            ]
            for (word, bytes) in lengths {
                #expect(fl_words_measure([word], 1, base) == bytes, "\(String(word, radix: 16))")
                #expect(decode(encode([word], capacity: bytes)!.stream, 1) == [word])
            }
        }
    }

    @Test func theUpperHalfOfTheLastLongWordIsNotRepeated() {
        let upper: UInt = 0x4321_8765
        #expect(fl_words_measure([upper << 32 | 1, upper << 32 | 2], 2, base) == 1 + 8 + 4)
        #expect(fl_words_measure([upper << 32 | 1, 0xabcdef, upper << 32 | 2], 3, base) == 1 + 8 + 3 + 1 + 4)
        #expect(fl_words_measure([upper << 32 | 1, (upper + 1) << 32 | 2], 2, base) == 1 + 8 + 8)
    }

    @Test(arguments: UInt64(200)..<210) func decodingReadsNothingBehindACutOrDamagedStream(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let original = words(40, &random)
        let whole = try #require(encode(original, capacity: fl_words_measure(original, original.count, base)))
        for length in 0...whole.stream.count {
            let cut = GuardedBytes((0..<length).map { whole.stream[$0] })
            #expect(decode(cut, 80).count == 80)
        }
        for _ in 0..<200 {
            let noise = GuardedBytes((0..<50).map { _ in UInt8.random(in: 0...255, using: &random) })
            #expect(decode(noise, 200).suffix(50).allSatisfy { $0 == 0 })
        }
    }
}

// The dictionary is the process's: each test has one of its own.
@Suite struct WordDictionaryTests {
    @Test func measuringAStackTeachesNothing() async {
        await #expect(processExitsWith: .success) {
            let words: [UInt] = [0x5566_7788_99aa, 0x123_4567, 0x7fff_0000_1234_5678]
            let first = fl_words_measure(words, words.count, 0x7000_0000_0000)
            for base in 1...10 as ClosedRange<UInt> {
                #expect(fl_words_measure(words, words.count, base << 40) == first)
            }
            for word in words { #expect(fl_dictionary_find(UInt64(word)) == -1) }
        }
    }

    @Test func aWordOfTwoStacksIsKnownAndTakesOneByte() async {
        await #expect(processExitsWith: .success) {
            let word: UInt = 0x5566_7788_99aa
            let bases: [UInt] = [0x7000_0000_0000, 0x7100_0000_0000, 0x7200_0000_0000]
            var streams = [[UInt8]](repeating: [UInt8](repeating: 0, count: 32), count: 3)
            for (index, base) in bases.enumerated() {
                #expect(fl_words_measure([word], 1, base) == (index < 2 ? 7 : 2))
                #expect(fl_words_encode([word], 1, base, &streams[index], 32) == (index < 2 ? 7 : 2))
                #expect((fl_dictionary_find(UInt64(word)) >= 0) == (index >= 1))
            }
            #expect(fl_dictionary_word(UInt8(fl_dictionary_find(UInt64(word)))) == UInt64(word))
            for (index, base) in bases.enumerated() {
                let decoded = streams[index].withUnsafeBufferPointer { bytes in
                    var stream = fl_word_stream(
                        at: bytes.baseAddress!, end: bytes.baseAddress! + 32, base: base, upper: 0, tags: 0, odd: false)
                    var word: UInt = 0
                    fl_words_decode(&stream, &word, 1)
                    return word
                }
                #expect(decoded == word)
            }
        }
    }

    @Test func oneStackAloneTeachesNothing() async {
        await #expect(processExitsWith: .success) {
            var stream = [UInt8](repeating: 0, count: 64)
            for _ in 0..<10 { _ = fl_words_encode([0x5566_7788_99aa], 1, 0x7000_0000_0000, &stream, 64) }
            #expect(fl_dictionary_find(0x5566_7788_99aa) == -1)
        }
    }

    @Test func itIsFullAt256WordsAndKeepsThem() async {
        await #expect(processExitsWith: .success) {
            // Words that share a place in the table of what was seen displace each other: each is taught at once.
            let words = (0..<2_000).map { 0x4000_0000_0000 + UInt64($0) * 0x9_8765_4321 }
            for word in words {
                fl_dictionary_learn(word, 0x7000_0000_0000)
                fl_dictionary_learn(word, 0x7100_0000_0000)
            }
            let known = words.filter { fl_dictionary_find($0) >= 0 }
            #expect(known.count == 256)
            #expect(Set(known.map { fl_dictionary_find($0) }).count == 256)
            for word in known { #expect(fl_dictionary_word(UInt8(fl_dictionary_find(word))) == word) }
        }
    }
}
