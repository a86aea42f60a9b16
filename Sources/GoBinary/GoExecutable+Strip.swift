// A copy of a program without stack checks, whose goroutines start on a large stack that the kernel fills page by page.
// How it works and what it does not cover: docs/GO.md. All or nothing: whatever is not understood ends it before a byte
// is changed.

import ObjectCode

/// How a copy is made.
public struct StripOptions: Sendable, Hashable {
    /// What becomes of the checks.
    public enum Checks: String, Sendable, CaseIterable {
        /// They become no-ops of the same length, or probes where stacks grow by faults.
        case removed
        /// Each becomes an equal one in other bytes: the control that has the same stacks and no other difference.
        case equal
    }

    /// What makes room when a goroutine's stack is used up.
    public enum Growth: String, Sendable, CaseIterable {
        /// Nothing: goroutines start on large stacks, and the program ends.
        case none
        /// A fault of the probe that each check becomes, which runs Go's own growth.
        case fault
    }

    /// What makes room.
    public var growth: Growth
    /// Bytes of a goroutine's stack, a power of two from 64 KiB to 1 GiB; of no concern where stacks grow.
    public var initial: Int
    /// Leaves the checks of the packages `runtime`, `internal/runtime`, `reflect` and others that no signal preempts,
    /// and of functions that call assembly, where they are the only points at which Go preempts a goroutine.
    public var keepsRuntime: Bool
    /// What becomes of the checks.
    public var checks: Checks

    /// Legal values of ``initial``.
    public static let initials = 64 << 10...1 << 30
    /// 1 MiB. On 256 KiB one of four real programs ended while it initialized its packages: parsing a regular
    /// expression recurses 1,000 deep.
    public static let defaultInitial = 1 << 20
    /// Bytes at the low end of each stack that nothing may touch.
    public static let guardSize = 16 << 10
    /// The largest frame whose function loses its check: below it the caller's return address is pushed within the
    /// guard.
    package static let largestFrame = guardSize - 4096

    /// Options, by default all checks removed and nothing that makes room: what a program gains at most, which
    /// experiments compare with. `faultline go strip` asks for growth by faults unless told otherwise.
    ///
    /// - Parameter keepsRuntime: By default only where stacks grow by faults.
    public init(
        growth: Growth = .none, initial: Int = Self.defaultInitial, keepsRuntime: Bool? = nil,
        checks: Checks = .removed
    ) {
        self.growth = growth
        self.initial = initial
        self.keepsRuntime = keepsRuntime ?? (growth == .fault)
        self.checks = checks
    }

    /// What a message calls the size.
    private var initialText: String {
        initial >= 1 << 30 ? "\(initial >> 30)GiB" : initial >= 1 << 20 ? "\(initial >> 20)MiB" : "\(initial >> 10)KiB"
    }

    /// How the message begins that a patched program writes when a goroutine's stack is used up.
    public static let overflowStart = "fatal error: stack overflow: the goroutine used up its stack"

    /// That message.
    var overflowMessage: String {
        "\(Self.overflowStart) of \(initialText); "
            + "this program has no stack checks: strip it again with a larger --initial\n"
    }
}

/// A changed copy and what was done to it.
public struct StrippedProgram: Sendable {
    /// A check that was left alone, and why.
    public struct KeptCheck: Sendable, Hashable {
        public let function: String
        public let reason: String
    }

    /// The content of the changed file.
    public let content: [UInt8]
    /// How many checks were replaced.
    public let replaced: Int
    /// Those that were not.
    public let left: [KeptCheck]
    /// Places at which the program asks for a stack, with the bytes it asked for before.
    public let stackRequests: [Int]
}

extension GoExecutable {
    /// Marks a changed program.
    static let marker = Array("faultline strip\n".utf8)

    /// Makes the changed copy.
    ///
    /// - Throws: ``GoBinaryError`` where anything in the program is not as it must be; nothing is changed then.
    public func stripped(_ options: StripOptions = StripOptions()) throws(GoBinaryError) -> StrippedProgram {
        guard StripOptions.initials.contains(options.initial), options.initial & (options.initial - 1) == 0 else {
            throw GoBinaryError("a stack of \(options.initial) bytes is no power of two from 64KiB to 1GiB")
        }
        try checkThatItIsUnchanged()
        if options.growth == .none || options.checks == .equal, functions.contains(where: { $0.check?.isProbe == true })
        {
            throw GoBinaryError("compiled with probes, which only stacks that grow by faults serve (--growth fault)")
        }
        if let odd = notUnderstood.first {
            let others = notUnderstood.count > 1 ? ", and \(notUnderstood.count - 1) more functions" : ""
            throw GoBinaryError(
                "the check of \(Self.printable(odd.function.name)) is not understood: \(odd.reason)\(others)")
        }
        guard functions.contains(where: { $0.function.name == "runtime.sweepone" && $0.check != nil }) else {
            throw GoBinaryError("runtime.sweepone, where a collection interrupts the sweeper, has no check")
        }
        try checkThatNoneIsInlined(Editor.changedFunctions)
        let reachAssembly = options.keepsRuntime ? functionsThatReachAssembly() : []
        if options.growth == .fault { return try growing(options, reachAssembly) }
        var editor = Editor(program: self, file: file)
        var left: [StrippedProgram.KeptCheck] = []
        let hooked = try editor.addGuards(options)
        var replaced = 0
        for checked in functions {
            guard let check = checked.check, checked.function != hooked,
                checked.function.name != Editor.pluginLoading
            else { continue }
            if let reason = Self.reasonToKeep(checked.function, options, reachAssembly) {
                left.append(.init(function: checked.function.name, reason: reason))
                try editor.addGuard(to: check)
                continue
            }
            try editor.replace(check, options.checks)
            replaced += 1
        }
        let requests = try editor.enlargeStacks(options.initial)
        try editor.checkRecords()
        return StrippedProgram(
            content: editor.file.bytes.content, replaced: replaced, left: left, stackRequests: requests)
    }

    private func checkThatItIsUnchanged() throws(GoBinaryError) {
        let isMarked = file.segments.contains { segment in
            segment.isLoaded && segment.isExecutable
                && file.bytes.bytes(segment.offset, min(segment.fileSize, Self.marker.count))?
                    .elementsEqual(Self.marker) == true
        }
        guard !isMarked else { throw GoBinaryError("its checks are gone already: it was made by 'faultline go strip'") }
        guard functions.contains(where: { $0.check != nil }) else {
            throw GoBinaryError("no function has a stack check: nothing is there to take out")
        }
    }

    /// What the loop of `bgsweep` (runtime/mgcsweep.go) calls again and again until the sweep is over. The end of a
    /// collection, which has to come before that, waits until the sweeper is at a check (`forEachP`): without one the
    /// two wait for ever. Every other loop of the runtime in which a goroutine waits for others parks or yields.
    package static let sweepers: Set<String> = ["runtime.sweepone", "runtime.freeSomeWbufs"]
    private static let systemStackReason = "it runs on a thread's own stack, which does not grow"
    private static let depthReason = "its frame reaches beyond the guard, which is a page"
    private static let sweeperReason =
        "the background sweeper turns in a loop that can wait for a collection, which waits for this check"

    /// How names of functions begin that Go's linker marks, by that alone, as what checks its own code
    /// (cmd/internal/obj/fips140.go).
    package static let certified = ["crypto/internal/fips140.", "crypto/internal/fips140/"]

    private static func reasonToKeepAlways(_ function: GoFunction) -> String? {
        if sweepers.contains(function.name) { return sweeperReason }
        let isCertified = certified.contains { function.name.hasPrefix($0) }
        return isCertified ? "it is of the FIPS 140 module, which checks its own code where GODEBUG=fips140=on" : nil
    }

    private static func reasonToKeep(
        _ function: GoFunction, _ options: StripOptions, _ reachAssembly: Set<UInt64>
    ) -> String? {
        guard let frame = function.frameSize else { return "the size of its frame is not known" }
        if frame > StripOptions.largestFrame {
            return
                "a frame of more than \(StripOptions.largestFrame) bytes could jump over the guard, so that it grows "
                + "the stack as before"
        }
        if let reason = reasonToKeepAlways(function) { return reason }
        return options.keepsRuntime ? reasonToKeepStops(function, reachAssembly) : nil
    }

    /// How the names of functions begin that a signal does not preempt because of their names (`isAsyncSafePoint` in
    /// runtime/preempt.go).
    static let runtimePackages = ["runtime.", "runtime/", "internal/runtime/", "reflect."]

    /// The same of what the runtime imports, in any version: Go's compiler finds no point in them at which a signal may
    /// preempt. Source: `runtimePkgs` in cmd/internal/objabi/pkgspecial.go, up to 1.21 `runtimePackages` in
    /// cmd/go/internal/work/gc.go.
    private static let importedByRuntime = [
        "internal/abi.", "internal/bytealg.", "internal/byteorder.", "internal/chacha8rand.",
        "internal/coverage/rtcov.", "internal/cpu.", "internal/goarch.", "internal/godebugs.",
        "internal/goexperiment.", "internal/goos.", "internal/profilerecord.", "internal/strconv.",
        "internal/stringslite.",
    ]

    /// The same of the part of the library that asks the runtime not to preempt it (`runtime_procPin` in sync/pool.go).
    private static let pinned = ["sync.(*Pool).", "sync.(*poolChain).", "sync.(*poolDequeue).", "sync.indexLocal"]

    /// Bytes of the largest frame that a compiler may emit a probe for.
    package static let largestProbedFrame = Editor.largestProbedFrame

    /// All of these.
    package static let unpreempted = runtimePackages + importedByRuntime + pinned

    /// Where a goroutine stops at a check or not at all.
    private static func reasonToKeepStops(_ function: GoFunction, _ reachAssembly: Set<UInt64>) -> String? {
        func isOf(_ beginnings: [String]) -> Bool { beginnings.contains { function.name.hasPrefix($0) } }
        if isOf(runtimePackages) { return "it is of the runtime, which is kept" }
        if isOf(importedByRuntime) { return "the runtime imports its package, which no signal preempts" }
        if isOf(pinned) { return "it is of sync.Pool, which asks not to be preempted" }
        return reachAssembly.contains(function.address) ? "it calls assembly, which no signal preempts" : nil
    }

    /// The copy whose stacks grow by faults.
    private func growing(_ options: StripOptions, _ reachAssembly: Set<UInt64>) throws(GoBinaryError) -> StrippedProgram
    {
        var editor = Editor(program: self, file: file)
        var left: [StrippedProgram.KeptCheck] = []
        var probes: [Editor.Probe] = []
        var restored: [StackCheck] = []
        var replaced = 0
        for checked in functions {
            guard let check = checked.check, Editor.replacedFunctions[checked.function.name] == nil,
                checked.function.name != Editor.pluginLoading
            else { continue }
            let function = checked.function
            let stop = options.keepsRuntime ? Self.reasonToKeepStops(function, reachAssembly) : nil
            if let reason = Self.reasonToKeepAlways(function) ?? stop {
                left.append(.init(function: function.name, reason: reason))
                if check.isProbe { restored.append(check) }
            } else if check.isForSystemStack {
                left.append(.init(function: function.name, reason: Self.systemStackReason))
            } else if options.checks == .equal {
                try editor.replace(check, .equal)
                replaced += 1
            } else if try editor.probe(check) {
                probes.append(.init(address: check.address, tail: check.tail))
                replaced += 1
            } else {
                left.append(.init(function: function.name, reason: Self.depthReason))
            }
        }
        try editor.addGrowth(probes, restoring: restored)
        return StrippedProgram(
            content: editor.file.bytes.content, replaced: replaced, left: left, stackRequests: [])
    }
}

extension ElfFile {
    /// Overwrites bytes that are loaded at `address`.
    mutating func replace(_ address: UInt64, with new: [UInt8]) throws(GoBinaryError) {
        guard let offset = offset(of: address, length: new.count) else {
            throw .malformed("address 0x\(String(address, radix: 16)) is not in it")
        }
        bytes.replace(offset, with: new)
    }
}
