// What the variants of a comparison are as code: its size, the instructions of one run, and what those miss in an
// instruction cache that valgrind simulates, which a virtual machine has no counters for.

import Glibc
import Measurement
import Processes
import Report
import Workloads

extension Metric {
    /// Bytes of all functions.
    package static let codeSize = Metric("code-size", .bytes)
    /// Instructions that were not in the first cache.
    package static let instructionMisses = Metric("instruction-cache-misses", .count)
}

extension GoComparison {
    /// Where others have nothing to do but wait they spin, many times as often as the program does its work.
    private static var onOneProcessor: [String] {
        Spawn.environment(changing: getenv("GOMAXPROCS") == nil ? ["GOMAXPROCS": "1"] : [:])
    }
    private static let uncounted =
        "what programs with probes execute is not counted: valgrind leaves out loads whose result nothing uses"

    /// What one run of each variant of the first layout executes, on one processor unless GOMAXPROCS says otherwise;
    /// where the variants were compiled, also the size of their code and its simulated misses.
    ///
    /// - Parameter missing: told the reason where valgrind is not installed or does not run the program; sizes are
    ///   there all the same.
    /// - Returns: nil when it was interrupted.
    public func codeRecords(
        progress: (String) -> Void, isInterrupted: () -> Bool, missing: (String) -> Void
    ) throws -> [Record]? {
        let paths = layouts[0].paths
        // Patched copies have their code at the same addresses as the original.
        let areCompiled = paths[.compiled] != nil
        let variants = (areCompiled ? Variant.allCases.filter { $0 != .again } : [.original, .equal, .patched])
            .filter { paths[$0] != nil }
        var values: [Metric: [Variant: Double]] = [:]
        for variant in variants where areCompiled {
            values[.codeSize, default: [:]][variant] = Double(try GoTool.executable(paths[variant]!).textBytes)
        }
        var parameters: [ParameterName: ParameterValue] = [:]
        if let counter = ProgramCounter() {
            parameters[.counter] = .string(counter.version)
            let counted = variants.filter { $0 != .probes && $0 != .compiledProbes }
            if counted != variants { missing(Self.uncounted) }
            var current = Variant.original
            do {
                let ending = try task.run(paths[.original]!, isInterrupted).finished.ending
                for variant in counted {
                    if isInterrupted() { return nil }
                    current = variant
                    progress("counting instructions: \(variant.title)")
                    // Some 50 times as long as without valgrind, with caches twice that.
                    let seconds = task.longest * (areCompiled ? 100 : 50)
                    guard areCompiled else {
                        values[.instructions, default: [:]][variant] = try counter.instructions(
                            paths[variant]!, task.arguments, environment: Self.onOneProcessor, input: task.input,
                            ending: ending,
                            seconds: seconds, isUnwanted: isInterrupted)
                        continue
                    }
                    let counts = try counter.cacheCounts(
                        paths[variant]!, task.arguments, environment: Self.onOneProcessor, input: task.input,
                        ending: ending,
                        seconds: seconds, isUnwanted: isInterrupted)
                    values[.instructions, default: [:]][variant] = counts.instructions
                    values[.instructionMisses, default: [:]][variant] = counts.instructionCacheMisses
                }
            } catch {
                if isInterrupted() { return nil }
                missing("executed instructions are not counted: the variant '\(current.title)': \(error)")
                values = values.filter { $0.key == .codeSize }
            }
        } else {
            missing("executed instructions are not counted: install valgrind")
        }
        return [Metric.codeSize, .instructions, .instructionMisses].flatMap { metric -> [Record] in
            let own = values[metric] ?? [:]
            let records = variants.compactMap { variant in
                own[variant].map {
                    Record(
                        suite: "go-compare", case: variant.title, metric: metric, exactly: $0, parameters: parameters)
                }
            }
            return records
                + Self.comparisons.compactMap { variant, baseline in
                    guard let value = own[variant], let base = own[baseline], base > 0 else { return nil }
                    return .ratio(
                        suite: "go-compare", case: Self.caseName(variant, metric), baseline: baseline.title,
                        estimate: Estimate(exactly: value / base), parameters: parameters)
                }
        }
    }
}
