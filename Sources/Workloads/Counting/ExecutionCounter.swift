// How many instructions a workload's code executes and how often it misses an instruction cache, by valgrind's
// cachegrind. Unlike times, these depend neither on the layout of the code (the simulated misses do, a little) nor on
// what else the machine does.
//
// One number is the difference between a process that runs the work twice and one that runs it once: what starting and
// loading take is in both, and the second time finds memory and caches as real use does.

/// What running a workload once takes.
public struct ExecutionCount: Hashable, Sendable {
    /// Executed instructions, library functions included.
    public var instructions: Double
    /// Misses of the simulated first-level instruction cache, nil where none was simulated.
    public var instructionCacheMisses: Double?

    /// A count.
    public init(instructions: Double, instructionCacheMisses: Double? = nil) {
        self.instructions = instructions
        self.instructionCacheMisses = instructionCacheMisses
    }
}

/// Counts what code executes. Needs valgrind.
public struct ExecutionCounter: Sendable {
    /// What is simulated: 32 KiB, 8 ways, lines of 64 bytes, as in Intel's cores before Golden Cove and AMD's since Zen 2.
    /// Fixed, so that results of two machines can be compared. The other caches are given only because cachegrind asks.
    public static let cache = "32768,8,64"
    private static let otherCaches = ["--D1=32768,8,64", "--LL=8388608,16,64"]
    /// A run here takes some 50 times as long as without valgrind; what takes longer than this many seconds hangs.
    private static let longestRun = 120.0

    private let valgrind: String
    private let runner: String
    private let cache: ContentCache

    /// Finds valgrind and builds the program that it will run, unless the cache has it.
    ///
    /// - Throws: `WorkloadError`, which says what to install.
    public init(environment: CodeEnvironment = CodeEnvironment()) throws(WorkloadError) {
        let folders = environment.searchPath.split(separator: ":")
        guard let valgrind = folders.lazy.map({ "\($0)/valgrind" }).first(where: Files.isExecutable) else {
            throw WorkloadError("instructions are not counted: install valgrind")
        }
        self.valgrind = valgrind
        let toolchain = try Toolchain.find(searchPath: environment.searchPath, needsSwift: false)
        let cache = try ContentCache(preferring: environment.cacheFolder)
        self.cache = cache
        runner = try Self.runner(toolchain, cache)
    }

    /// The version of valgrind, for instance "valgrind-3.19.0".
    public func version() throws(WorkloadError) -> String {
        let finished = try Subprocess.finish(valgrind, ["--version"], seconds: Self.longestRun)
        return String(finished.output.prefix { $0 != "\n" })
    }

    /// Counts one run of `prepared` by `code`.
    ///
    /// - Parameter isUnwanted: asked now and then; true ends the count.
    /// - Throws: `WorkloadError` when a result is wrong or valgrind fails.
    public func count(
        _ prepared: PreparedWorkload, _ code: LoadedCode, isUnwanted: () -> Bool = { false }
    ) throws(WorkloadError) -> ExecutionCount {
        guard let object = code.path else {
            throw WorkloadError("\(code.workload): only code built at run time can be counted")
        }
        return try cache.withWorkFolder { folder throws(WorkloadError) in
            var cases: [String] = []
            for (index, each) in prepared.cases.enumerated() {
                try Files.write(each.input.bytes, to: "\(folder)/input-\(index)")
                cases += ["\(folder)/input-\(index)", String(each.parameter), String(each.checksum)]
            }
            func run(_ times: Int) throws(WorkloadError) -> ExecutionCount {
                try simulate(["--", runner, object, code.symbol, String(times)] + cases, in: folder, isUnwanted)
            }
            let (once, twice) = (try run(1), try run(2))
            guard twice.instructions > once.instructions else {
                throw WorkloadError("\(code.workload): valgrind counted no more for two runs than for one")
            }
            let misses = (twice.instructionCacheMisses ?? 0) - (once.instructionCacheMisses ?? 0)
            // A second run may miss less often than starting did.
            return ExecutionCount(
                instructions: twice.instructions - once.instructions, instructionCacheMisses: max(0, misses))
        }
    }

    private func simulate(
        _ program: [String], in folder: String, _ isUnwanted: () -> Bool
    ) throws(WorkloadError) -> ExecutionCount {
        let results = "\(folder)/cachegrind.out"
        let finished = try Subprocess.finish(
            valgrind,
            ["--tool=cachegrind", "--cachegrind-out-file=\(results)", "--cache-sim=yes", "--I1=\(Self.cache)"]
                + Self.otherCaches + program,
            seconds: Self.longestRun, isUnwanted: isUnwanted)
        guard finished.ending == .exited(0) else {
            let lines = finished.errors.split(separator: "\n")
            let line = lines.first { $0.hasPrefix("counting_runner") || $0.contains("error") } ?? lines.last ?? ""
            throw WorkloadError("valgrind \(finished.ending): \(line)")
        }
        return try Self.parse(String(decoding: try Files.read(results), as: UTF8.self))
    }

    /// Reads the totals of a file that cachegrind wrote: `events: Ir I1mr …` and `summary: 123 4 …`.
    static func parse(_ text: String) throws(WorkloadError) -> ExecutionCount {
        func fields(_ prefix: String) -> [Substring]? {
            text.split(separator: "\n").first { $0.hasPrefix(prefix) }
                .map { $0.dropFirst(prefix.count).split(separator: " ") }
        }
        guard let names = fields("events:"), let values = fields("summary:"),
            let instructions = names.firstIndex(of: "Ir"), let misses = names.firstIndex(of: "I1mr"),
            values.count == names.count, let executed = Double(values[instructions]),
            let missed = Double(values[misses])
        else { throw WorkloadError("cachegrind wrote no totals") }
        return ExecutionCount(instructions: executed, instructionCacheMisses: missed)
    }

    private static func runner(_ toolchain: Toolchain, _ cache: ContentCache) throws(WorkloadError) -> String {
        let source = PackageResources.counting_runner_c
        let headers = EmbeddedFile.headers
        var key = ContentHash()
        key.add(toolchain.identity)
        key.add(source)
        for header in headers { key.add(header.bytes) }
        let entry = "counting_runner-\(key.digits)"
        if let path = cache.path(entry) {
            // Whoever built it may not have come to this.
            try Files.makeExecutable(path)
            return path
        }
        return try cache.withWorkFolder { folder throws(WorkloadError) in
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
