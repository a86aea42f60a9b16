// What a program takes, as `Subprocess.finishMeasured` sees it. In a process of its own, because for a moment it
// adopts what its other children leave behind.

import Processes
import Workloads

struct MeasuredProcessExperiment: Experiment {
    let name = "measured-process"

    /// Options: `program`; `argument-1` and so on; `seconds` that it may take; `rounds`; `resident` bytes of this
    /// process.
    func run(
        _ options: ExperimentOptions, _ found: (_ key: String, _ value: any CustomStringConvertible) throws -> Void
    ) throws {
        var arguments: [String] = []
        while let argument = options.text("argument-\(arguments.count + 1)") { arguments.append(argument) }
        let size = try options.number("resident", or: 0)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: max(size, 1), alignment: 4096)
        defer { memory.deallocate() }
        memory.initializeMemory(as: UInt8.self, repeating: 1, count: size)
        for round in 1...(try options.number("rounds", or: 1)) {
            let finished = try Subprocess.finishMeasured(
                options.text("program") ?? "/bin/true", arguments,
                seconds: Double(try options.number("seconds", or: 30)))
            try found("\(round)/ending", finished.ending)
            try found("\(round)/output", finished.output.debugDescription)
            try found("\(round)/errors", finished.errors.debugDescription)
            try found("\(round)/peak-resident", finished.usage.peakResident)
            try found("\(round)/minor-faults", finished.usage.minorFaults)
            try found("\(round)/processor-nanoseconds", Int(finished.usage.processorTime))
        }
        Experiments.finish()
    }
}
