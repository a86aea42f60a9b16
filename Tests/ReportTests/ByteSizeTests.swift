import Report
import Testing

struct ByteSizeTests {
    @Test(arguments: [
        ("0", 0), ("1", 1), ("4096", 4096), ("0016", 16), ("1KiB", 1 << 10), ("16KiB", 16 << 10),
        ("8MiB", 8 << 20), ("1GiB", 1 << 30), ("0GiB", 0), ("8589934591GiB", 8_589_934_591 << 30),
        ("9223372036854775807", Int.max),
    ])
    func `accepted sizes have their value`(text: String, bytes: Int) throws {
        #expect(try ByteSize(parsing: text).bytes == bytes)
    }

    @Test(arguments: [
        "", "64k", "64K", "64KB", "64kib", "KiB", "1.5MiB", "16 KiB", " 16", "16 ", "+16", "-16", "-1KiB", "0x10",
        "1TiB", "1KiBKiB", "1_000", "1,000", "٣", "16KiB\n", "1e3", "B", "12B",
    ])
    func `everything else is rejected, with what is accepted`(text: String) {
        let error = #expect(throws: ByteSizeError.malformed(text)) { try ByteSize(parsing: text) }
        #expect(
            error.map { "\($0)" }
                == "'\(text)' is not a size: write plain bytes (4096) or a whole number with KiB, MiB or GiB "
                + "(16KiB, 8MiB, 1GiB)")
    }

    @Test(arguments: [
        "9223372036854775808", "8589934592GiB", "8796093022208MiB", "9007199254740992KiB",
        "99999999999999999999999999999999KiB",
    ])
    func `what no integer holds is rejected as too large`(text: String) {
        let error = #expect(throws: ByteSizeError.tooLarge(text)) { try ByteSize(parsing: text) }
        #expect(error.map { "\($0)" } == "'\(text)' is too large: a size is at most 9223372036854775807 bytes")
    }

    @Test(arguments: [
        (0, "0"), (1, "1"), (1023, "1023"), (1024, "1KiB"), (1025, "1025"), (1536, "1536"), (16 << 10, "16KiB"),
        (1 << 20, "1MiB"), (1025 << 10, "1025KiB"), (8 << 20, "8MiB"), (1 << 30, "1GiB"), (1 << 40, "1024GiB"),
        (Int.max, "9223372036854775807"),
    ])
    func `a size is written so that it reads back`(bytes: Int, text: String) throws {
        let size = ByteSize(bytes: bytes)
        #expect(size.description == text)
        #expect(try ByteSize(parsing: text) == size)
    }

    @Test func `sizes are ordered by bytes`() throws {
        #expect(try ByteSize(parsing: "1023KiB") < ByteSize(parsing: "1MiB"))
    }
}
