// How many instructions a workload's code executes and how often it misses an instruction cache, by valgrind's
// cachegrind. Unlike times, these depend neither on the layout of the code (the simulated misses do, a little) nor on
// what else the machine does.
//
// Instructions and misses are the difference between a process that runs the work twice and one that runs it once: what
// starting and loading take is in both, and the second time finds memory and caches as real use does. Touched lines are
// the difference between a process that runs the work once and one that only loads it.

import Glibc
import Processes

/// What running a workload once takes.
public struct ExecutionCount: Hashable, Sendable {
    /// Executed instructions, library functions included.
    public var instructions: Double
    /// Misses of the simulated first-level instruction cache, nil where none was simulated.
    public var instructionCacheMisses: Double?
    /// Lines of 64 bytes of code that a run touches: what a cache of any size must fetch at least once; nil as above.
    public var instructionLines: Double?

    /// A count.
    public init(
        instructions: Double, instructionCacheMisses: Double? = nil, instructionLines: Double? = nil
    ) {
        self.instructions = instructions
        self.instructionCacheMisses = instructionCacheMisses
        self.instructionLines = instructionLines
    }
}

/// Counts what code executes. Needs valgrind.
public struct ExecutionCounter: Sendable {
    /// What is simulated: 32 KiB, 8 ways, lines of 64 bytes, as in Intel's cores before Golden Cove and AMD's since Zen
    /// 2. Fixed, so that results of two machines can be compared. The last level is larger than any program here, so
    /// that it misses each line once.
    public static let cache = "32768,8,64"
    /// The simulated cache of data.
    public static let dataCache = "32768,8,64"
    static let options = [
        "--tool=cachegrind", "--cache-sim=yes", "--I1=\(cache)", "--D1=\(dataCache)", "--LL=67108864,16,64",
    ]
    /// A run here takes some 50 times as long as without valgrind; what takes longer than this many seconds hangs.
    static let longestRun = 120.0

    /// What is started, and what it is given before valgrind's own arguments.
    let command: (executable: String, arguments: [String])
    private let runner: String
    let cache: ContentCache
    let toolchain: Toolchain

    /// Finds valgrind and builds the program that it will run, unless the cache has it.
    ///
    /// - Throws: `ProcessError`, which says what to install.
    public init(environment: CodeEnvironment = CodeEnvironment()) throws(ProcessError) {
        let folders = environment.searchPath.split(separator: ":")
        guard let valgrind = folders.lazy.map({ "\($0)/valgrind" }).first(where: Files.isExecutable) else {
            throw ProcessError("instructions are not counted: install valgrind")
        }
        // Swift's runtime and hash tables of pointers take other ways with every other address: without setarch, or
        // where it is not allowed, counts vary a little.
        let fixed = folders.lazy.map { "\($0)/setarch" }.first(where: Files.isExecutable)
        if let fixed, (try? Subprocess.finish(fixed, ["-R", valgrind, "--version"], seconds: 60))?.ending == .exited(0)
        {
            command = (fixed, ["-R", valgrind])
        } else {
            command = (valgrind, [])
        }
        let toolchain = try Toolchain.find(searchPath: environment.searchPath, needsSwift: false)
        let cache = try ContentCache(preferring: environment.cacheFolder)
        self.cache = cache
        self.toolchain = toolchain
        runner = try Self.runner(toolchain, cache)
    }

    /// The version of valgrind, for instance "valgrind-3.19.0".
    public func version() throws(ProcessError) -> String {
        let finished = try Subprocess.finish(
            command.executable, command.arguments + ["--version"], seconds: Self.longestRun)
        return String(finished.output.prefix { $0 != "\n" })
    }

    /// Counts one run of `prepared` by `code`.
    ///
    /// - Parameters:
    ///   - withLines: touched lines as well, which takes a third process.
    ///   - isUnwanted: asked now and then; true ends the count.
    /// - Throws: `ProcessError` when a result is wrong or valgrind fails.
    public func count(
        _ prepared: PreparedWorkload, _ code: LoadedCode, withLines: Bool = true,
        isUnwanted: @escaping () -> Bool = { false }
    ) throws(ProcessError) -> ExecutionCount {
        guard let object = code.path else {
            throw ProcessError("\(code.workload): only code built at run time can be counted")
        }
        return try cache.withWorkFolder { folder throws(ProcessError) in
            var cases: [String] = []
            for (index, each) in prepared.cases.enumerated() {
                try Files.write(each.input.bytes, to: "\(folder)/input-\(index)")
                cases += ["\(folder)/input-\(index)", String(each.parameter), String(each.checksum)]
            }
            // Nothing is timed, so all may run at once.
            let runs = ConcurrentPrograms(isUnwanted: isUnwanted)
            let times = withLines ? ["0", "1", "2"] : ["1", "2"]
            for times in times {
                let arguments =
                    command.arguments + Self.options + [
                        "--cachegrind-out-file=\(folder)/counts-\(times)", "--", runner,
                    ]
                    + [object, code.symbol, times] + cases
                try runs.start(command.executable, arguments, errors: "\(folder)/errors-\(times)")
            }
            try runs.finish(seconds: Self.longestRun)
            let totals = try times.map { times throws(ProcessError) in
                try Totals(String(decoding: try Files.read("\(folder)/counts-\(times)"), as: UTF8.self))
            }
            let (once, twice) = (totals[totals.count - 2], totals[totals.count - 1])
            guard twice.instructions > once.instructions else {
                throw ProcessError("\(code.workload): valgrind counted no more for two runs than for one")
            }
            return ExecutionCount(
                instructions: twice.instructions - once.instructions,
                instructionCacheMisses: max(0, twice.misses - once.misses),
                instructionLines: withLines ? max(0, once.lines - totals[0].lines) : nil)
        }
    }

    private static func runner(_ toolchain: Toolchain, _ cache: ContentCache) throws(ProcessError) -> String {
        let source = PackageResources.counting_runner_c
        let headers = EmbeddedFile.headers
        var key = ContentHash()
        key.add(toolchain.identity)
        key.add(source)
        for header in headers { key.add(header.bytes) }
        let entry = "counting_runner-\(key.digits)"
        if let path = cache.path(entry) {
            // The process that built it may have ended before this.
            try Files.makeExecutable(path)
            return path
        }
        return try cache.withWorkFolder { folder throws(ProcessError) in
            for header in headers { try Files.write(header.bytes, to: "\(folder)/\(header.name)") }
            try Files.write(source, to: "\(folder)/counting_runner.c")
            try Subprocess.run(
                toolchain.clang,
                [
                    "-std=gnu17", "-O2", "--ld-path=\(toolchain.linker)", "\(folder)/counting_runner.c", "-o",
                    "\(folder)/counting_runner", "-ldl",
                ], in: folder)
            let path = try cache.store(try Files.read("\(folder)/counting_runner"), as: entry, from: folder)
            try Files.makeExecutable(path)
            return path
        }
    }
}

/// What cachegrind counted in a whole process.
struct Totals: Hashable {
    var instructions: Double
    /// Misses of the first level.
    var misses: Double
    /// Misses of the last level, which holds everything: lines that were touched.
    var lines: Double

    /// Reads a file that cachegrind wrote: `events: Ir I1mr ILmr …` and `summary: 123 4 5 …`.
    init(_ text: String) throws(ProcessError) {
        func fields(_ prefix: String) -> [Substring] {
            text.split(separator: "\n").first { $0.hasPrefix(prefix) }?
                .dropFirst(prefix.count).split(separator: " ") ?? []
        }
        let (names, values) = (fields("events:"), fields("summary:"))
        func value(_ name: Substring) -> Double? {
            names.count == values.count ? names.firstIndex(of: name).flatMap { Double(values[$0]) } : nil
        }
        guard let instructions = value("Ir"), let misses = value("I1mr"), let lines = value("ILmr") else {
            throw ProcessError("cachegrind wrote no totals")
        }
        (self.instructions, self.misses, self.lines) = (instructions, misses, lines)
    }
}

/// Programs that run at the same time. None outlives this.
final class ConcurrentPrograms {
    private let isUnwanted: () -> Bool
    private var running: [(child: pid_t, errors: String)] = []

    init(isUnwanted: @escaping () -> Bool) {
        self.isUnwanted = isUnwanted
    }

    deinit {
        for run in running {
            kill(-run.child, SIGKILL)
            _ = try? Spawn.wait(for: run.child, seconds: 1)
        }
    }

    /// Starts `executable`; what it says goes to the file `errors`.
    func start(_ executable: String, _ arguments: [String], errors: String) throws(ProcessError) {
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        guard nothing >= 0 else { throw ProcessError("cannot open /dev/null: \(Files.reason())") }
        defer { close(nothing) }
        let output = open(errors, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard output >= 0 else { throw ProcessError("cannot write \(errors): \(Files.reason())") }
        defer { close(output) }
        let child = try Spawn.start(
            executable, arguments,
            // Swift's dictionaries have another order in each process unless this is set.
            environment: Spawn.environment(changing: ["SWIFT_DETERMINISTIC_HASHING": "1"]),
            streams: Spawn.Streams(input: nothing, output: nothing, errors: output))
        running.append((child, errors))
    }

    /// Waits for all.
    ///
    /// - Throws: `ProcessError` with what the first that failed has said.
    func finish(seconds: Double) throws(ProcessError) {
        while let run = running.first {
            let ending = try Spawn.wait(for: run.child, seconds: seconds, isUnwanted: isUnwanted)
            running.removeFirst()
            guard ending != .exited(0) else { continue }
            let lines = String(decoding: try Files.read(run.errors), as: UTF8.self).split(separator: "\n")
            let line = lines.first { $0.hasPrefix("counting_runner") || $0.contains("error") } ?? lines.last ?? ""
            throw ProcessError("valgrind \(ending): \(line)")
        }
    }
}
