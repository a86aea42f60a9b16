// What a Go without stack checks says otherwise in its sources. The place that emits a check asks first whether the
// function has one, or makes it a probe; the runtime gives goroutines large stacks with guards, and does not shrink
// them. Everything that is more than a line is in the files of Go here.

import GoBinary
import Processes

/// What a toolchain is made for.
public struct ToolchainOptions: Sendable, Hashable {
    /// What becomes of the checks.
    public enum Checks: String, Sendable, CaseIterable {
        /// Functions have none, but for those that ``GoExecutable/stripped(_:)`` leaves alone as well.
        case none
        /// All stay: the control that has the same stacks and no other difference.
        case kept
        /// Functions have probes, and faults grow stacks, which are Go's own: what serves them is added to a program
        /// as soon as it is linked.
        case probe
    }

    /// What differs in goroutines' stacks from Go's own, one more each: the parts of what large stacks cost and gain.
    public enum Stacks: String, Sendable, CaseIterable {
        /// Go's own: they begin with 2 KiB, grow and shrink.
        case original
        /// The first is large.
        case large
        /// And none shrinks, nor does the size of the first adapt.
        case steady
        /// And each has a guard, installed and removed by a system call.
        case guarded
        /// And the lowest word of a new one is not cleared, which would take a page.
        case untouched
    }

    /// What becomes of the checks.
    public var checks: Checks
    /// How stacks differ.
    public var stacks: Stacks
    /// Bytes of a goroutine's first stack with its guard, a power of two.
    public var initial: Int
    /// Leaves the checks of the packages `runtime`, `internal/runtime`, `reflect` and others that no signal preempts.
    public var keepsRuntime: Bool

    /// Options, by default the stacks that a program without checks must have.
    public init(
        checks: Checks = .none, stacks: Stacks = .untouched, initial: Int = StripOptions.defaultInitial,
        keepsRuntime: Bool = false
    ) {
        self.checks = checks
        self.stacks = stacks
        self.initial = initial
        self.keepsRuntime = keepsRuntime
    }

    /// What names of files and messages call it.
    var name: String {
        checks == .probe ? "probe" : "\(checks)-\(stacks)-\(initial >> 10)k\(keepsRuntime ? "-runtime" : "")"
    }

    /// Whether the compiler and the assembler are others.
    var changesCompiler: Bool { checks != .kept }

    /// Whether programs are built from another library.
    var changesRuntime: Bool { checks != .probe && stacks != .original }
}

/// The sources that change.
package struct UncheckedSources {
    /// Those of the compiler and the assembler.
    package let compiler: [ChangedSource]
    /// Those of the library that programs are built from.
    package let runtime: [ChangedSource]

    init(compiler: [ChangedSource], runtime: [ChangedSource]) {
        self.compiler = compiler
        self.runtime = runtime
    }

    /// Changes what `read` has.
    ///
    /// - Parameter read: the text of a file below `src`; nil where it is not there.
    package init(_ options: ToolchainOptions, _ read: (String) -> String?) throws(SourceRefusal) {
        compiler = options.changesCompiler ? try Self.compiler(options, read) : []
        runtime = options.changesRuntime ? try Self.runtime(options, read) : []
    }

    private static func compiler(
        _ options: ToolchainOptions, _ read: (String) -> String?
    ) throws(SourceRefusal) -> [ChangedSource] {
        let hasProbes = options.checks == .probe
        let functions = GoExecutable.sweepers.sorted().joined(separator: " ")
        let kept = hasProbes ? GoExecutable.unpreempted + GoExecutable.certified : GoExecutable.unpreempted
        let packages = hasProbes || options.keepsRuntime ? kept.joined(separator: " ") : ""
        let added =
            text(PackageResources.unchecked_compiler_go) + """

                const (
                \tlargestUncheckedFrame = \(hasProbes ? GoExecutable.largestProbedFrame : StripOptions.largestFrame)
                \t// The background sweeper turns in a loop that can wait for a collection, which waits for these checks.
                \tcheckedFunctions = "\(functions)"
                \t// Packages that signals do not preempt\(hasProbes ? ", or that check their own code" : "").
                \tcheckedPackages = "\(packages)"
                )

                """
        let folder = "cmd/internal/obj/x86"
        var files = [("unchecked.go", added)]
        if hasProbes { files.append(("probing.go", text(PackageResources.probing_compiler_go))) }
        let file = "\(folder)/obj6.go"
        let target = "\t\tq1.To.SetTarget(spill)\n\t}\n"
        let emitting =
            hasProbes
            ? SourceEdit(
                file: file, anchor: target,
                replacement: target + "\tmakeProbe(ctxt, cursym, startPred, jls, framesize)\n")
            : SourceEdit(
                file: file, anchor: "\tif !p.From.Sym.NoSplit() {\n\t\t// Emit split check",
                replacement: "\tif !p.From.Sym.NoSplit() && hasStackCheck(ctxt, p.From.Sym, autoffset) {\n"
                    + "\t\t// Emit split check")
        // Tools of a release go by its version alone, so that a cache of builds would mix up what they compiled.
        var identity = ContentHash()
        for text in files.map(\.1) + [emitting.anchor, emitting.replacement] { identity.add(text) }
        let naming = SourceEdit(
            file: "cmd/internal/objabi/flag.go", anchor: "\tif s == \"full\" {\n",
            replacement: "\tif s == \"full\" {\n\t\tp += \" unchecked-\(identity.digits)\"\n")
        return try SourceEdit.apply([emitting, naming], read)
            + files.map { ChangedSource(file: "\(folder)/\($0)", lines: [], text: $1) }
    }

    private static func runtime(
        _ options: ToolchainOptions, _ read: (String) -> String?
    ) throws(SourceRefusal) -> [ChangedSource] {
        let (stack, proc) = ("runtime/stack.go", "runtime/proc.go")
        var edits = [
            SourceEdit(
                file: stack, anchor: "\nfunc stackalloc(n uint32) stack {\n",
                replacement: "\nfunc uncheckedStackalloc(n uint32) stack {\n"),
            SourceEdit(
                file: stack, anchor: "\nfunc stackfree(stk stack) {\n",
                replacement: "\nfunc uncheckedStackfree(stk stack) {\n"),
            SourceEdit(
                file: stack, anchor: "\nfunc copystack(gp *g, newsize uintptr) {\n",
                replacement: "\nfunc copystack(gp *g, newsize uintptr) {\n\tnewsize = uncheckedStackSize(newsize)\n"),
            SourceEdit(
                file: stack, anchor: "\nvar startingStackSize uint32 = fixedStack\n",
                replacement: "\nvar startingStackSize uint32 = uncheckedStack\n"),
            // What makes a goroutine, and what makes one for a foreign thread.
            SourceEdit(
                file: proc, anchor: "\t\tnewg = malg(stackMin)\n", replacement: "\t\tnewg = malg(uncheckedBlock)\n"),
            SourceEdit(file: proc, anchor: "\tgp := malg(4096)\n", replacement: "\tgp := malg(uncheckedBlock)\n"),
            SourceEdit(
                file: "runtime/signal_unix.go", anchor: "\tc := &sigctxt{info, ctxt}\n\n\t// Cgo TSAN",
                replacement: "\tc := &sigctxt{info, ctxt}\n\tuncheckedOverflow(sig, c, gp)\n\n\t// Cgo TSAN"),
            // Go does not note the arrival of a signal that finds a thread of C outside of Go, and sends it no other.
            SourceEdit(
                file: "runtime/signal_unix.go", anchor: "\tif gp == nil || (gp.m != nil && gp.m.isExtraInC) {\n",
                replacement: "\tif gp == nil || (gp.m != nil && gp.m.isExtraInC) {\n\t\tuncheckedArrival(sig, gp)\n"),
            SourceEdit(
                file: "runtime/os_linux.go", anchor: "\tgetg().m.procid = uint64(gettid())\n",
                replacement: "\tgetg().m.procid = uint64(gettid())\n\tuncheckedArrival(sigPreempt, getg())\n"),
        ]
        if options.stacks != .large {
            for function in ["shrinkstack(gp *g)", "gcComputeStartingStackSize()"] {
                edits.append(
                    SourceEdit(
                        file: stack, anchor: "\nfunc \(function) {\n",
                        replacement: "\nfunc \(function) {\n\tif uncheckedStack > 0 {\n\t\treturn\n\t}\n"))
            }
        }
        if options.stacks == .untouched {
            let clear = "*(*uintptr)(unsafe.Pointer(newg.stack.lo)) = 0\n"
            edits.append(
                SourceEdit(
                    file: proc, anchor: "\t\t\(clear)",
                    replacement: "\t\tif stacksize < uncheckedBlock {\n\t\t\t\(clear)\t\t}\n"))
        }
        let hasGuard = options.stacks == .guarded || options.stacks == .untouched
        let constants = """

            const (
            \tuncheckedBlock = \(options.initial)
            \tuncheckedGuard = \(hasGuard ? StripOptions.guardSize : 0)
            )

            """
        let changed = try SourceEdit.apply(edits, read)
        var added = text(PackageResources.unchecked_runtime_go) + constants
        // Its name until Go 1.22.
        let (atomic, before) = ("\"internal/runtime/atomic\"", "\"runtime/internal/atomic\"")
        if read(stack)?.contains(before) == true { added = added.replacing(atomic, with: before) }
        return changed + [ChangedSource(file: "runtime/unchecked_linux_amd64.go", lines: [], text: added)]
    }

    private static func text(_ resource: [UInt8]) -> String { String(decoding: resource, as: UTF8.self) }
}
