import Report
import Testing

struct FaultsTests {
    @Test func `every kind of fault is classified and ends as expected`() throws {
        let ending = try Program.run(["faults", "--format", "json"])
        #expect(ending.errors == "")
        #expect(ending.status == 0)
        let document = try Document(json: ending.output)
        #expect(document.notes == [])
        #expect(document.records.count == 22)
        for record in document.records {
            #expect(record.suite == "faults" && record.metric == "classified" && record.unit == .count)
            let (verdict, expected) = (ParameterName("verdict"), ParameterName("expected"))
            #expect(record.parameters[verdict] == record.parameters[expected], "\(record.name)")
            #expect(record.median == 1, "\(record.name): \(record.parameters)")
        }
    }

    @Test(arguments: [
        (
            "nil-read",
            """
            fault     signal   classified       child              as expected
            --------  -------  ---------------  -----------------  -----------
            nil-read  SIGSEGV  nil-dereference  killed by SIGSEGV  yes

            """
        ),
        (
            "growth",
            """
            fault   signal   classified  child   as expected
            ------  -------  ----------  ------  -----------
            growth  SIGSEGV  growth      exit 0  yes

            """
        ),
    ])
    func `one kind is raised where one is named`(kind: String, table: String) throws {
        let ending = try Program.run(["faults", kind])
        #expect(ending.output == table)
        #expect(ending.errors == "")
        #expect(ending.status == 0)
    }

    @Test func `the child dies of the signal where it is run by itself`() throws {
        #expect(try Program.run(["raise-fault", "nil-write"]).status == -11)
        #expect(try Program.run(["raise-fault", "truncated-file"]).status == -7)
        #expect(try Program.run(["raise-fault", "forced-unwrap"]).status == -4)
    }
}
