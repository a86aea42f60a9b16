import Faultline
import Report
import Testing

struct StatsTests {
    private static let arguments = ["json", "--input", "nested:3000", "--strategy", "fault"]

    @Test func `every counter is a record, of the process and of the stack`() throws {
        let ending = try Program.run(["stats"] + Self.arguments + ["--format", "json"])
        #expect(ending.errors == "")
        #expect(ending.status == 0)
        let records = try Document(json: ending.output).records
        #expect(Set(records.map(\.suite)) == ["statistics"])
        for scope in ["process", "stack"] {
            let own = records.filter { $0.parameters[ParameterName("scope")] == .string(scope) }
            let kind = ParameterName("verdict")
            let verdicts = own.filter { $0.metric == "traps" }.compactMap { $0.parameters[kind] }
            #expect(verdicts == FaultStatistics.verdicts.map { .string($0) })
            #expect(own.filter { $0.metric == "moves" }.count == PageMover.allCases.count)
            func value(_ metric: String, _ verdict: String? = nil) -> Double? {
                own.first { $0.metric == metric && (verdict == nil || $0.parameters[kind] == .string(verdict!)) }?
                    .median
            }
            let growths = try #require(value("growths"))
            #expect(growths >= 1)
            #expect(value("traps", "growth") == growths)
            #expect(value("handler-runs") == growths)
            #expect(try #require(value("bytes-committed")) >= 65536)
            #expect(value("overflows") == 0)
            for metric in [
                "hibernations", "bytes-stored", "wake-ups-by-resume", "wake-ups-by-fault", "shrinks", "bytes-released",
            ] {
                #expect(value(metric) == 0)
            }
        }
    }

    @Test func `Prometheus gets counters with labels, and quantiles`() throws {
        let ending = try Program.run(
            [
                "stats", "json", "--input", "nested:3000", "--strategy", "fault-move", "--mover", "copy", "--format",
                "prometheus",
            ])
        #expect(ending.errors == "")
        #expect(ending.status == 0)
        var samples: [String: Double] = [:]
        var types: [String: String] = [:]
        for line in ending.output.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.starts(with: ["#", "TYPE"]) {
                types[String(words[2])] = String(words[3])
            } else if words[0] != "#" {
                try #require(words.count == 2)
                let value: Double = try #require(Double(words[1]))
                samples[String(words[0])] = value
            }
        }
        for prefix in ["faultline_", "faultline_stack_"] {
            let moves = try #require(samples["\(prefix)moves_total{mover=\"copy\"}"])
            #expect(moves >= 1)
            #expect(samples["\(prefix)traps_total{verdict=\"growth\"}"] == moves)
            #expect(samples["\(prefix)growths_total"] == moves)
            #expect(try #require(samples["\(prefix)moved_bytes_total"]) > 0)
            #expect(try #require(samples["\(prefix)handler_time_seconds{quantile=\"0.99\"}"]) > 0)
            #expect(types["\(prefix)traps_total"] == "counter")
            #expect(types["\(prefix)high_water_bytes"] == "gauge")
        }
        for sample in samples.keys {
            let name = String(sample.prefix { $0 != "{" })
            #expect(types[name] != nil, "\(name)")
            #expect(name.hasSuffix("_total") == (types[name] == "counter"), "\(name)")
        }
    }

    @Test func `a table leaves out what is zero`() throws {
        let ending = try Program.run(["stats"] + Self.arguments)
        #expect(ending.output.hasPrefix("statistics "))
        #expect(ending.output.contains("\ntraps (growth) "))
        #expect(!ending.output.contains("overflow"))
        let idle = try Program.run(["stats", "fib", "--input", "2", "--strategy", "fixed"])
        #expect(idle.output == "statistics: all counters are zero\n")
    }

    @Test func `a stack that the kernel pages in shows what is in memory`() throws {
        let ending = try Program.run([
            "stats", "json", "--input", "nested:3000", "--strategy", "demand", "--format", "json",
        ])
        let own = try Document(json: ending.output).records.filter {
            $0.parameters[ParameterName("scope")] == .string("stack")
        }
        let mark = try #require(own.first { $0.metric == "high-water" }?.median)
        let committed = try #require(own.first { $0.metric == "bytes-committed" }?.median)
        #expect(mark >= committed && committed >= 3000 * 16 && own.first { $0.metric == "growths" }?.median == 0)
    }

    @Test func `run adds the statistics where they are asked for`() throws {
        let ending = try Program.run(["run"] + Self.arguments + ["--stats", "--format", "json"])
        #expect(Set(try Document(json: ending.output).records.map(\.suite)) == ["run", "statistics"])
        #expect(try Program.run(["run"] + Self.arguments + ["--stats"]).output.contains("\ngrowths "))
    }
}
