// Which parameters say what a record is of, and which what was found with it. A document that was read from a file has
// only their names, so that the lists are of names; a test wants each name that is declared anywhere in one of them.

extension ParameterName {
    /// Whether records that differ in it are different ones. What is found differs between runs of the same record.
    public var isIdentifying: Bool { !Self.found.contains(rawValue) }

    /// What is found with a record: numbers beside it, endings, messages, facts of the machine and of how it was timed.
    package static let found: Set<String> = [
        // How it was sampled.
        "at-least", "clock", "counted-by", "counted-runs", "counter", "iterations", "layouts", "operations",
        "others-processors", "outliers", "processes", "rounds", "runs", "seed", "spread-between-runs", "tracer",
        // Facts of the machine.
        "available", "max-map-count", "newest-go", "processors", "simulated",
        // How it ended.
        "ended", "ending", "errno", "error", "faster", "message", "outcome", "process", "refused", "unended",
        // Numbers beside it.
        "checks", "functions", "goroutines", "growths", "levels", "lines", "live-bytes", "not-understood", "pointers",
        "programs",
        "result", "checksum", "sizes", "stacks", "text", "touched", "workloads",
        // Words about it.
        "bounded", "depends-on", "doubts", "shown by",
    ]

    /// What a record is of.
    package static let identifying: Set<String> = [
        "address-bits", "alive", "allocates", "as-given", "asked", "baseline", "baseline-peer", "batch", "binary",
        "bits", "bytes",
        "calls",
        "code", "cold", "copying", "coroutines", "count", "depth", "due", "expected", "filling", "flags",
        "fresh-memory", "gogc", "gomaxprocs", "grows", "guard", "headroom", "initial", "inlining", "input",
        "instructions", "kind", "language", "limit", "lock", "maximum", "memory-of", "mode", "mover",
        "null-control", "of", "operation", "origin", "others", "peer", "place", "position", "processor", "requests",
        "reservation",
        "scope", "section", "segmented", "signal", "size", "slot", "source", "stack-bytes", "strategy", "system",
        "threads", "touches", "trap", "used", "variant", "verdict", "way", "work",
    ]
}
