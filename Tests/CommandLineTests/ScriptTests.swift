// What the scripts say when they cannot do what they are asked: one line, before anything is built or measured.

import Foundation
import TestNeeds
import Testing

struct ScriptTests {
    /// The repository, from where this file was compiled.
    private static let publishing = "scripts/publish RUN RUN..., or scripts/publish --keep RUN"
    private static let scripts = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "scripts").path

    @Test(
        arguments: [
            (
                ["reproduce", "--bogus"], 64,
                "scripts/reproduce: unknown option '--bogus'; see scripts/reproduce --help"
            ),
            (["reproduce", "--out"], 64, "scripts/reproduce: --out needs a value; see scripts/reproduce --help"),
            (["reproduce", "--seed"], 64, "scripts/reproduce: --seed needs a value; see scripts/reproduce --help"),
            (
                ["reproduce", "--out", "/dev/null"], 1,
                "scripts/reproduce: cannot write to '/dev/null'; name another folder with --out"
            ),
            (
                ["test", "--nonsense"], 64,
                "scripts/test: '--nonsense' is not understood; say scripts/test, or scripts/test --quick"
            ),
            (
                ["skipped-tests", "debug=/nonexistent"], 64,
                "scripts/skipped-tests: 'debug=/nonexistent' is no NAME=FILE of a run of tests"
            ),
            (["plot"], 64, "scripts/plot: name one folder of results: scripts/plot FOLDER"),
            (["look"], 64, "scripts/look: name one folder of results: scripts/look FOLDER [OUT]"),
            (
                ["look", "/nonexistent"], 1,
                "scripts/look: '/nonexistent' has no report.html; name a folder that 'faultline report' wrote"
            ),
            (
                ["publish", "a"], 64,
                "scripts/publish: name two full runs at least, of several machines or days: \(publishing)"
            ),
            (["publish", "a", "--b"], 64, "scripts/publish: unknown option '--b': \(publishing)"),
            (["publish", "--keep", "a", "b"], 64, "scripts/publish: name one full run to keep: \(publishing)"),
            (
                ["publish", "--keep", "/nonexistent"], 1,
                "scripts/publish: '/nonexistent' has no records; run scripts/reproduce --out '/nonexistent'"
            ),
            (
                ["publish", "/nonexistent", "b"], 1,
                "scripts/publish: '/nonexistent' has no records; run scripts/reproduce --out '/nonexistent'"
            ),
            (["plot", "a", "b"], 64, "scripts/plot: name one folder of results: scripts/plot FOLDER"),
            (
                ["plot", "/nonexistent"], 1,
                "scripts/plot: '/nonexistent' has no records.json; name a folder that 'faultline reproduce --out' wrote"
            ),
        ] as [([String], Int32, String)])
    func `wrong usage gets one line`(words: [String], status: Int32, line: String) throws {
        let ending = try Program.shell(
            "s=$1; shift; exec \"$s/\(words[0])\" \"$@\"", [Self.scripts] + words.dropFirst())
        #expect(ending.errors == line + "\n")
        #expect(ending.output == "")
        #expect(ending.status == status)
    }

    @Test func `without Python there are no plots, which one line says`() throws {
        let scratch = try TemporaryFolder()
        _ = try scratch.file("records.json", holding: "{}")
        let tools = scratch.file("bin")
        try FileManager.default.createDirectory(atPath: tools, withIntermediateDirectories: false)
        for tool in ["bash", "dirname", "sha256sum", "cut", "id"] {
            let found = ["/usr/bin", "/bin"].first { FileManager.default.isExecutableFile(atPath: "\($0)/\(tool)") }
            let path = "\(try #require(found))/\(tool)"
            try FileManager.default.createSymbolicLink(atPath: "\(tools)/\(tool)", withDestinationPath: path)
        }
        let folder = scratch.file("records.json").dropLast("/records.json".count)
        let ending = try Program.shell(
            "export PATH=\"$2\" XDG_CACHE_HOME=\"$2\"; exec \"$1/plot\" \"$3\"", [Self.scripts, tools, String(folder)])
        #expect(
            ending.errors
                == "scripts/plot: no plots: python3 with venv and pip is missing: apt-get install python3-venv\n")
        #expect(ending.status == 1)
    }

    /// Runs lines of Python that ask `results` for records: one crossing of the kernel, counted for the claim
    /// trap-cost.
    private static func python(_ lines: String) throws -> Program {
        try Program.shell(
            """
            cd "$1" && exec python3 -c "$2"
            """,
            [
                scripts,
                """
                from plots.results import PlotError, Results
                record = dict.fromkeys(["unit", "median", "low", "high"], 1)
                record |= {"suite": "trap-cost", "case": "store", "metric": "crossings", "parameters": {"peer": "go"}}
                results = Results({"records": [record]}, "records.json")
                try:
                    \(lines)
                except PlotError as error:
                    print(error)
                """,
            ])
    }

    @Test(
        .needs(.python),
        arguments: [
            (
                "results.select('trap-cost', metric='crossing')",
                "the claim 'trap-cost' declares no 'crossing' among the metrics of its plot (names.json)"
            ),
            (
                "results.select('trap', metric='time')",
                "the claim 'trap' declares no 'time' among the metrics of its plot (names.json)"
            ),
            (
                "results.select('trap-cost')[0]['pier']",
                "the claim 'trap-cost' declares no 'pier' among the parameters of its plot (names.json)"
            ),
            (
                "results.select('trap-cost', 'newstak')",
                "the claim 'trap-cost' declares no 'newstak' among the cases of its plot (names.json)"
            ),
            (
                "results.beside(results.select('trap-cost')[0], 'handler', 'peer')",
                "'records.json' has records of the claim 'trap-cost', but none with case 'store', metric 'handler', "
                    + "peer 'go'"
            ),
            (
                "results.needed('trap-cost', metric='time')",
                "'records.json' has records of the claim 'trap-cost', but none with metric 'time'"
            ),
            ("print(results.needed('trap-cost', metric='crossings', peer='go')[0]['peer'])", "go"),
            ("print(results.needed('hot-split', metric='time'))", "[]"),
        ])
    func `a plot that asks for a record by another name than its claim's ends with an error`(
        lines: String, output: String
    ) throws {
        let ending = try Self.python(lines)
        #expect(ending.errors == "")
        #expect(ending.output == output + "\n")
    }

    /// A record that each of these plots needs is taken out of the published ones.
    @Test(.needs(.matplotlib))
    func `a plot that lacks a record which it needs ends with an error that names it`() throws {
        let scratch = try TemporaryFolder()
        let folder = scratch.file("results")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        let missing = [
            ("ackermann", "a(4,5) ", "depth"), ("address-space", "guard-pages", "resident"),
            ("break-even", "fault 4KiB", "advantage"), ("minimum-stack", "thread", "kernel"),
            ("overcommit", "fault", "stacks"), ("shrink", "drain", "time"), ("stack-pool", "unpooled", "time"),
            ("trap-cost", "check-move-copy", "handler"),
        ]
        let ending = try Program.shell(
            """
            python3 -c "$3" "$1/../docs/records.json" "$2/records.json" && exec "$1/plot" "$2"
            """,
            [
                Self.scripts, folder,
                """
                import json, sys
                missing = [\(missing.map { "('\($0)', '\($1)', '\($2)')" }.joined(separator: ", "))]
                def is_kept(r):
                    return not any(
                        r["suite"] == claim and r["case"].startswith(case) and r["metric"] == metric
                        for claim, case, metric in missing)
                records = json.load(open(sys.argv[1]))["records"]
                claims = [claim for claim, _, _ in missing]
                records = [r for r in records if r["suite"] in claims and is_kept(r)]
                json.dump({"records": records}, open(sys.argv[2], "w"))
                """,
            ])
        let errors = ending.errors.split(separator: "\n")
        #expect(errors.count == missing.count)
        for ((claim, _, metric), error) in zip(missing, errors) {
            let plot = claim.replacing("-", with: "_")
            #expect(error.hasPrefix("scripts/plot: plots/\(plot).py: '\(folder)/records.json' has records of the "))
            #expect(error.contains("claim '\(claim)', but none with ") && error.contains("metric '\(metric)'"))
        }
        #expect(ending.output == "0 plots are in \(folder)/plots/\n" && ending.status == 1)
    }

    @Test(.needs(.matplotlib))
    func `a claim that renames a record is an error of its plot alone`() throws {
        let scratch = try TemporaryFolder()
        let file = try scratch.file("records.json", holding: "{\"records\": []}")
        let folder = String(file.dropLast("/records.json".count))
        let ending = try Program.shell(
            """
            cp -r "$1" "$2/scripts" && sed -i 's/"depth"/"depth of calls"/' "$2/scripts/plots/names.json" &&
                exec "$2/scripts/plot" "$2"
            """, [Self.scripts, folder])
        #expect(
            ending.errors.hasPrefix(
                "scripts/plot: plots/ackermann.py: the claim 'ackermann' declares no 'depth' among the metrics"))
        #expect(ending.output == "0 plots are in \(folder)/plots/\n")
        #expect(ending.status == 1)
    }

    @Test(arguments: [
        ("{ \"command\" : \"faultline reproduce x --quick\" }", "holds a quick run; publish full ones"),
        ("[ \"not finished: x\" ]", "holds a run that was interrupted; publish complete ones"),
    ])
    func `neither a quick nor an interrupted run is published`(records: String, line: String) throws {
        let scratch = try TemporaryFolder()
        _ = try scratch.file("records.json", holding: records)
        let folder = String(scratch.file("x").dropLast("/x".count))
        let ending = try Program.shell("exec \"$1/publish\" \"$2\" b", [Self.scripts, folder])
        #expect(ending.errors == "scripts/publish: '\(folder)' \(line)\n")
        #expect(ending.status == 1)
    }

    /// Lines of Python that change the second of two runs which may be published, and what is said then of `b`.
    private static let unfit: [(change: String, problem: String)] = [
        ("", ""),
        ("b['verdicts'] = []", "'b' lacks trap-cost; publish runs of all claims"),
        ("del b['began']", "'b' does not say when it began; run scripts/reproduce --out 'b' again"),
        ("machine['isDebugBuild'] = True", "'b' is of a debug build; scripts/reproduce builds another"),
        (
            "machine['busyProcessors'] = 0.8",
            "'b' began while 0.8 of 2 processors were in use; run it again on an idle machine"
        ),
        (
            "b['verdicts'][0]['disturbed'] = 'others used 1.2 processors'",
            "others used the processors of 'b' during trap-cost; measure these anew (--continue)"
        ),
        (
            "del machine['sourceRevision']",
            "'b' is of sources that no commit names; run scripts/reproduce in a clean checkout"
        ),
        (
            "machine['sourceRevision'] = '5c1bc4c-dirty'",
            "'b' is of sources that no commit names; run scripts/reproduce in a clean checkout"
        ),
        ("machine['sourceRevision'] = 'f693cf2'", "'b' and 'a' are of different commits; run both of one"),
        ("b['seed'] = 1", "'b' and 'a' have the same seed; give one another with --seed"),
        (
            "b['began'] = '2026-11-28T11:59:00Z'",
            "'b' and 'a' began less than 2 hours apart on processors of one model"
        ),
        ("b['began'] = '2026-11-28T11:59:00Z'; machine['processorModel'] = 'Another'", ""),
    ]

    @Test(.needs(.python), arguments: unfit)
    func `runs are published that agree in no more than what they are of`(change: String, problem: String) throws {
        let scratch = try TemporaryFolder()
        let tool = try scratch.file(
            "faultline", holding: "#!/bin/sh\necho '{\"claims\": [{\"claim\": \"trap-cost\"}]}'\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: tool)
        let ending = try Program.shell(
            """
            cd "$2" && python3 -c "$4" && FAULTLINE=$3 exec python3 "$1/publish.d/check.py" a b
            """,
            [
                Self.scripts, String(tool.dropLast("/faultline".count)), tool,
                """
                import copy, json, os
                a = {"verdicts": [{"claim": "trap-cost"}], "began": "2026-11-28T10:00:00Z", "seed": 1, "machine": {
                    "isDebugBuild": False, "busyProcessors": 0.1, "cores": 2, "sourceRevision": "5c1bc4c",
                    "processorModel": "Some Processor"}}
                b = copy.deepcopy(a)
                (b["began"], b["seed"], machine) = ("2026-11-28T12:00:00Z", 2, b["machine"])
                \(change)
                for name, run in [("a", a), ("b", b)]:
                    os.mkdir(name)
                    json.dump(run, open(name + "/records.json", "w"))
                """,
            ])
        #expect(ending.errors == "" && ending.output == (problem.isEmpty ? "" : problem + "\n"))
        #expect(ending.status == (problem.isEmpty ? 0 : 1))
    }

    @Test func `a run that is kept is named after its machine and day`() throws {
        let scratch = try TemporaryFolder()
        let folder = String(scratch.file("x").dropLast("/x".count))
        let run = scratch.file("run")
        for path in [scratch.file("scripts"), "\(run)/more"] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        let command = try scratch.file("faultline", holding: "#!/bin/sh\necho '{\"claims\": [{\"claim\": \"x\"}]}'\n")
        let records = """
            {"machine": {"processorModel": "Intel(R) Xeon(R) CPU @ 2.60GHz", "isDebugBuild": false,
            "sourceRevision": "5c1bc4c"}, "began": "2026-11-29T06:00:00Z", "seed": 1, "verdicts": [{"claim": "x"}]}
            """
        let files = [("records.json", records), ("more/bench.json", "{}"), ("more/stacks.svg", "<svg/>")]
        for (name, text) in files { try text.write(toFile: "\(run)/\(name)", atomically: false, encoding: .utf8) }
        let ending = try Program.shell(
            """
            chmod +x "$2" && cp -r "$1/publish" "$1/publish.d" "$3/scripts" &&
                FAULTLINE=$2 exec "$3/scripts/publish" --keep "$4"
            """, [Self.scripts, command, folder, run])
        #expect(ending.errors == "" && ending.status == 0)
        #expect(ending.output.hasPrefix("kept as docs/runs/intel-xeon-2026-11-29-0600; "))
        for (name, text) in files {
            let kept = "\(folder)/docs/runs/intel-xeon-2026-11-29-0600/\(name)"
            #expect(try String(contentsOfFile: kept, encoding: .utf8) == text)
        }
    }

    /// A test that was skipped for a reason, and what is said where it must not be. Whether this system has what is
    /// needed is decided by an empty cache, and by a program that is put into the search path.
    @Test(
        arguments: [
            ("needs go-1.27.3: hidden", ["XDG_CACHE_HOME=/nonexistent"], [], nil),
            ("alone: scripts/test runs it while nothing else runs", [], [], nil),
            ("long: scripts/test runs it", [], ["--quick"], nil),
            (
                "long: scripts/test runs it", [], [],
                "the reason is none that scripts/skipped-tests knows; see HACKING.md"
            ),
            ("needs perl: hidden", [], [], "the reason is none that scripts/skipped-tests knows; see HACKING.md"),
            ("needs no-sanitizer: frames", [], [], "this system has 'no-sanitizer'"),
            ("no reason", [], [], "the reason is none that scripts/skipped-tests knows; see HACKING.md"),
            ("needs readelf: hidden", ["PATH=$2:$PATH"], [], "this system has 'readelf'"),
        ] as [(String, [String], [String], String?)])
    func `a skipped test is listed, and an error where this system has what it needs`(
        reason: String, environment: [String], options: [String], problem: String?
    ) throws {
        let scratch = try TemporaryFolder()
        let tools = scratch.file("bin")
        try FileManager.default.createDirectory(atPath: tools, withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(atPath: "\(tools)/readelf", withDestinationPath: "/bin/true")
        let events = try scratch.file(
            "events.jsonl",
            holding: """
                {"kind":"test","payload":{"kind":"suite","name":"Stacks","id":"A.Stacks"}}
                {"kind":"test","payload":{"kind":"function","name":"grow(_:)","id":"A.Stacks/grow(_:)/S.swift:1:2"}}
                {"kind":"event","payload":{"kind":"testCaseCancelled","testID":"A.Stacks/grow(_:)/S.swift:1:2",\
                "_comments":["\(reason)"],"_testCase":{"displayName":"7"}}}
                {"kind":"event","payload":{"kind":"testEnded","testID":"A.Stacks/grow(_:)/S.swift:1:2"}}

                """)
        let settings = environment.map { "export \($0); " }.joined()
        let ending = try Program.shell(
            "s=$1; e=$3; \(settings)shift 3; exec \"$s/skipped-tests\" \"$@\" \"debug=$e\"",
            [Self.scripts, tools, events] + options)
        #expect(ending.output == "== skipped (debug): 1 test\nA.Stacks: grow(_:) (7): \(reason)\n")
        let errors = problem.map {
            "scripts/skipped-tests: the test above must not be skipped: \($0)\n"
                + "scripts/skipped-tests: 1 test skipped that must run here\n"
        }
        #expect(ending.errors == errors ?? "")
        #expect(ending.status == (problem == nil ? 0 : 1))
    }
}
