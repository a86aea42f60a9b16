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

    @Test func `a document as tables`() throws {
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
}
