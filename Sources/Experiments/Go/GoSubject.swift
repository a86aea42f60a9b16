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

    /// All of them; what cannot be built is said to be missing.
    ///
    /// - Parameter folder: Where objects and lists go.
    package static func all(in folder: String, claim: String, _ laboratory: Laboratory) throws -> [GoSubject] {
        let toolchains = laboratory.go
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
            subjects += tools(toolchain, in: folder, laboratory)
            if let suite {
                subjects += try built("go1", .go, toolchain, .suite(toolchain), claim, laboratory) {
                    layout throws(PeerUnavailable) in try toolchain.suite(in: suite, layout: layout)
                }
            }
            for (kernel, size) in [("fib", 35), ("ackermann", 3_500), ("trees", 16)] {
                subjects += try built(
                    kernel, .goKernel, toolchain, .kernel(toolchain, kernel, size), claim, laboratory
                ) { layout throws(PeerUnavailable) in try toolchain.program(.kernels, layout: layout) }
            }
        }
        return subjects
    }

    /// The compiler and gofmt.
    private static func tools(
        _ toolchain: GoToolchain, in folder: String, _ laboratory: Laboratory
    ) -> [GoSubject] {
        ["compile", "gofmt"].compactMap { tool in
            do throws(ProcessError) {
                guard let path = toolchain.tool(tool) else { throw ProcessError("it is not there") }
                let small = try tool == "gofmt" ? nil : GoJob.compiling(toolchain, "strconv", in: folder)
                let job =
                    if let small {
                        laboratory.isQuick ? small : try GoJob.compiling(toolchain, "go/parser", in: folder)
                    } else {
                        GoJob.formatting(toolchain, laboratory.isQuick ? ["encoding"] : ["encoding", "net/http"])
                    }
                let own = GoTool(toolchain: toolchain, tool: tool, path: path)
                return GoSubject(
                    name: own.name, kind: .go, version: toolchain.version, job: job, layouts: [path],
                    origin: .prebuilt, counted: laboratory.isQuick ? own.counted : own.counted ?? small)
            } catch {
                laboratory.missing("\(tool) \(toolchain.version) is not measured: \(error)")
                return nil
            }
        }
    }

    /// What is built here, in random layouts where the linker can; none where it does not build.
    private static func built(
        _ name: String, _ kind: CheckSubject.Kind, _ toolchain: GoToolchain, _ job: GoJob, _ claim: String,
        _ laboratory: Laboratory, _ build: (_ layout: Int?) throws(PeerUnavailable) -> PeerProgram
    ) throws -> [GoSubject] {
        let seeds: [Int?] = toolchain.hasRandomLayouts ? (1...(laboratory.isQuick ? 2 : 8)).map { $0 } : [nil]
        var paths: [String] = []
        for seed in seeds {
            try laboratory.step("\(claim): building \(name) with \(toolchain.version)")
            do throws(PeerUnavailable) {
                paths.append(try build(seed).path)
            } catch {
                laboratory.missing("\(name) is not measured: \(error)")
                return []
            }
        }
        return [
            GoSubject(
                name: "\(name) \(toolchain.version)", kind: kind, version: toolchain.version, job: job,
                layouts: paths, origin: toolchain.hasRandomLayouts ? .randomLayouts : .built)
        ]
    }
}
