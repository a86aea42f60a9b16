// Code that goes down a stack and works there, plain and checked from one source: for experiments that need to know how
// deep they are. It is no workload of the program, because its input means nothing.

internal import Kernels

/// Code that goes down a stack, built at run time.
public struct DescentCode: Sendable {
    /// How it was compiled.
    public let variant: CodeVariant
    let entry: LoadedCode.Entry

    /// Builds and loads it, or takes it from the cache.
    ///
    /// - Parameters:
    ///   - variant: `.plain`, `.checked` or `.padded`.
    ///   - hooks: What failed checks call.
    ///   - layoutSeed: Shuffles the functions.
    /// - Throws: `WorkloadError` where the toolchain is missing or fails.
    public init(
        _ variant: CodeVariant, hooks: StackCheckHooks = .none, layoutSeed: UInt32? = nil
    ) throws(WorkloadError) {
        self.variant = variant
        entry = try CodeLoader().load(DescentWorkload(), variant: variant, hooks: hooks, layoutSeed: layoutSeed).entry
    }

    /// What is done at the bottom.
    public enum Work: Sendable, Hashable {
        /// That many calls of a small function, on top of a frame of 1 KiB.
        case calls(Int)
        /// A function with a frame of half a KiB is called once, then again in a loop, that often together.
        case loop(Int)
        /// Ackermann's function of two numbers.
        case ackermann(UInt32, UInt32)
        /// A recursion that nothing but the stack ends.
        case runaway

        fileprivate var words: [UInt64] {
            switch self {
            case .calls(let count): [0, UInt64(count)]
            case .loop(let count): [1, UInt64(count)]
            case .ackermann(let m, let n): [2, UInt64(m) << 32 | UInt64(n)]
            case .runaway: [3, 0]
            }
        }

        /// What the code must return; nil where it is not known.
        fileprivate var expected: UInt64? {
            switch self {
            case .calls(let count), .loop(let count): UInt64(count)
            case .ackermann, .runaway: nil
            }
        }
    }

    /// A descent that is ready to be made: ``Descent/run()`` then allocates nothing.
    public func descent(levels: Int, _ work: Work) -> Descent {
        Descent(entry, [UInt64(levels)] + work.words, expected: work.expected)
    }

    /// What looks at a descent: a function that runs on the stack itself and needs little of it.
    public typealias Watcher = @convention(c) (_ argument: UnsafeMutableRawPointer) -> Void

    /// A descent of `levels` that calls `watcher` every `interval` levels, on its way down and on its way back.
    public func descent(
        levels: Int, every interval: Int, _ watcher: Watcher, _ argument: UnsafeMutableRawPointer
    ) -> Descent {
        let words = [
            0, 4, UInt64(levels), UInt64(interval), UInt64(UInt(bitPattern: unsafeBitCast(watcher, to: Int.self))),
            UInt64(UInt(bitPattern: argument)),
        ]
        return Descent(entry, words, expected: UInt64(levels))
    }
}

/// One descent, and what it found. Its memory is apart from the stack, so that a descent whose frames a fault abandons
/// can still be asked how deep it came.
public final class Descent {
    private let entry: LoadedCode.Entry
    private let words: UnsafeMutablePointer<UInt64>
    private let outcome: UnsafeMutablePointer<fl_workload_outcome>
    private let expected: UInt64?

    private static let numberOfWords = 6

    fileprivate init(_ entry: @escaping LoadedCode.Entry, _ words: [UInt64], expected: UInt64?) {
        self.entry = entry
        self.expected = expected
        self.words = .allocate(capacity: Self.numberOfWords)
        self.words.initialize(repeating: 0, count: Self.numberOfWords)
        self.words.update(from: words, count: words.count)
        outcome = .allocate(capacity: 1)
        outcome.initialize(to: fl_workload_outcome())
    }

    deinit {
        words.deallocate()
        outcome.deallocate()
    }

    /// Goes down on the calling stack, works and comes back.
    ///
    /// - Returns: What the work computed.
    @discardableResult
    public func run() -> UInt64 {
        entry(UnsafeRawPointer(words).assumingMemoryBound(to: UInt8.self), 8 * Self.numberOfWords, 0, outcome)
    }

    /// Whether `result` is what the work computes.
    public func isRight(_ result: UInt64) -> Bool { expected == nil || result == expected }

    /// Ticks of the time-stamp counter that the first call of a loop took.
    public var firstCall: UInt64 { outcome.pointee.counts.0 }
    /// Ticks that all its other calls took.
    public var otherCalls: UInt64 { outcome.pointee.counts.1 }
    /// The greatest depth of Ackermann's function or of the runaway so far.
    public var deepest: UInt64 { outcome.pointee.counts.2 }
}

/// The code as the pipeline knows it.
private struct DescentWorkload: Workload, CodeSourceProvider {
    let name = "descent"
    let summary = "goes down a stack and works there"
    let inputHelp = "none"
    let languages: [CodeLanguage] = [.c]

    func prepare(inputs: [String]) throws(WorkloadError) -> PreparedWorkload {
        throw WorkloadError("descent is no workload", remedy: "make a DescentCode")
    }

    func codeSource() throws(WorkloadError) -> CodeSource {
        CodeSource(
            name: name, language: .c, symbol: "fl_descent_run",
            files: EmbeddedFile.headers + [EmbeddedFile(name: "descent.c", bytes: PackageResources.descent_c)],
            builtin: nil)
    }
}
