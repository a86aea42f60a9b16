// Small programs in C whose text the program carries, compiled where they run: peers that need a process of their own.

import Glibc
import Processes
import Workloads

/// A peer in C, in a process of its own.
public struct CProgram: Sendable {
    /// What records call it: its name and the compiler's version.
    public let name: String
    private let path: String

    /// Code of `gcc -fsplit-stack` on libgcc's segments (`C/split_stack.c`); it answers lines.
    ///
    /// - Throws: ``PeerUnavailable`` without gcc: clang's code needs a gold linker and libgcc besides.
    public static func splitStack(environment: CodeEnvironment = CodeEnvironment()) throws(PeerUnavailable) -> CProgram
    {
        try CProgram(
            "libgcc-split-stack", PackageResources.split_stack_c, compilers: ["gcc"], flags: ["-O2", "-fsplit-stack"],
            package: "gcc", environment)
    }

    /// A recursion on the stack of a POSIX thread (`C/thread_stack.c`), run with arguments.
    ///
    /// - Throws: ``PeerUnavailable`` without a C compiler.
    public static func thread(environment: CodeEnvironment = CodeEnvironment()) throws(PeerUnavailable) -> CProgram {
        try CProgram(
            "thread-stack", PackageResources.thread_stack_c, compilers: ["clang", "gcc", "cc"],
            flags: ["-O2", "-pthread"], package: "gcc", environment)
    }

    /// Builds a program, or takes it from the cache.
    ///
    /// - Parameter compilers: In the order in which they are tried.
    init(
        _ name: String, _ source: [UInt8], compilers: [String], flags: [String], package: String,
        _ environment: CodeEnvironment
    ) throws(PeerUnavailable) {
        let folders = environment.searchPath.split(separator: ":")
        let found = compilers.lazy.flatMap { compiler in folders.map { "\($0)/\(compiler)" } }
        guard let compiler = found.first(where: Files.isExecutable) else {
            throw PeerUnavailable("no \(compilers.joined(separator: " or ")) on PATH; install \(package)")
        }
        do throws(ProcessError) {
            path = try Self.build(name, source, compiler, flags, environment)
            let answer = try Subprocess.finish(compiler, ["-dumpfullversion"], seconds: 20)
            let version = answer.output.prefix { !$0.isNewline }
            self.name = version.isEmpty ? name : "\(name) \(version)"
        } catch {
            throw PeerUnavailable("\(error); install \(package)")
        }
    }

    private static func build(
        _ name: String, _ source: [UInt8], _ compiler: String, _ flags: [String], _ environment: CodeEnvironment
    ) throws(ProcessError) -> String {
        let cache = try ContentCache(preferring: environment.cacheFolder)
        var key = ContentHash()
        for part in [Toolchain.identity(of: [compiler])] + flags { key.add(part) }
        key.add(source)
        let entry = "\(name)-\(key.digits)"
        if let path = cache.path(entry) { return path }
        return try cache.withWorkFolder { folder throws(ProcessError) in
            try Files.write(source, to: "\(folder)/\(name).c")
            try Subprocess.run(
                compiler, flags + ["\(folder)/\(name).c", "-o", "\(folder)/program"], in: folder)
            return try cache.store(try Files.read("\(folder)/program"), as: entry, from: folder, isExecutable: true)
        }
    }

    /// Starts it; it answers lines until the conversation ends.
    public func converse() throws(PeerFailure) -> Conversation { try Conversation(path, name: name) }

    /// Runs it to its end with `arguments`, or kills it after `seconds`.
    package func run(_ arguments: [String], seconds: Double) throws(PeerFailure) -> Subprocess.Finished {
        do throws(ProcessError) {
            return try Subprocess.finish(path, arguments, seconds: seconds)
        } catch {
            throw PeerFailure("\(name): \(error)")
        }
    }
}
