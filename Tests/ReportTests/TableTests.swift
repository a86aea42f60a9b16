import Measurement
import Report
import Testing

struct TableTests {
    @Test func `columns are as wide as their widest cell and lines have no white space at the end`() {
        var table = TextTable([.init("name"), .init("n", .right), .init("note")])
        table.append(["µ", "1,000", ""])
        table.append(["longer", "7", "x"])
        #expect(
            table.rendered() == """
                name        n  note
                ------  -----  ----
                µ       1,000
                longer      7  x

                """)
    }

    @Test func `a column without content is left out, and so is a table without rows`() {
        var table = TextTable([.init("a"), .init("empty"), .init("b", .right)])
        #expect(table.rendered() == "")
        table.append(["1", "", "2"])
        #expect(table.rendered(indentation: 2) == "  a  b\n  -  -\n  1  2\n")
    }

    @Test func `control characters do not reach the terminal`() {
        var table = TextTable([.init("a")])
        table.append(["x\u{1B}[2Jy\r\nz\t"])
        #expect(table.rendered() == "a\n----------\nx?[2Jy??z?\n")
    }

    @Test func `a document is written as tables`() throws {
        var document = Samples.document
        document.machine.warnings = ["the machine is busy"]
        var slow = Samples.time
        slow.name = "posix-thread"
        (slow.median, slow.low, slow.high) = (12_345, 12_001, 13_999)
        slow.parameters["iterations"] = 10
        slow.parameters["pinned"] = nil
        slow.parameters["reason"] = "two words"
        document.records.insert(slow, at: 1)
        var fault = Samples.fault
        fault.name = "write-text"
        fault.parameters["verdict"] = "foreign"
        document.records.append(fault)
        #expect(
            try document.table() == """
                switch (clock=monotonic)
                  case          metric   median  95 % interval  baseline        samples  parameters
                  ------------  ------  -------  -------------  --------------  -------  --------------------------------------------
                  api           time    2.71 ns   [2.69, 2.75]                       31  iterations=100000 pinned=true spread=0.25
                  posix-thread  time    12.3 µs   [12.0, 14.0]                       31  iterations=10 reason="two words" spread=0.25
                  api           ratio      0.43   [0.43, 0.44]  boost-fcontext       31

                faults (ended="killed by SIGSEGV" expected=nil-dereference signal=SIGSEGV)
                  case        metric      value  verdict
                  ----------  ----------  -----  ---------------
                  nil-read    classified      1  nil-dereference
                  write-text  classified      1  foreign

                statistics
                  case  metric            value
                  ----  ---------------  ------
                  json  bytes-committed  16 KiB

                machine: Some Processor, 2 cores, 24 GiB, Linux 6.12.0, 1 mitigated
                warning: the machine is busy
                note: boost-pooled is skipped: install libboost-context-dev

                """)
    }

    @Test func `verdicts end the table, claimed beside measured numbers`() throws {
        var other = Samples.verdict
        (other.claim, other.verdict, other.claimed) = ("census", .notMeasurable, [])
        other.reason = String(repeating: "long words ", count: 10)
        let document = Document(machine: Samples.machine, records: [], verdicts: [Samples.verdict, other])
        #expect(
            try document.table() == """
                machine: Some Processor, 2 cores, 24 GiB, Linux 6.12.0, 1 mitigated

                claim       verdict              number          claimed                         measured  reason
                ----------  -------------------  ---------  ------------  -------------------------------  -------------------------------------------------------------------
                check-cost  depends              gain       0.03 to 0.05  0.0200 [0.0100, 0.0400; n = 16]  0.02 lies below 0.03
                                                 crossings    at least 4
                census      not measurable here  gain                     0.0200 [0.0100, 0.0400; n = 16]  long words long words long words long words long words long words …

                """)
    }

    @Test(arguments: [
        (Estimate(median: 2.714, low: 2.69, high: 2.75, samples: 31), "2.71 ns [2.69, 2.75; n = 31]"),
        (Estimate(median: 2.714, low: 2.712, high: 2.7149, samples: 31), "2.71 ns"), (Estimate(exactly: 3), "3.00 ns"),
    ])
    func `a measured number has its interval unless it shows the same`(estimate: Estimate, text: String) {
        #expect(MeasuredFigure(Figure("a", .nanoseconds), estimate).description == text)
    }

    @Test(arguments: [
        (ClaimedFigure(Figure("a", .nanoseconds), 89), "89 ns"),
        (ClaimedFigure(Figure("a", .count), low: 3, high: 5), "3 to 5"),
        (ClaimedFigure(Figure("a", .count), low: 100, high: 1800), "100 to 1,800"),
        (ClaimedFigure(Figure("a", .nanoseconds), low: 12_000, high: 189_000), "12 µs to 189 µs"),
        (ClaimedFigure(Figure("a", .bytes), low: 2048, high: nil), "at least 2 KiB"),
        (ClaimedFigure(Figure("a", .ratio), low: nil, high: 0.5), "at most 0.5"),
    ])
    func `a claimed number is a value, a range or a bound`(figure: ClaimedFigure, text: String) {
        #expect(figure.description == text)
    }

    @Test func `a number that is our reading is no claimed one in a table, and is told in JSON`() throws {
        var document = Samples.judged
        document.verdicts?[0].claimed = [
            ClaimedFigure(Figure("crossings", .count), low: 4, high: nil, isOurReading: true),
            ClaimedFigure(Figure("returns", .count), low: 3, high: nil),
        ]
        let lines = try document.table().split(separator: "\n")
        #expect(lines.contains { $0.contains("crossings  at least 4 (our reading)") })
        #expect(lines.contains { $0.contains("at least 3") && !$0.contains("reading") })
        try SchemaTests.validator().validate(JSONValue(document.json()))
        #expect(try Document(json: document.json()) == document)
        #expect(document.verdicts?[0].claimed.map(\.isOurReading) == [true, nil])
    }
}
