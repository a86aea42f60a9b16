// From a workload and a variant to a function that can be called.

import Glibc
internal import Kernels
import Processes
import Synchronization

/// What a failed prologue check of `.checked` code calls.
///
/// The functions have conventions of their own (libgcc's `__morestack`: frame size in %r10, size of stack arguments in
/// %r11, all argument registers live), so they are addresses rather than function values.
public struct StackCheckHooks: Hashable, Sendable {
    let morestack: UInt
    let allocate: UInt

    /// - Parameters:
    ///   - morestack: entered by a function whose frame does not fit above the limit at %fs:0x70.
    ///   - allocateStackSpace: called for a variable-length array that does not fit; takes the size, returns its
    ///     address.
    public init(morestack: UnsafeRawPointer, allocateStackSpace: UnsafeRawPointer) {
        self.morestack = UInt(bitPattern: morestack)
        allocate = UInt(bitPattern: allocateStackSpace)
    }

    /// Ends the process with a message. For stacks whose limit is 0, as on every ordinary thread: no check fails there.
    public static var none: StackCheckHooks {
        let missing: @convention(c) () -> Void = fl_morestack_missing
        let address = unsafeBitCast(missing, to: UnsafeRawPointer.self)
        return StackCheckHooks(morestack: address, allocateStackSpace: address)
    }
}

/// One variant of a workload's code, ready to be called. Stays loaded until the process ends.
public struct LoadedCode: Sendable {
    typealias Entry =
        @convention(c) @Sendable (
            UnsafePointer<UInt8>?, Int, UInt64, UnsafeMutablePointer<fl_workload_outcome>
        ) -> UInt64

    /// The name of the workload.
    public let workload: String
    /// The language of the source.
    public let language: CodeLanguage
    /// How it was compiled.
    public let variant: CodeVariant
    /// The shared object, nil for `.builtin`.
    public let path: String?
    /// The function in it.
    let symbol: String
    let entry: Entry
}

/// Builds the code variants of workloads at run time, caches and loads them.
public struct CodeLoader: Sendable {
    static let morestackSymbol = "fl_morestack_pointer"
    static let allocateSymbol = "fl_morestack_allocate_pointer"

    private let environment: CodeEnvironment

    /// - Parameter environment: where the tools and the cache are.
    public init(environment: CodeEnvironment = CodeEnvironment()) {
        self.environment = environment
    }

    /// Loads the code of `workload`, building it first if the cache does not have it (about a second for Swift).
    ///
    /// - Parameters:
    ///   - workload: one of `Workloads.all`.
    ///   - language: one of `workload.languages`; the first of them if nil.
    ///   - variant: with or without prologue checks.
    ///   - hooks: what failed checks call. The same code loaded with other hooks is another copy in memory.
    ///   - layoutSeed: shuffles the functions, to tell the cost of checks from that of alignment; nil keeps their
    ///     order.
    ///   - inlining: how much the compiler inlines; another than the standard one is for code in C.
    /// - Throws: `WorkloadError` if the toolchain is missing or fails, or an option does not fit.
    public func load(
        _ workload: any Workload, language: CodeLanguage? = nil, variant: CodeVariant, hooks: StackCheckHooks = .none,
        layoutSeed: UInt32? = nil, inlining: CodeInlining = .standard
    ) throws(WorkloadError) -> LoadedCode {
        let language = language ?? workload.languages[0]
        guard let source = try CodeSource.find(workload, language) else {
            let known = workload.languages.map(\.rawValue).joined(separator: ", ")
            throw WorkloadError(
                "\(workload.name) is not written in \(language.rawValue)",
                remedy: "choose from: \(known)")
        }
        guard language == .c || inlining == .standard else {
            throw WorkloadError("inlining can be chosen for code in C only, and \(workload.name) is in Swift")
        }
        guard variant != .builtin else {
            guard layoutSeed == nil, inlining == .standard else {
                throw WorkloadError(
                    "a layout seed needs code built at run time", remedy: "choose the plain, checked or padded variant")
            }
            guard let builtin = source.builtin else {
                throw WorkloadError(
                    "\(workload.name) is built at run time only", remedy: "choose the plain, checked or padded variant")
            }
            return LoadedCode(
                workload: workload.name, language: language, variant: variant, path: nil, symbol: source.symbol,
                entry: builtin)
        }
        #if !arch(x86_64)
            throw WorkloadError("prologue checks exist on x86-64 only", remedy: "choose the builtin variant")
        #endif
        return try WorkloadError.reporting { () throws(ProcessError) in
            let toolchain = try Toolchain.find(searchPath: environment.searchPath, needsSwift: language == .swift)
            let cache = try ContentCache(preferring: environment.cacheFolder)
            let builder = CodeBuilder(cache: cache, toolchain: toolchain, source: source, inlining: inlining)
            let path = try builder.sharedObject(variant, layoutSeed: layoutSeed)
            let entry = try LoadedImages.entry(source.symbol, of: path, hooks, cache)
            return LoadedCode(
                workload: workload.name, language: language, variant: variant, path: path, symbol: source.symbol,
                entry: entry)
        }
    }
}

/// The shared objects of this process. dlopen returns one handle for one file, and the hooks are variables inside it:
/// for further hooks a copy of the file is opened.
private enum LoadedImages {
    private struct Key: Hashable {
        var path: String
        var hooks: StackCheckHooks
    }

    private static let entries = Mutex<[Key: UInt]>([:])

    static func entry(
        _ symbol: String, of path: String, _ hooks: StackCheckHooks, _ cache: ContentCache
    ) throws(ProcessError) -> LoadedCode.Entry {
        let key = Key(path: path, hooks: hooks)
        let address = try entries.withLock { entries throws(ProcessError) -> UInt in
            if let address = entries[key] { return address }
            let address: UInt
            if entries.keys.contains(where: { $0.path == path }) {
                address = try cache.withWorkFolder { folder throws(ProcessError) in
                    try Files.write(try Files.read(path), to: "\(folder)/copy.so")
                    return try open("\(folder)/copy.so", symbol, hooks)
                }
            } else {
                address = try open(path, symbol, hooks)
            }
            entries[key] = address
            return address
        }
        return unsafeBitCast(address, to: LoadedCode.Entry.self)
    }

    private static func open(
        _ path: String, _ symbol: String, _ hooks: StackCheckHooks
    ) throws(ProcessError) -> UInt {
        guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            throw ProcessError("cannot load \(path): \(dlerror().map { String(cString: $0) } ?? "no message")")
        }
        func address(_ name: String) throws(ProcessError) -> UnsafeMutableRawPointer {
            guard let address = dlsym(handle, name) else {
                throw ProcessError("\(path) has no symbol \(name)", remedy: "delete it, it is built again")
            }
            return address
        }
        try address(CodeLoader.morestackSymbol).storeBytes(of: hooks.morestack, as: UInt.self)
        try address(CodeLoader.allocateSymbol).storeBytes(of: hooks.allocate, as: UInt.self)
        return UInt(bitPattern: try address(symbol))
    }
}
