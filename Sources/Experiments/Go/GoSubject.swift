// The Go programs whose checks are measured: those that come with Go, its benchmark suite, and kernels of ours, of
// every version that is installed.

import Measurement
import Peers
import Processes
import Report
import Workloads

extension ParameterName {
    static let origin = ParameterName("origin")
    static let gogc = ParameterName("gogc")
}

/// A Go program and its work.
package struct GoSubject {
    /// What records call it.
    package let name: String
    package let kind: CheckSubject.Kind
    package let version: String
    package let job: GoJob
    /// The program, in each order of its functions that there is.
    package let layouts: [String]
    /// The same compiled without checks, in each of these orders; empty where it is not.
    package var unchecked: [String] = []
    /// How its layouts came about.
    let origin: Origin
    /// A short run whose instructions are counted, if they are.
    package var counted: GoJob?

    /// Where a program is from.
    enum Origin: String {
        /// It came with Go, in one layout.
        case prebuilt
        /// It was built here, by a linker that has but one layout.
        case built
        /// It was built here, in random layouts.
        case randomLayouts = "random-layouts"
    }

    /// What each record says of it.
    package var parameters: [ParameterName: ParameterValue] {
        [
            .kind: .string(kind.rawValue), .language: "go", .peer: .string(version),
            .work: .string(job.work), .layouts: .int(layouts.count), .origin: .string(origin.rawValue),
            .initial: .int(PatchedPrograms.initial), .gomaxprocs: 1, .gogc: "off",
        ]
    }

    /// Does something with all of them; what cannot be built is said to be missing. Their jobs have files in a folder
    /// that goes when `body` has ended.
    package static func withAll<Value>(
        claim: String, _ laboratory: Laboratory, _ body: ([GoSubject]) throws -> Value
    ) throws -> Value {
        let cache = try ContentCache(preferring: CodeEnvironment().cacheFolder)
        // What is thrown in the folder is thrown again outside.
        let outcome = try cache.withWorkFolder { folder in
            Result { try body(try all(in: folder, claim: claim, laboratory)) }
        }
        return try outcome.get()
    }

    private static func all(in folder: String, claim: String, _ laboratory: Laboratory) throws -> [GoSubject] {
        // A quick run has the newest alone, and one kernel.
        let toolchains = laboratory.isQuick ? Array(laboratory.go.suffix(1)) : laboratory.go
        let suite = laboratory.isQuick ? nil : GoSuite.folder(toolchains)
        if toolchains.isEmpty { return [] }
        if laboratory.isQuick {
            laboratory.note("Go's benchmark suite go1 is left to the full run")
        } else if suite == nil {
            laboratory.missing(GoSuite.remedy)
        }
        var subjects: [GoSubject] = []
        for toolchain in toolchains {
            try laboratory.step("\(claim): preparing \(toolchain.version)")
            let isNewest = toolchain == toolchains.last
            let unchecked = isNewest ? try unchecked(toolchain, claim, laboratory) : nil
            subjects += try tools(toolchain, unchecked, in: folder, claim, laboratory)
            if let suite {
                // Each of its benchmarks is a program where a mean is taken over programs.
                for benchmarks in isNewest ? GoSuite.benchmarks.map({ [$0] }) : [GoSuite.benchmarks] {
                    subjects += try built(
                        isNewest ? "go1-\(benchmarks[0])" : "go1", .go, toolchain, unchecked,
                        .suite(toolchain, benchmarks), claim, laboratory
                    ) { go, _, layout throws(PeerUnavailable) in try go.suite(in: suite, layout: layout).path }
                }
            }
            guard isNewest else { continue }
            for (kernel, size) in [("fib", 35), ("ackermann", 3_500), ("trees", 16)].prefix(laboratory.isQuick ? 1 : 3)
            {
                subjects += try built(
                    kernel, .goKernel, toolchain, unchecked, .kernel(toolchain, kernel, size), claim, laboratory
                ) { go, _, layout throws(PeerUnavailable) in try go.program(.kernels, layout: layout).path }
            }
        }
        return subjects
    }

    /// A toolchain that compiles without checks, and what it is given for the compiler.
    private typealias Unchecked = (toolchain: GoToolchain, flagsForCompiler: [String])

    /// A copy of `toolchain` that compiles without checks; nil where there is none, which is said.
    private static func unchecked(
        _ toolchain: GoToolchain, _ claim: String, _ laboratory: Laboratory
    ) throws -> Unchecked? {
        do {
            let made = try UncheckedToolchain.cached(
                toolchain, ToolchainOptions(initial: PatchedPrograms.initial),
                progress: { laboratory.preparing(claim, $0) }, isInterrupted: { laboratory.isAskedToStop })
            let flags = try made.flagsForCompiler(of: toolchain)
            return GoToolchain(at: made.root).map { ($0, flags) }
        } catch {
            if laboratory.isAskedToStop { throw Interrupted() }
            laboratory.missing("no program of \(toolchain.version) is compiled without checks: \(error)")
            return nil
        }
    }

    /// The compiler and gofmt: of the newest Go built here, of others as they came with it.
    private static func tools(
        _ toolchain: GoToolchain, _ unchecked: Unchecked?, in folder: String, _ claim: String,
        _ laboratory: Laboratory
    ) throws -> [GoSubject] {
        var subjects: [GoSubject] = []
        for tool in ["compile", "gofmt"] {
            do {
                let small = try tool == "gofmt" ? nil : GoJob.compiling(toolchain, "strconv", in: folder)
                let job =
                    if let small {
                        laboratory.isQuick ? small : try GoJob.compiling(toolchain, "go/parser", in: folder)
                    } else {
                        GoJob.formatting(toolchain, laboratory.isQuick ? ["encoding"] : ["encoding", "net/http"])
                    }
                let own = GoTool(toolchain: toolchain, tool: tool, path: toolchain.tool(tool) ?? "")
                let counted = own.counted ?? small
                // A linker takes some seconds for each layout of the compiler.
                if unchecked != nil, tool == "gofmt" || !laboratory.isQuick {
                    subjects += try built(tool, .go, toolchain, unchecked, job, claim, laboratory) {
                        go, flags, layout throws(PeerUnavailable) in
                        try go.command("cmd/\(tool)", flags, layout: layout)
                    }.map { subject in
                        var subject = subject
                        subject.counted = counted
                        return subject
                    }
                    continue
                }
                guard !own.path.isEmpty else { throw ProcessError("it is not there") }
                subjects.append(
                    GoSubject(
                        name: own.name, kind: .go, version: toolchain.version, job: job, layouts: [own.path],
                        origin: .prebuilt, counted: counted))
            } catch let error as ProcessError {
                laboratory.missing("\(tool) \(toolchain.version) is not measured: \(error)")
            }
        }
        return subjects
    }

    /// What is built here, in random layouts where the linker can; none where it does not build.
    private static func built(
        _ name: String, _ kind: CheckSubject.Kind, _ toolchain: GoToolchain, _ unchecked: Unchecked?, _ job: GoJob,
        _ claim: String, _ laboratory: Laboratory,
        _ build: (_ toolchain: GoToolchain, _ flagsForCompiler: [String], _ layout: Int?)
            throws(PeerUnavailable) -> String
    ) throws -> [GoSubject] {
        let seeds: [Int?] =
            toolchain.hasRandomLayouts ? laboratory.layouts(laboratory.isQuick ? 7 : 8).map { Int($0) } : [nil]
        func paths(_ toolchain: GoToolchain, _ flags: [String], _ how: String) throws -> [String] {
            do {
                return try seeds.map { seed in
                    try laboratory.step("\(claim): building \(name) with \(toolchain.version)\(how)")
                    return try build(toolchain, flags, seed)
                }
            } catch let error as PeerUnavailable {
                laboratory.missing("\(name)\(how) is not measured: \(error)")
                return []
            }
        }
        let layouts = try paths(toolchain, [], "")
        guard !layouts.isEmpty else { return [] }
        return [
            GoSubject(
                name: "\(name) \(toolchain.version)", kind: kind, version: toolchain.version, job: job,
                layouts: layouts,
                unchecked: try unchecked.map { try paths($0.toolchain, $0.flagsForCompiler, ", without checks") } ?? [],
                origin: toolchain.hasRandomLayouts ? .randomLayouts : .built)
        ]
    }
}
