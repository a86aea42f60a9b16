import Measurement
import Testing

struct SeededGeneratorTests {
    /// The first numbers for seed 1234567, as the authors' reference program prints them.
    @Test func `the numbers are those of the reference implementation`() {
        var generator = SeededGenerator(seed: 1_234_567)
        let numbers = (0..<5).map { _ in generator.next() }
        #expect(
            numbers == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
                4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
            ])
    }

    @Test(arguments: [1, 2, 3, 7, 1000]) func `an index stays below its bound and reaches all of it`(bound: Int) {
        var generator = SeededGenerator(seed: 5)
        var seen = Set<Int>()
        for _ in 0..<(20 * bound) { seen.insert(generator.index(below: bound)) }
        #expect(seen.allSatisfy { (0..<bound).contains($0) })
        #expect(seen.contains(0) && seen.contains(bound - 1))
    }

    @Test func `a unit number is at least 0 and below 1, with mean a half`() {
        var generator = SeededGenerator(seed: 9)
        let numbers = (0..<10_000).map { _ in generator.unit() }
        #expect(numbers.allSatisfy { $0 >= 0 && $0 < 1 })
        // The standard error of the mean is 0.0029.
        #expect(abs(numbers.reduce(0, +) / 10_000 - 0.5) < 0.015)
    }

    @Test func `every order of three is about equally likely`() {
        var generator = SeededGenerator(seed: 3)
        var counts: [[Int]: Int] = [:]
        for _ in 0..<6000 { counts[generator.permutation(of: 3), default: 0] += 1 }
        #expect(counts.count == 6)
        // 1,000 expected each, standard deviation 29.
        #expect(counts.values.allSatisfy { (850...1150).contains($0) })
    }

    @Test(arguments: [0, 1]) func `shuffling nothing or one changes nothing`(count: Int) {
        var generator = SeededGenerator(seed: 3)
        #expect(generator.permutation(of: count) == Array(0..<count))
    }
}
