// One deep recursion on one stack, which looks at the memory of its process again and again: what a picture of the
// strategies is drawn from (scripts/stacks).

import CProbes
@_spi(Experiments) import Faultline
import Glibc
import Measurement
import Workloads

extension Finding {
    /// "NANOSECONDS BYTES GROWTHS": since the stack was asked for, resident beyond what the process had, room made so
    /// far.
    static func sample(_ number: Int) -> Finding { Finding("sample/\(number)") }
    /// When the recursion had come back, in nanoseconds.
    static let returned = Finding("returned")
}

struct StackMemoryExperiment: Experiment {
    let name = "stack-memory"

    /// Options: `levels` of the recursion, each of which takes about 100 bytes; `interval`, how many lie between two
    /// looks; those of a stack.
    func run(_ options: ExperimentOptions, _ found: Found) throws {
        let configuration = try options.stackConfiguration()
        let hooks = StackCheckHooks(
            morestack: CheckedCode.morestack, allocateStackSpace: CheckedCode.allocateStackSpace)
        let code = try DescentCode(configuration.strategy.needsChecks ? .checked : .plain, hooks: hooks)
        let (levels, interval) = (try options.number("levels"), try options.number("interval", or: 1000))
        guard levels >= 0, interval > 0 else { throw MeasurementFailure("levels are 0 or more, an interval 1 or more") }
        let watch = try Watch(capacity: 2 * (levels / interval) + 4)
        let descent = code.descent(
            levels: levels, every: interval,
            { Unmanaged<Watch>.fromOpaque($0).takeUnretainedValue().look() }, Unmanaged.passUnretained(watch).toOpaque()
        )
        // All that a process needs once, on a stack that is as large as any begins.
        let small = code.descent(levels: 1, .loop(1))
        try withStack(StackConfiguration(strategy: configuration.strategy, maximum: 64 << 10)) {
            small.run()
            watch.look()
        }
        StackPool.drain()
        watch.begin()
        var result: UInt64 = 0
        try withStack(configuration) {
            watch.look()
            result = descent.run()
            watch.look()
        }
        let returned = watch.last
        StackPool.drain()
        watch.look()
        guard descent.isRight(result) else {
            throw MeasurementFailure("a descent of \(levels) levels returned \(result)")
        }
        for number in 0..<watch.count { try found(.sample(number), watch[number]) }
        try found(.returned, returned)
        Experiments.finish()
    }
}

/// Samples in the order of their times. Looking allocates nothing and needs little of the stack that runs.
private final class Watch {
    private struct Sample {
        var time: UInt64 = 0
        var bytes = 0
        var growths = 0
    }

    private let samples: UnsafeMutableBufferPointer<Sample>
    private let text = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 128)
    private let counters = ProcessCounters()
    private let statistics: Int32
    private var began: UInt64 = 0
    private var base = Sample()
    private(set) var count = 0

    init(capacity: Int) throws {
        statistics = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard statistics >= 0 else { throw MeasurementFailure("no /proc/self/statm: mount /proc") }
        samples = .allocate(capacity: capacity)
        // Their pages are there before the first is taken.
        samples.initialize(repeating: Sample())
    }

    deinit {
        samples.deallocate()
        text.deallocate()
        close(statistics)
    }

    /// Forgets what was seen before; now is zero.
    func begin() {
        count = 0
        (base.bytes, base.growths) = (resident(), counters.growths)
        began = fl_probe_now()
    }

    func look() {
        guard count < samples.count else { return }
        let bytes = resident()
        samples[count] = Sample(time: fl_probe_now() - began, bytes: bytes, growths: counters.growths)
        count += 1
    }

    /// The time of the last sample.
    var last: UInt64 { samples[count - 1].time }

    subscript(number: Int) -> String {
        let sample = samples[number]
        return "\(sample.time) \(sample.bytes - base.bytes) \(sample.growths - base.growths)"
    }

    /// Bytes: the second number of the file, in pages. What the kernel adds up for each processor apart may be missing,
    /// at most some hundred KiB.
    private func resident() -> Int {
        let length = pread(statistics, text.baseAddress, text.count, 0)
        var (index, pages) = (0, 0)
        while index < length, text[index] != UInt8(ascii: " ") { index += 1 }
        index += 1
        while index < length, text[index] != UInt8(ascii: " ") {
            pages = pages &* 10 &+ Int(text[index] &- UInt8(ascii: "0"))
            index += 1
        }
        return pages &* 4096
    }
}
