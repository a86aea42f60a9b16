// A peer's program on this machine, and how it is built there.

import Glibc
import Processes
import Workloads

/// A program that was built or found here.
public struct PeerProgram: Sendable {
    /// What records call it: "go1.27.3".
    public let version: String
    /// The executable.
    public let path: String
    private let arguments: [String]
    private let environment: [String]?

    /// - Parameters:
    ///   - arguments: Of the executable, in front of all others.
    ///   - environment: `NAME=value` each; this process's if nil.
    init(_ version: String, _ path: String, _ arguments: [String] = [], environment: [String]? = nil) {
        (self.version, self.path, self.arguments, self.environment) = (version, path, arguments, environment)
    }

    /// A changed copy of it.
    package func copy(at path: String) -> PeerProgram {
        PeerProgram(version, path, arguments, environment: environment)
    }

    /// The same with other variables of its environment.
    package func changing(_ variables: [String: String]) -> PeerProgram {
        let names = variables.keys.map { "\($0)=" }
        let kept = (environment ?? Spawn.environment(changing: [:])).filter { entry in
            !names.contains { entry.hasPrefix($0) }
        }
        return PeerProgram(
            version, path, arguments, environment: kept + variables.map { "\($0)=\($1)" }.sorted())
    }

    /// Starts it; it answers lines until the conversation ends.
    public func converse() throws(PeerFailure) -> Conversation {
        try Conversation(path, arguments, name: version, environment: environment)
    }

    /// Runs it to its end with further `arguments`, or kills it after `seconds`.
    package func run(_ arguments: [String], seconds: Double) throws(PeerFailure) -> Subprocess.Finished {
        do throws(ProcessError) {
            return try Subprocess.finish(
                path, self.arguments + arguments, environment: environment, seconds: seconds)
        } catch {
            throw PeerFailure("\(version): \(error)")
        }
    }
}

/// A file that a program is built from.
typealias ProgramFile = (name: String, text: [UInt8])

/// Builds programs, and keeps them in the cache.
struct ProgramBuilder {
    let environment: CodeEnvironment

    /// Everywhere that the search path leads to a program of that name, the first first.
    func all(_ name: String) -> [String] {
        environment.searchPath.split(separator: ":").map { "\($0)/\(name)" }.filter(Files.isExecutable)
    }

    /// The first program that the search path leads to.
    ///
    /// - Throws: where it leads to none.
    func first(_ names: String...) throws(ProcessError) -> String {
        guard let found = names.lazy.compactMap({ all($0).first }).first else {
            throw ProcessError("no \(names.joined(separator: " or ")) on PATH")
        }
        return found
    }

    /// The folders of the cache that a script put there, of all versions of a package, the newest first.
    func packages(_ name: String) -> [String] {
        let versions = (try? Files.names(in: environment.cacheFolder, suffix: "")) ?? []
        return versions.filter { $0.hasPrefix("\(name)-") }.reversed().map { "\(environment.cacheFolder)/\($0)" }
    }

    /// An entry of the cache, built where it is not there.
    ///
    /// - Parameters:
    ///   - key: Whatever else than its files changes what is built.
    ///   - build: Leaves a file `program` in the folder, in which the files are.
    func program(
        _ name: String, _ files: [ProgramFile], key: [String], build: (String) throws(ProcessError) -> Void
    ) throws(ProcessError) -> String {
        let cache = try ContentCache(preferring: environment.cacheFolder)
        var hash = ContentHash()
        for part in key { hash.add(part) }
        for file in files { hash.add(file.text) }
        let entry = "\(name)-\(hash.digits)"
        if let path = cache.path(entry) { return path }
        return try cache.withWorkFolder { folder throws(ProcessError) in
            for file in files { try Files.write(file.text, to: "\(folder)/\(file.name)") }
            try build(folder)
            return try cache.store(try Files.read("\(folder)/program"), as: entry, from: folder, isExecutable: true)
        }
    }

    /// A program in C or C++, by the first compiler that can: clang comes with the Swift toolchain, but finds no C++
    /// library where none is installed beside it.
    ///
    /// - Parameters:
    ///   - file: With `protocol.h` beside it.
    ///   - dependencies: Files that, when they change, make a build in the cache outdated; those that do not exist are
    ///     ignored.
    /// - Returns: Its path and that of the compiler.
    func compile(
        _ name: String, _ file: ProgramFile, by compilers: [String], _ flags: [String],
        dependencies: [String] = []
    ) throws(ProcessError) -> (path: String, compiler: String) {
        let found = compilers.compactMap { all($0).first }
        var refusal: ProcessError?
        for compiler in found {
            do throws(ProcessError) {
                let key = [Toolchain.identity(of: [compiler] + dependencies)] + flags
                let files = [file, ("protocol.h", PackageResources.protocol_h)]
                let path = try program(name, files, key: key) { folder throws(ProcessError) in
                    // Libraries stand behind what needs them.
                    let arguments = ["-O2", "\(folder)/\(file.name)", "-o", "\(folder)/program"] + flags
                    try Subprocess.run(compiler, arguments, in: folder)
                }
                return (path, compiler)
            } catch {
                // What the first compiler says is kept: that of the toolchain, whose message names the missing file.
                refusal = refusal ?? error
            }
        }
        guard let refusal else { throw ProcessError("no \(compilers.joined(separator: " or ")) on PATH") }
        throw ProcessError(Self.withoutPlace("\(refusal)"))
    }

    /// "clang++ failed (exit 1): 'x.hpp' file not found": without the path of the source, whose folder is gone by now.
    private static func withoutPlace(_ message: String) -> String {
        guard let place = message.firstRange(of: ": /"), let error = message.firstRange(of: "error: ") else {
            return message
        }
        return "\(message[..<place.lowerBound]): \(message[error.upperBound...])"
    }
}
