// Gives memory of stacks back, step by step, and says what each step cost and released: while coroutines wait, by one
// of the library's methods, at their end, and by emptying the pool.

import CProbes
import Faultline
import Glibc
import Measurement

extension Finding {
    // Resident at a step's begin and end, beyond what the process has anyway.
    package static let bytesBefore = Finding("before")
    package static let bytesAfter = Finding("after")
}

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

    /// What is done to all of them, one after the other.
    package enum Step: Hashable {
        case use
        case giveBack(Method)
        case useAgain, end, drain

        /// What its findings and records call it.
        package var name: String {
            switch self {
            case .use: "use"
            case .giveBack(let method): method.rawValue
            case .useAgain: "use again"
            case .end: "end"
            case .drain: "drain"
            }
        }
    }

    /// Options: `count`; `bytes` that each uses at first; `way`; those of a stack.
    package func run(_ options: ExperimentOptions, _ found: Found) throws {
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
        func take(_ step: Step, _ body: () throws -> Void) throws {
            let before = try ProcessMemory.current().resident
            let start = MeasurementClock.processTime.now()
            try body()
            let took = MeasurementClock.processTime.now() - start
            let after = try ProcessMemory.current().resident
            try found(.time.of(step.name), took)
            try found(.bytesBefore.of(step.name), before - base)
            try found(.bytesAfter.of(step.name), after - base)
        }
        // They have begun, and wait with a page each.
        try resumeAll()
        try take(.use, resumeAll)
        try take(.giveBack(way)) { for coroutine in coroutines { try way.perform(coroutine) } }
        try take(.useAgain, resumeAll)
        try take(.end) {
            try resumeAll()
            coroutines = []
        }
        try take(.drain, StackPool.drain)
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
