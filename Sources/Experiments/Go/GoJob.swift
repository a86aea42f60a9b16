// What Go programs are given to do, so that they do it alike each time: the same input, one processor, no collections.
// A run that ends otherwise than it should or writes something else is an error, never a number.

import Measurement
import Peers
import Processes
import Workloads

/// The work of one run of a Go program.
package struct GoJob {
    /// What the parameter `work` of its records says.
    package let work: String
    package let arguments: [String]
    package var environment: [String]
    /// A file that the run writes besides its output.
    package var file: String?
    /// The part of the output that is the same in every run.
    var steady: @Sendable (String) -> String = { $0 }

    /// One processor, and no collections, whose number depends on how far one got before the other: settings of every
    /// run.
    package static let settings = ["GOGC": "off", "GOMAXPROCS": "1"]

    /// That of a run by valgrind. Nothing is preempted by signals: callgrind (3.19) ends with a failed assertion when
    /// one arrives in a handler, and what is preempted runs otherwise each time.
    package var calmEnvironment: [String] {
        environment.filter { !$0.hasPrefix("GODEBUG=") } + ["GODEBUG=asyncpreemptoff=1"]
    }

    package static func environment(_ toolchain: GoToolchain) -> [String] {
        toolchain.environment.filter { entry in !settings.keys.contains { entry.hasPrefix("\($0)=") } }
            + settings.map { "\($0)=\($1)" }.sorted()
    }

    /// The same as Go runs programs by itself: with collections, on every processor.
    package var withGoSettings: GoJob {
        var job = self
        job.environment.removeAll { entry in Self.settings.keys.contains { entry.hasPrefix("\($0)=") } }
        return job
    }

    /// What a run has left behind, and the processor time that it took in nanoseconds.
    package struct Outcome {
        package let time: Double
        package let text: String
        package let file: [UInt8]
        /// What it wrote to standard error.
        let errors: String

        func isEqual(_ other: Outcome) -> Bool { text == other.text && file == other.file }
    }

    /// Runs `executable`.
    ///
    /// - Throws: ``MeasurementFailure`` where it does not succeed; `ProcessError` where it cannot be started.
    package func run(_ executable: String, _ laboratory: Laboratory) throws -> Outcome {
        let finished = try Subprocess.finish(
            executable, arguments, environment: environment, seconds: 120, isUnwanted: { laboratory.isAskedToStop })
        guard finished.ending == .exited(0) else {
            if laboratory.isAskedToStop { throw Interrupted() }
            let line = finished.errors.prefix { !$0.isNewline }
            throw MeasurementFailure("\(executable) \(finished.ending)\(line.isEmpty ? "" : ": \(line)")")
        }
        return Outcome(
            time: finished.usage.processorTime, text: steady(finished.output), file: try file.map(Files.read) ?? [],
            errors: finished.errors)
    }

    /// A case that runs `executable` and takes its processor time.
    ///
    /// - Parameters:
    ///   - title: What a message calls the program.
    ///   - expected: What every run must leave behind; the case throws ``MeasurementFailure`` where one does not.
    func measured(
        _ name: String, _ executable: String, title: String, expected: Outcome, _ laboratory: Laboratory
    ) -> MeasurementCase {
        MeasurementCase(selfTimed: name) { count in
            var time = 0.0
            for _ in 0..<count {
                let outcome = try run(executable, laboratory)
                guard outcome.isEqual(expected) else { throw MeasurementFailure("\(title): its output is another") }
                time += outcome.time
            }
            return UInt64(time)
        }
    }
}

extension GoJob {
    /// gofmt looks for badly formatted files below folders of the standard library. The tests of Go's own packages for
    /// syntax hold files that are no Go.
    static func formatting(_ toolchain: GoToolchain, _ folders: [String]) -> GoJob {
        GoJob(
            work: "-l \(folders.joined(separator: " "))",
            arguments: ["-l"] + folders.map { "\(toolchain.root)/src/\($0)" }, environment: environment(toolchain))
    }

    /// The compiler compiles a package of the standard library; what that imports is compiled before, once.
    ///
    /// - Parameter folder: Where the list of imports and the object go.
    static func compiling(
        _ toolchain: GoToolchain, _ package: String, in folder: String
    ) throws(ProcessError) -> GoJob {
        let imports = try toolchain.ask([
            "list", "-export", "-deps", "-f", "{{if .Export}}packagefile {{.ImportPath}}={{.Export}}{{end}}", package,
        ])
        let name = package.split(separator: "/").joined(separator: "-")
        let (list, object) = ("\(folder)/\(name)-\(toolchain.version).imports", "\(folder)/\(name).object")
        try Files.write(imports.utf8, to: list)
        let files = try toolchain.ask(["list", "-f", "{{range .GoFiles}}{{$.Dir}}/{{.}}\n{{end}}", package])
            .split(separator: "\n").map(String.init)
        return GoJob(
            work: package,
            arguments: ["-o", object, "-p", package, "-std", "-complete", "-c=1", "-importcfg", list] + files,
            environment: environment(toolchain), file: object)
    }

    /// Some of the benchmarks of the suite go1, each once.
    package static func suite(_ toolchain: GoToolchain, _ benchmarks: [String]) -> GoJob {
        GoJob(
            work: benchmarks.joined(separator: " "),
            arguments: [
                "-test.run=NONE", "-test.bench=^Benchmark(\(benchmarks.joined(separator: "|")))$",
                "-test.benchtime=1x",
            ], environment: environment(toolchain),
            // The other words are times.
            steady: { output in
                output.split(separator: "\n").compactMap { $0.split(separator: " ").first }.joined(separator: "\n")
            })
    }

    /// A call-heavy operation of `kernels.go`.
    package static func kernel(_ toolchain: GoToolchain, _ name: String, _ size: Int) -> GoJob {
        GoJob(work: "\(name) \(size)", arguments: [name, String(size)], environment: environment(toolchain))
    }
}
