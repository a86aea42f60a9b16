// One operation is one growth of a stack, while other threads grow theirs: 64 stacks for each thread, all at the same
// moment, in a process for each turn, which is a sample. The time is the processor's, by the threads' own clocks, so
// that threads which share nothing would take the same on any number of processors.
//
// Memory that stacks grow into comes fresh from the kernel, goroutines and tasks have what their heaps reuse.

import Experiments
import Faultline
import Measurement
import Peers
import Report

public struct ContentionSuite: BenchSuite {
    public let name = "contention"
    public let summary = "growth on 1 to 16 threads at once: each guard and mover; the kernel's, Go, Swift tasks"

    /// In place, by guard.
    private static let inPlace: [(name: String, kind: StackGuard)] = [
        ("guard-pages", .guardPages), ("prot-none", .protNone),
    ]
    /// By a move, with a guard that the mover works with.
    private static let movers: [(name: String, mover: PageMover, kind: StackGuard)] = [
        ("uffdio-move", .uffdioMove, .guardPages), ("mremap", .mremap, .protNone), ("copy", .copy, .protNone),
    ]
    /// What the others are compared with.
    private static let standard = "guard-pages"

    public func records(_ laboratory: Laboratory) throws -> [Record] {
        let null = "\(Self.standard) null"
        var ways = Self.inPlace.map { ContendingGrowth.inPlace($0.name, $0.kind) }
        ways.append(.inPlace(null, .guardPages))
        ways += Self.movers.map { ContendingGrowth.move($0.name, $0.mover, guard: $0.kind) }
        ways += [.kernel("demand"), .computation("computation"), .tasks("task")]
        if let program = try laboratory.newestGoStackProgram() { ways.append(.goroutines("goroutine", program)) }
        let measured = try ContendingGrowth.measure(
            ways, .init(rounds: laboratory.isQuick ? 3 : 12, phases: laboratory.isQuick ? 4 : 7), laboratory)
        // A null control is there for its ratio alone.
        var records = try measured.records(suite: name).filter { $0.name != null }
        for way in Self.inPlace.map(\.name) + Self.movers.map(\.name) {
            records += try measured.ratios(suite: name, way, to: "goroutine")
        }
        for (way, baseline) in [(Self.standard, "task"), ("uffdio-move", "task"), (Self.standard, "demand")] {
            records += try measured.ratios(suite: name, way, to: baseline)
        }
        records += try measured.ratios(suite: name, null, to: Self.standard, isNull: true)
        return records
    }
}
