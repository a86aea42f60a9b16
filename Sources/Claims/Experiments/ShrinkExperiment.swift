// Gives memory of stacks back, step by step, and says what each step took and won: below the stack pointer of
// coroutines that wait, at their end, and by emptying the pool.
//
// The first step is the kernel's advice, given by the coroutine itself for pages that it used and left: they are
// readable and writable afterwards, and empty. The library has no function for it yet.

import CPeers
import Faultline
import Glibc
import Measurement

struct ShrinkExperiment: Experiment {
    let name = "shrink"

    /// What stays above the advice: the frames in use, and the red zone.
    private static let used = 8 << 10

    /// Options: `count`; `bytes` that each uses at first; those of a stack.
    func run(
        _ options: ExperimentOptions, _ found: (_ key: String, _ value: any CustomStringConvertible) throws -> Void
    ) throws {
        let count = try options.number("count")
        let bytes = try options.number("bytes")
        let configuration = try options.stackConfiguration()
        var coroutines = try (0..<count).map { _ in try Self.coroutine(configuration, bytes) }
        func resumeAll() throws {
            for coroutine in coroutines { _ = try coroutine.resume() }
        }
        func step(_ name: String, _ body: () throws -> Void) throws {
            let before = try ProcessMemory.current().resident
            let start = MeasurementClock.processTime.now()
            try body()
            let took = MeasurementClock.processTime.now() - start
            let after = try ProcessMemory.current().resident
            try found("\(name)/time", took)
            try found("\(name)/before", before - base)
            try found("\(name)/after", after - base)
        }
        // They have begun, and wait with a page each: what more they have is what they used.
        try resumeAll()
        let base = try ProcessMemory.current().resident
        try step("use", resumeAll)
        try step("release", resumeAll)
        try step("use again", resumeAll)
        try step("end") {
            try resumeAll()
            coroutines = []
        }
        try step("drain", StackPool.drain)
        Experiments.finish()
    }

    private static func coroutine(
        _ configuration: StackConfiguration, _ bytes: Int
    ) throws -> Coroutine<Void, Void, Void> {
        try Coroutine(configuration: configuration) { co, _ in
            try co.suspend(())
            fl_probe_touch_stack(bytes)
            try co.suspend(())
            try release(bytes)
            try co.suspend(())
            fl_probe_touch_stack(bytes)
            try co.suspend(())
        }
    }

    @inline(never)
    private static func release(_ bytes: Int) throws {
        var here = 0
        let error = withUnsafeMutableBytes(of: &here) { here in
            let frame = UInt(bitPattern: here.baseAddress)
            let high = (frame - UInt(used)) & ~4095
            // One page above what was touched last: the frames of this function are not those of the touching one.
            let low = (frame - UInt(bytes) + 8192) & ~4095
            guard low < high else { return Int32(EINVAL) }
            return madvise(UnsafeMutableRawPointer(bitPattern: low), Int(high - low), MADV_DONTNEED) == 0 ? 0 : errno
        }
        guard error == 0 else { throw MeasurementFailure("cannot release: \(ErrorNumber.text(error))") }
    }
}
