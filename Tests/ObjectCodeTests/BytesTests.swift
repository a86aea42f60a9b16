import ObjectCode
import Testing

@Suite("Bytes of a file") struct BytesTests {
    private let bytes = Bytes([1, 2, 3, 4, 5, 6, 7, 8, 0, 0x61, 0x62, 0])

    @Test(arguments: [
        (0, 12, true), (0, 13, false), (12, 0, true), (13, 0, false), (11, 1, true), (12, 1, false), (-1, 1, false),
        (0, -1, false), (.max, 1, false), (1, .max, false), (.max, .max, false), (.min, 0, false),
    ]) func `a range is held when all of it is there`(_ offset: Int, _ length: Int, _ isHeld: Bool) {
        #expect(bytes.holds(offset, length) == isHeld)
        #expect(bytes.bytes(offset, length)?.count == (isHeld ? length : nil))
    }

    @Test func `a number begins with its lowest byte`() {
        #expect(bytes.integer(0, as: UInt16.self) == 0x0201)
        #expect(bytes.integer(8, as: UInt32.self) == 0x0062_6100 && bytes.integer(9, as: UInt32.self) == nil)
        #expect(bytes.size(0) == 0x0807_0605_0403_0201 && bytes.size(5) == nil)
        #expect(bytes[11] == 0 && bytes[12] == nil && bytes[-1] == nil)
    }

    @Test func `a size that is no Int is none`() {
        #expect(Bytes([0, 0, 0, 0, 0, 0, 0, 0x80]).size(0) == nil)
        #expect(Bytes([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]).size(0) == .max)
    }

    @Test(arguments: [0, 1, -1, .max, .min, 0x0123_4567] as [Int32]) func `a number is what its bytes say`(
        _ number: Int32
    ) {
        #expect(Int32(littleEndianBytes: number.littleEndianBytes[...]) == number)
        #expect(Int32(littleEndianBytes: number.littleEndianBytes.dropLast()) == nil)
    }

    @Test func `text ends with a zero within its limit`() {
        #expect(bytes.text(9) == "ab" && bytes.text(9, limit: 3) == "ab" && bytes.text(9, limit: 2) == nil)
        #expect(bytes.text(11) == "" && bytes.text(12) == nil && bytes.text(13) == nil && bytes.text(-1) == nil)
    }

    @Test func `appended bytes begin at a multiple of the alignment`() {
        var bytes = bytes
        #expect(bytes.append([9], alignment: 8) == 16 && bytes.count == 17)
        bytes.replace(16, with: [7])
        #expect(bytes.content.suffix(6) == [0, 0, 0, 0, 0, 7][...])
    }
}

@Suite("Census of checks") struct CheckCensusTests {
    @Test func `censuses add up`() {
        var census = CheckCensus(functions: 3, textBytes: 100)
        census.count(hot: CodeSize(instructions: 2, bytes: 11), cold: CodeSize(instructions: 4, bytes: 18))
        census.count(hot: CodeSize(instructions: 3, bytes: 19), cold: CodeSize(instructions: 5, bytes: 20))
        var sum = CheckCensus()
        sum += census
        sum += census
        #expect(sum.functions == 6 && sum.textBytes == 200 && sum.checks == 4)
        #expect(sum.hot == CodeSize(instructions: 10, bytes: 60) && sum.cold == CodeSize(instructions: 18, bytes: 76))
    }
}
