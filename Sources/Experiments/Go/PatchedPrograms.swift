// Copies of Go programs without stack checks, or with others in their place, in the cache of built programs.

import GoBinary
import Processes
import Report
import Workloads

/// Makes such copies, each once.
package struct PatchedPrograms {
    /// The stack of a goroutine in every program that is timed: more than any of them needs, which a program that
    /// outgrows it would end with a message, and less than what Go 1.19 asks the kernel to back with huge pages (2 MiB
    /// and more).
    package static let initial = 1 << 20
    /// The stack of a goroutine that only waits, in programs whose memory is measured: Go's tables for it, which have
    /// some bytes for each 8 KiB, take little.
    package static let initialOfWaiting = 256 << 10

    private let cache: ContentCache

    package init(environment: CodeEnvironment = CodeEnvironment()) throws(ProcessError) {
        cache = try ContentCache(preferring: environment.cacheFolder)
    }

    /// The path of a copy of the program at `path`.
    ///
    /// - Throws: `ProcessError` where the program is not understood, the copy cannot be written, or would not run here.
    package func copy(of path: String, _ options: StripOptions) throws(ProcessError) -> String {
        if options.growth == .fault, let refusal = GrowthSupport.refusal { throw ProcessError(refusal) }
        let original = try Files.read(path)
        var key = ContentHash()
        original.withUnsafeBufferPointer { key.add($0) }
        key.add("\(options)")
        // Another version of this program may patch in another way.
        key.add(Toolchain.identity(of: ["/proc/self/exe"]))
        let name = path.split(separator: "/").last.map(String.init) ?? "program"
        let entry = "\(name)-\(options.checks)-\(key.digits)"
        if let path = cache.path(entry) { return path }
        let stripped: StrippedProgram
        do throws(GoBinaryError) {
            stripped = try GoExecutable(original).stripped(options)
        } catch {
            throw ProcessError("\(path): \(error)")
        }
        return try cache.withWorkFolder { folder throws(ProcessError) in
            try cache.store(stripped.content, as: entry, from: folder, isExecutable: true)
        }
    }
}

extension StripOptions {
    /// What parameters of records and messages call it.
    package var name: String {
        switch (checks, growth, keepsRuntime) {
        case (.removed, .none, false): "no checks"
        case (.removed, .none, true): "checks in the runtime only"
        case (.removed, .fault, true): "probes"
        case (.removed, .fault, false): "probes, also in the runtime"
        case (.equal, _, _): "equal checks"
        }
    }
}
