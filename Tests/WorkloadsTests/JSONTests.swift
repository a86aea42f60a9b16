import Processes
import TestNeeds
import Testing

@testable import Workloads

@Suite("JSON")
struct JSONTests {
    /// Texts that RFC 8259 allows.
    static let valid: [String] = [
        "null", "true", "false", "0", "-0", "-1", "123", "1.5", "-0.0", "1e3", "1E+3", "1e-3", "0.5e1", "1.0E-0",
        "9223372036854775807", "-9223372036854775808", "9223372036854775808", "123456789012345678901234567890",
        "1e-400", "2.2250738585072014e-308", "[]", "{}", " [ ] ", "\t\n\r {\n}\r", "[1]", "[1,2,3]", "[[],[[]],{}]",
        #""""#, #""abc""#, #""\"\\\/\b\f\n\r\t""#, #""\u0041\u00e9\u20AC""#, #""\ud83d\ude00""#, #""\uD834\uDD1E""#,
        #""\u0000""#, "\"\u{7f}\"", "\"é€😀\"", "\"\u{80}\u{7ff}\u{800}\u{ffff}\u{10000}\u{10ffff}\"",
        #"{"a":1}"#, #"{"a":1,"a":2,"":3}"#, #"{"a":{"b":[{"c":null}]}}"#, #"{ "a" : [ 1 , true ] , "b" : "c" }"#,
        #"[null,true,false,0,"",[],{}]"#, "\"\u{feff}\"", #"["\u2028"]"#,
    ]

    /// Texts that it does not allow, or that have no value here (see the parser's head).
    static let invalid: [(text: [UInt8], offset: Int)] =
        [
            ("", 0), (" ", 1), ("nul", 0), ("nulll", 4), ("True", 0), ("01", 1), ("-", 1), ("-a", 1), ("+1", 0),
            (".5", 0),
            ("1.", 2), ("1.e1", 2), ("1e", 2), ("1e+", 3), ("0x10", 1), ("1 2", 2), ("1e400", 0), ("NaN", 0), ("[", 1),
            ("]", 0), ("[1", 2), ("[1,", 3), ("[1,]", 3), ("[,1]", 1), ("[1 2]", 3), ("[1}", 2), ("[[]", 3), ("[]]", 2),
            ("{", 1), ("}", 0), (#"{"a"}"#, 4), (#"{"a":}"#, 5), (#"{"a":1,}"#, 7), (#"{a:1}"#, 1), (#"{1:1}"#, 1),
            (#"{"a" 1}"#, 5), (#"{"a":1 "b":2}"#, 7), (#"{"a":1]"#, 6), (#"{,}"#, 1), (#"""#, 1), (#""abc"#, 4),
            (#""\"#, 2), (#""\x""#, 1), (#""\u12""#, 1), (#""\u12g4""#, 1), (#""\ud800""#, 1), (#""\ud800\n""#, 1),
            (#""\ud800\u0041""#, 1), (#""\udc00""#, 1), ("'a'", 0), ("\"\n\"", 1), ("\"\t\"", 1), ("\"\u{1f}\"", 1),
            ("\u{feff}1", 0), ("\u{a0}1", 0), ("[1]//", 3), ("[1,/**/2]", 3), ("\u{c}1", 0),
        ].map { (Array($0.0.utf8), $0.1) } + [
            ([0x22, 0x80, 0x22], 1), ([0x22, 0xc0, 0x80, 0x22], 1), ([0x22, 0xc3, 0x22], 1),
            ([0x22, 0xe0, 0x80, 0x80, 0x22], 1),
            ([0x22, 0xed, 0xa0, 0x80, 0x22], 1), ([0x22, 0xf0, 0x8f, 0xbf, 0xbf, 0x22], 1),
            ([0x22, 0xf4, 0x90, 0x80, 0x80, 0x22], 1), ([0x22, 0xf5, 0x80, 0x80, 0x80, 0x22], 1),
            ([0x22, 0x61, 0xe2, 0x82, 0x22], 2), ([0x22, 0xff, 0x22], 1), ([0x22, 0xe2, 0x82], 1), ([0x31, 0x00], 1),
        ]

    @Test("parser and scanner agree on valid texts", arguments: valid)
    func validText(_ text: String) throws {
        let outcome = call(runJSONCode, Array(text.utf8))
        #expect(!outcome.isFailure, "\(outcome.message)")
        let input = InputBytes(text.utf8)
        let expected = try JSONScanner.scan(input.bytes)
        #expect(outcome.checksum == expected.checksum)
        #expect(outcome.counts == expected.counts)
    }

    @Test("parser and scanner reject invalid texts, the parser says where", arguments: invalid)
    func invalidText(_ text: [UInt8], _ offset: Int) {
        let outcome = call(runJSONCode, text)
        #expect(outcome.isFailure)
        #expect(outcome.message.hasPrefix("not JSON at byte \(offset): "), "\(outcome.message)")
        let input = InputBytes(text)
        #expect(throws: JSONScanner.Failure.self) { try JSONScanner.scan(input.bytes) }
    }

    @Test("values that look alike have different checksums")
    func distinctValues() throws {
        let texts = [
            "0", "-0", "1", "1.0", "10", "\"1\"", "[]", "{}", "[[]]", "[[],[]]", "null", "\"null\"", "[1,2]", "[12]",
            "[2,1]", #"{"a":1,"b":2}"#, #"{"b":2,"a":1}"#, #"{"a":1}"#, #"{"a":1,"a":1}"#, #"["a","b"]"#, #"["ab",""]"#,
        ]
        let checksums = texts.map { call(runJSONCode, Array($0.utf8)).checksum }
        #expect(Set(checksums).count == texts.count)
        #expect(call(runJSONCode, Array(#""\u0041\n""#.utf8)) == call(runJSONCode, Array(#""A\u000a""#.utf8)))
    }

    @Test("values are counted")
    func counts() {
        let outcome = call(runJSONCode, Array(#"{"a":[1,2,{"bc":"é"}],"d":null}"#.utf8))
        #expect(outcome.counts == [7, 3, 3, 6])
    }

    @Test("100,000 nested arrays are parsed, checked and destroyed")
    func deepArrays() throws {
        let prepared = try JSONWorkload().prepare(inputs: ["nested:100000"])
        #expect(prepared.summary == "100,000 values, depth 100,000, 200,000 bytes")
        let code = try CodeLoader().load(JSONWorkload(), variant: .builtin)
        let result = onLargeStack { Result { try prepared.run(code) } }
        #expect(try result.get().operations == 100_000)
    }

    @Test("deep texts that end early or go wrong are errors, not crashes")
    func deepFailures() {
        let open = Array(JSONWorkload.nested(depth: 100_000).prefix(100_000))
        #expect(
            call(runJSONCode, open).message == "not JSON at byte 100000: expected a value, found the end of the text")
        // The error must not destroy the complete deep sibling recursively.
        let sibling = Array("[".utf8) + JSONWorkload.nested(depth: 100_000) + Array(",x]".utf8)
        #expect(call(runJSONCode, sibling).message == "not JSON at byte 200002: expected a value")
        let object = Array(repeating: Array(#"{"a":"#.utf8), count: 50_000).flatMap { $0 }
        #expect(call(runJSONCode, object).message.hasPrefix("not JSON at byte 250000: "))
    }

    @Test("a deep tree is destroyed on a small stack")
    func dismantleIsIterative() {
        var value = JSONValue.array([])
        for level in 0..<200_000 {
            value = level % 2 == 0 ? .array([.null, value]) : .object([JSONMember(name: "a", value: value)])
        }
        JSONValue.dismantle(&value)
        #expect(!value.isContainer)
    }

    @Test("inputs that cannot be used are named")
    func badInputs() throws {
        let workload = JSONWorkload()
        #expect(
            line { try workload.prepare(inputs: ["/nowhere.json"]) }
                == "cannot read /nowhere.json: No such file or directory")
        #expect(line { try workload.prepare(inputs: ["/tmp"]) } == "cannot read /tmp: it is a folder; name a file")
        #expect(
            line { try workload.prepare(inputs: ["nested:x"]) }
                == "json: 'nested:x' has no depth; write nested:N with N from 1 to 100000000")
        let folder = try TemporaryFolder()
        try Files.write("[1,]".utf8, to: "\(folder.path)/a.json")
        #expect(
            line { try workload.prepare(inputs: ["\(folder.path)/a.json"]) }
                == "\(folder.path)/a.json is not JSON at byte 3: expected a value")
    }
}
