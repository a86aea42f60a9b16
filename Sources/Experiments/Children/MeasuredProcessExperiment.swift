// What a program takes, as `Subprocess.finishMeasured` sees it. In a process of its own, because for a moment it
// adopts what its other children leave behind.

import Processes
import Workloads

extension Finding {
    static let ending = Finding("ending")
    static let output = Finding("output")
    static let errors = Finding("errors")
    static let peakResident = Finding("peak-resident")
    static let minorFaults = Finding("minor-faults")
    static let processorTime = Finding("processor-nanoseconds")
}

struct MeasuredProcessExperiment: Experiment {
    let name = "measured-process"

    /// Options: `program`; `argument-1` and so on; `seconds` that it may take; `rounds`; `resident` bytes of this
    /// process.
    func run(_ options: ExperimentOptions, _ found: Found) throws {
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
            try found(.ending.of("\(round)"), finished.ending)
            try found(.output.of("\(round)"), finished.output.debugDescription)
            try found(.errors.of("\(round)"), finished.errors.debugDescription)
            try found(.peakResident.of("\(round)"), finished.usage.peakResident)
            try found(.minorFaults.of("\(round)"), finished.usage.minorFaults)
            try found(.processorTime.of("\(round)"), Int(finished.usage.processorTime))
        }
        Experiments.finish()
    }
}
