// What the variants of a comparison are as code: its size, the instructions of one run, and what those miss in an
// instruction cache that valgrind simulates, which a virtual machine has no counters for.

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
    /// What one run of each variant of the first layout executes; where the variants were compiled, also the size of
    /// their code and its simulated misses.
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
            do {
                for variant in variants {
                    if isInterrupted() { return nil }
                    progress("counting instructions: \(variant.title)")
                    // Some 50 times as long as without valgrind, with caches twice that.
                    let seconds = task.longest * (areCompiled ? 100 : 50)
                    guard areCompiled else {
                        values[.instructions, default: [:]][variant] = try counter.instructions(
                            paths[variant]!, task.arguments, input: task.input, seconds: seconds,
                            isUnwanted: isInterrupted)
                        continue
                    }
                    let counts = try counter.cacheCounts(
                        paths[variant]!, task.arguments, input: task.input, seconds: seconds, isUnwanted: isInterrupted)
                    values[.instructions, default: [:]][variant] = counts.instructions
                    values[.instructionMisses, default: [:]][variant] = counts.instructionCacheMisses
                }
            } catch {
                if isInterrupted() { return nil }
                missing("executed instructions are not counted: \(error)")
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
