// Gives memory of stacks back, step by step, and says what each step cost and released: while coroutines wait, by one
// of the library's methods, at their end, and by emptying the pool.

import CProbes
import Faultline
import Glibc
import Measurement

package struct ShrinkExperiment: Experiment {
    package let name = "shrink"

    /// How the memory of a coroutine that waits is given back.
    package enum Method: String, CaseIterable {
        /// Shrinking in place.
        case release
        /// Shrinking twice, so that a stack that moves goes back to a smaller slot.
        case move
        case hibernate

        fileprivate func perform(_ coroutine: Coroutine<Void, Void, Void>) throws {
            switch self {
            case .release:
                guard try coroutine.shrink().releasedBytes > 0 else { throw MeasurementFailure("nothing was released") }
            case .move:
                try coroutine.shrink()
                guard try coroutine.shrink().hasMoved else { throw MeasurementFailure("a stack did not move back") }
            case .hibernate:
                try coroutine.hibernate()
            }
        }
    }

    /// Options: `count`; `bytes` that each uses at first; `way`; those of a stack.
    package func run(
        _ options: ExperimentOptions, _ found: (_ key: String, _ value: any CustomStringConvertible) throws -> Void
    ) throws {
        let count = try options.number("count")
        let bytes = try options.number("bytes")
        let way: Method = try options.choice("way", or: .release)
        let configuration = try options.stackConfiguration()
        // One first, with all that the process needs once.
        let first = try Self.coroutine(configuration, bytes)
        _ = try first.resume()
        let base = try ProcessMemory.current().resident
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
        // They have begun, and wait with a page each.
        try resumeAll()
        try step("use", resumeAll)
        try step(way.rawValue) { for coroutine in coroutines { try way.perform(coroutine) } }
        try step("use again", resumeAll)
        try step("end") {
            try resumeAll()
            coroutines = []
        }
        try step("drain", StackPool.drain)
        withExtendedLifetime(first) {}
        Experiments.finish()
    }

    private static func coroutine(
        _ configuration: StackConfiguration, _ bytes: Int
    ) throws -> Coroutine<Void, Void, Void> {
        try Coroutine(configuration: configuration) { co, _ in
            try co.suspend(())
            fl_probe_touch_stack(bytes)
            try co.suspend(())
            fl_probe_touch_stack(bytes)
            try co.suspend(())
        }
    }
}
