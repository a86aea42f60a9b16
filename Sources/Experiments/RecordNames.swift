// The names that several experiments, suites or claims give in their records; those of one stand in its file.

import Peers
import Report

extension Metric {
    package static let memory = Metric("memory", .bytes)
    package static let resident = Metric("resident", .bytes)
    package static let pageTables = Metric("page-tables", .bytes)
    package static let addressSpace = Metric("address-space", .bytes)
    package static let peakMemory = Metric("peak-memory", .bytes)
    package static let stacks = Metric("stacks", .count)
    package static let mappings = Metric("mappings", .count)
    package static let pageFaults = Metric("page-faults", .count)
    package static let instructions = Metric("instructions", .instructions)
    /// Of a program, in a second of its processor time.
    package static let growthsPerSecond = Metric("growths-per-second", .count)
}

extension ParameterName {
    // What a stack is.
    package static let strategy = ParameterName("strategy")
    package static let `guard` = ParameterName("guard")
    package static let mover = ParameterName("mover")
    package static let initial = ParameterName("initial")
    package static let slot = ParameterName("slot")
    package static let limit = ParameterName("limit")
    /// Whether it grows by copying.
    package static let copying = ParameterName("copying")
    package static let liveBytes = ParameterName("live-bytes")
    package static let bytes = ParameterName("bytes")
    package static let count = ParameterName("count")
    package static let growths = ParameterName("growths")

    // What it is compared with.
    package static let peer = ParameterName("peer")
    package static let baselinePeer = ParameterName("baseline-peer")

    // What ran on it.
    package static let language = ParameterName("language")
    package static let kind = ParameterName("kind")
    package static let variant = ParameterName("variant")
    package static let input = ParameterName("input")
    package static let work = ParameterName("work")
    package static let programs = ParameterName("programs")
    package static let functions = ParameterName("functions")
    package static let text = ParameterName("text")
    package static let gomaxprocs = ParameterName("gomaxprocs")
    /// The newest version of Go that is installed, beside what any version did: the one that claims are about.
    package static let newestGo = ParameterName("newest-go")

    // How it was measured, and how it ended.
    package static let layouts = ParameterName("layouts")
    package static let countedBy = ParameterName("counted-by")
    package static let threads = ParameterName("threads")
    package static let processors = ParameterName("processors")
    package static let verdict = ParameterName("verdict")
    package static let ended = ParameterName("ended")
    package static let message = ParameterName("message")
}

extension ParameterValue {
    /// The value of ``ParameterName/peer`` where it is this library.
    package static let thisLibrary = ParameterValue.string("faultline")
    /// The value of ``ParameterName/clock`` where code counted the processor's ticks around each operation.
    package static let timeStampCounter = ParameterValue.string("tsc")
}

extension Record {
    /// The version of Go that it is of, nil for any other peer.
    package var goVersion: String? {
        guard let peer = parameters[.peer]?.text, GoToolchain.isVersion(peer) else { return nil }
        return peer
    }
}

/// What ends the name of a case where it is that of a program and something else.
package enum CaseSuffix {
    /// With no-ops of the checks' length.
    package static let padded = "-padded"
    /// A null control: the same code in another layout.
    package static let otherLayout = "-other-layout"
    /// A null control: the same program against itself.
    package static let again = "-again"
    /// Executed instructions with checks, to those without.
    package static let instructions = "-instructions"
    /// The share that checks have in them.
    package static let executed = "-executed"
    /// A copy of a Go program with equal checks, to one without: what checks alone cost.
    package static let equal = "-equal"
    /// The original to the copy with equal checks: what small stacks alone cost.
    package static let stacks = "-stacks"
}
