// From a C++ source that the program carries to a shared object in the cache.

import Glibc
import Processes
import Workloads

struct LibraryBuilder {
    let environment: CodeEnvironment

    /// Compilers in the order in which they are tried: clang++ comes with the Swift toolchain, but finds no C++ library
    /// where none is installed beside it.
    private static let compilers = ["clang++", "g++", "c++"]
    private static let flags = ["-std=c++17", "-O2", "-shared", "-fPIC"]

    /// The path of the shared object, from the cache or built now.
    ///
    /// - Parameters:
    ///   - package: what to install where no compiler can compile the source.
    ///   - dependencies: files that, when they change, make a build in the cache outdated; those that do not exist are
    ///     ignored.
    func library(
        _ name: String, source: [UInt8], linking libraries: [String], package: String, dependencies: [String]
    ) throws(PeerUnavailable) -> String {
        let found = Self.compilers.compactMap(search)
        guard !found.isEmpty else {
            throw PeerUnavailable("no C++ compiler (clang++, g++) on PATH; install g++ and \(package)")
        }
        var refusal: ProcessError?
        for compiler in found {
            do throws(ProcessError) {
                return try build(name, source, libraries, dependencies, with: compiler)
            } catch {
                // What the first compiler says is kept: that of the toolchain, whose message names the missing file.
                refusal = refusal ?? error
            }
        }
        let reason = refusal.map { "\($0)" } ?? "it does not compile"
        throw PeerUnavailable("\(Self.withoutPlace(reason)); install \(package)")
    }

    private func build(
        _ name: String, _ source: [UInt8], _ libraries: [String], _ dependencies: [String], with compiler: String
    ) throws(ProcessError) -> String {
        let cache = try ContentCache(preferring: environment.cacheFolder)
        var key = ContentHash()
        for part in [Toolchain.identity(of: [compiler] + dependencies)] + Self.flags + libraries { key.add(part) }
        key.add(source)
        let entry = "\(name)-\(key.digits).so"
        if let path = cache.path(entry) { return path }
        return try cache.withWorkFolder { folder throws(ProcessError) in
            try Files.write(source, to: "\(folder)/\(name).cpp")
            try Subprocess.run(
                compiler, Self.flags + ["\(folder)/\(name).cpp", "-o", "\(folder)/\(name).so"] + libraries, in: folder)
            return try cache.store(try Files.read("\(folder)/\(name).so"), as: entry, from: folder)
        }
    }

    private func search(_ name: String) -> String? {
        environment.searchPath.split(separator: ":").lazy.map { "\($0)/\(name)" }.first(where: Files.isExecutable)
    }

    /// "clang++ failed (exit 1): 'x.hpp' file not found": without the path of the source, whose folder is gone by now.
    private static func withoutPlace(_ message: String) -> String {
        guard let place = message.firstRange(of: ": /"), let error = message.firstRange(of: "error: ") else {
            return message
        }
        return "\(message[..<place.lowerBound]): \(message[error.upperBound...])"
    }
}
