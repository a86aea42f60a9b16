// How many functions have a check, and what checks take of the program's code.

/// Counts over the functions of one program.
public struct CheckCensus: Sendable, Hashable {
    /// Counts over the checks of one form.
    public struct Tally: Sendable, Hashable {
        /// Functions with such a check.
        public var functions = 0
        /// Instructions on the path that passes, all functions together.
        public var hotInstructions = 0
        /// Their bytes.
        public var hotBytes = 0
        /// Instructions on the path that grows the stack.
        public var coldInstructions = 0
        /// Their bytes.
        public var coldBytes = 0

        fileprivate mutating func add(_ check: StackCheck) {
            functions += 1
            hotInstructions += check.hotInstructions
            hotBytes += check.hotBytes
            coldInstructions += check.tailInstructions
            coldBytes += check.tailBytes
        }

        fileprivate static func + (first: Tally, second: Tally) -> Tally {
            Tally(
                functions: first.functions + second.functions,
                hotInstructions: first.hotInstructions + second.hotInstructions,
                hotBytes: first.hotBytes + second.hotBytes,
                coldInstructions: first.coldInstructions + second.coldInstructions,
                coldBytes: first.coldBytes + second.coldBytes)
        }
    }

    /// All functions of the program.
    public let functions: Int
    /// Those without a check: small ones that call nothing, assembly, and what is marked `nosplit`.
    public let unchecked: Int
    /// Those whose check is not understood.
    public let notUnderstood: Int
    /// By form.
    public let classes: [FrameClass: Tally]
    /// Checks of functions that run on a system stack, which are among those of ``classes``.
    public let onSystemStack: Int
    /// Bytes of all functions.
    public let textBytes: Int
    /// The functions with the largest frames, the largest first.
    public let largestFrames: [GoFunction]

    /// Checks of every form.
    public var total: Tally { classes.values.reduce(Tally(), +) }

    /// Counts.
    ///
    /// - Parameter frames: How many of the largest frames are kept.
    public init(_ program: GoExecutable, frames: Int = 10) {
        var classes: [FrameClass: Tally] = [:]
        var onSystemStack = 0
        for case let check? in program.functions.map(\.check) {
            classes[check.frameClass, default: Tally()].add(check)
            if check.isForSystemStack { onSystemStack += 1 }
        }
        self.classes = classes
        self.onSystemStack = onSystemStack
        functions = program.functions.count
        notUnderstood = program.notUnderstood.count
        unchecked = functions - classes.values.reduce(0) { $0 + $1.functions }
        textBytes = program.textBytes
        largestFrames = Array(
            program.functions.map(\.function).sorted { ($0.frameSize ?? 0, $1.name) > ($1.frameSize ?? 0, $0.name) }
                .prefix(max(0, frames)))
    }
}
