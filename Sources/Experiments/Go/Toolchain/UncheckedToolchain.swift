// A copy of a Go installation that compiles without stack checks, or with probes in their place. It is there as a whole
// or not at all. What it compiles goes to a cache of its own; and its compiler, or its linker, names itself, so that no
// other cache can mix it up with Go's own.

import Glibc
import GoBinary
import Peers
import Processes

/// A changed copy of a Go installation.
public struct UncheckedToolchain: Sendable {
    /// Its folder, GOROOT of what it builds.
    public let root: String
    /// The installation that it is a copy of, as Go spells the version.
    public let version: String
    /// The sources that differ.
    private let changes: [ChangedSource]
    /// What stands before the linker.
    private let linker: ProbingLinker?
    /// What differs, a line each.
    public var summary: [String] { changes.map(\.summary) + (linker?.summary ?? []) }
    /// Whether its compiler is another one.
    package var hasOwnCompiler: Bool { changes.contains { $0.file.hasPrefix("cmd/") } }
    /// Its `go` command.
    public var command: String { "\(root)/bin/go" }

    /// The oldest minor version of Go 1 whose sources are known.
    public static let oldest = 21
    private static let marker = "faultline-toolchain"

    /// Makes one at `folder`, or takes what was made there before with the same sources.
    ///
    /// - Parameters:
    ///   - installation: what is copied; it stays as it is.
    ///   - folder: an absolute path, where nothing is or such a copy.
    ///   - patcher: the program `faultline`, which is copied where programs have probes; nil leaves what they need to
    ///     who links them.
    ///   - progress: told what is being done.
    ///   - isInterrupted: asked during builds.
    /// - Throws: `SourceRefusal` where the sources are not those of a version that is known; `ProcessError` where a
    ///   build fails, or `folder` is something else. Nothing is left at `folder` then.
    public init(
        of installation: GoToolchain, _ options: ToolchainOptions, at folder: String,
        patcher: String? = "/proc/self/exe", progress: (String) -> Void, isInterrupted: @escaping () -> Bool = { false }
    ) throws {
        let sources = try Self.sources(of: installation, options)
        linker = options.checks == .probe ? patcher.map { ProbingLinker(patcher: $0) } : nil
        root = folder
        version = installation.version
        changes = sources.compiler + sources.runtime
        let digests = [Self.digest(changes, installation)] + (linker.map { [$0.identity] } ?? [])
        let mark = "\(installation.version) \(digests.joined(separator: " "))\n"
        if Self.has(mark, folder) { return }
        if access(folder, F_OK) == 0 {
            throw ProcessError("'\(folder)' is there and is not this toolchain", remedy: "name another folder")
        }
        let parent = Files.folder(of: folder)
        guard Files.makeFolder(parent) else { throw ProcessError("cannot make the folder '\(parent)'") }
        let draft = try Files.makeTemporaryFolder(in: parent)
        defer { Files.removeFolder(draft) }
        let builder = Builder(folder: draft, isInterrupted: isInterrupted)
        progress("copying \(version)")
        try builder.copy(installation)
        if !sources.compiler.isEmpty {
            try builder.write(sources.compiler)
            progress("building the compiler and the assembler of \(version)")
            try builder.buildTools(installation)
        }
        // After the compiler is built, which is a program of Go's own runtime.
        try builder.write(sources.runtime)
        if let linker { try builder.install(linker) }
        try builder.writeSettings(cache: "\(folder)/cache")
        try Files.write(mark.utf8, to: "\(draft)/\(Self.marker)")
        guard chmod(draft, 0o755) == 0, rename(draft, folder) == 0 || Self.has(mark, folder) else {
            throw ProcessError("cannot write '\(folder)': \(Files.reason())")
        }
    }

    /// Whether `folder` is this toolchain: made before, or by another process meanwhile.
    private static func has(_ mark: String, _ folder: String) -> Bool {
        (try? Files.read("\(folder)/\(marker)")).map { $0 == Array(mark.utf8) } ?? false
    }

    /// The same in the cache of built programs, made once for each version and each change. What it builds with probes
    /// is not patched yet.
    package static func cached(
        _ installation: GoToolchain, _ options: ToolchainOptions, environment: CodeEnvironment = CodeEnvironment(),
        progress: (String) -> Void, isInterrupted: @escaping () -> Bool = { false }
    ) throws -> UncheckedToolchain {
        let sources = try sources(of: installation, options)
        let digest = digest(sources.compiler + sources.runtime, installation)
        return try UncheckedToolchain(
            of: installation, options,
            at: "\(environment.cacheFolder)/go-toolchain-\(installation.version)-\(options.name)-\(digest)",
            patcher: nil, progress: progress, isInterrupted: isInterrupted)
    }

    static func sources(
        of installation: GoToolchain, _ options: ToolchainOptions
    ) throws(SourceRefusal) -> UncheckedSources {
        let minor = installation.minorVersion ?? 0
        if options.checks == .probe {
            guard GoExecutable.versions.contains(minor) else {
                let known = GoExecutable.versions.map { "1.\($0)" }.joined(separator: ", ")
                throw SourceRefusal(
                    description: "programs of \(installation.version) at \(installation.root) get no probes; versions "
                        + "that do: \(known); name another one with --go")
            }
            // Its compiler stays as it is; probes take the place of checks when a program is linked.
            if minor < oldest { return UncheckedSources(compiler: [], runtime: []) }
        } else if minor < oldest {
            throw SourceRefusal(
                description: "\(installation.version) at \(installation.root) is older than Go 1.\(oldest); name "
                    + "another one with --go")
        }
        do throws(SourceRefusal) {
            return try UncheckedSources(options) { file in
                (try? Files.read("\(installation.root)/src/\(file)")).map { String(decoding: $0, as: UTF8.self) }
            }
        } catch {
            throw SourceRefusal(description: "\(installation.version) at \(installation.root): \(error)")
        }
    }

    private static func digest(_ changes: [ChangedSource], _ installation: GoToolchain) -> String {
        var hash = ContentHash()
        hash.add(Toolchain.identity(of: [installation.command]))
        for change in changes {
            hash.add(change.file)
            hash.add(change.text)
        }
        return hash.digits
    }

    /// What `go build` is given for a program that contains the compiler, so that it is that of `installation`: without
    /// checks itself, and emitting them.
    package func flagsForCompiler(of installation: GoToolchain) throws(ProcessError) -> [String] {
        let files = changes.filter { $0.file.hasPrefix("cmd/") && !$0.lines.isEmpty }.map(\.file)
        let lines = files.map { "\"\(root)/src/\($0)\": \"\(installation.root)/src/\($0)\"" }
        // At a path that stays: it is in the key of what is built with it.
        let list = "\(root)/compiler.json"
        try Files.write("{\"Replace\": {\(lines.joined(separator: ", "))}}".utf8, to: list)
        return ["-overlay=\(list)"]
    }

    /// Builds the main package in a folder as its user would, with its settings but for what chooses the toolchain.
    ///
    /// - Parameters:
    ///   - package: the folder.
    ///   - path: where the executable goes.
    ///   - flags: what `go build` is given besides.
    /// - Throws: `ProcessError` where it does not build; the message ends with Go's first line.
    public func build(
        _ package: String, to path: String, flags: [String] = [], isInterrupted: () -> Bool = { false }
    ) throws(ProcessError) {
        guard Files.makeFolder(Files.folder(of: path)) else {
            throw ProcessError("cannot make the folder of '\(path)'")
        }
        try GoToolchain.build(
            package, by: command, to: path, flags: flags, settings: ["GOCACHE": "\(root)/cache"], isInterrupted)
    }

    /// The steps, in a folder that is not there yet for others.
    private struct Builder {
        let folder: String
        let isInterrupted: () -> Bool

        private func run(
            _ executable: String, _ arguments: [String], environment: [String]? = nil, _ what: String
        ) throws(ProcessError) {
            let finished = try Subprocess.finish(
                executable, arguments, environment: environment, seconds: GoToolchain.longestBuild,
                isUnwanted: isInterrupted)
            try GoToolchain.check(finished, what)
        }

        /// What builds need. Debian has links to folders elsewhere; toolchains in a module cache are read-only.
        func copy(_ installation: GoToolchain) throws(ProcessError) {
            let parts = ["bin", "lib", "pkg", "src", "VERSION", "go.env"].map { "\(installation.root)/\($0)" }
            let what = "cannot copy \(installation.root)"
            try run("/bin/cp", ["-RL", "--reflink=auto"] + parts.filter { access($0, F_OK) == 0 } + [folder], what)
            try run("/bin/chmod", ["-R", "u+w", folder], what)
        }

        func write(_ changes: [ChangedSource]) throws(ProcessError) {
            for change in changes { try Files.write(change.text.utf8, to: "\(folder)/src/\(change.file)") }
        }

        func buildTools(_ installation: GoToolchain) throws(ProcessError) {
            let tools = "\(folder)/pkg/tool/linux_amd64"
            let new = "\(folder)/new"
            guard Files.makeFolder(new) else { throw ProcessError("cannot make the folder '\(new)'") }
            try run(
                "\(folder)/bin/go", ["build", "-pgo=off", "-o", "\(new)/", "cmd/compile", "cmd/asm"],
                environment: installation.environment, "cannot build the compiler of \(installation.version)")
            for tool in ["compile", "asm"] {
                guard rename("\(new)/\(tool)", "\(tools)/\(tool)") == 0 else {
                    throw ProcessError("cannot write '\(tools)/\(tool)': \(Files.reason())")
                }
            }
            Files.removeFolder(new)
        }

        func install(_ linker: ProbingLinker) throws(ProcessError) {
            let (own, tool) = ("\(folder)/\(ProbingLinker.folder)", "\(folder)/\(ProbingLinker.file)")
            // Its name stays, which it says with its version.
            guard mkdir(own, 0o755) == 0, rename(tool, "\(own)/link") == 0 else {
                throw ProcessError("cannot move '\(tool)': \(Files.reason())")
            }
            let patcher = linker.patcher
            try run("/bin/cp", ["--reflink=auto", patcher, "\(own)/faultline"], "cannot copy '\(patcher)'")
            try Files.write(linker.script.utf8, to: tool)
            guard chmod(tool, 0o755) == 0 else {
                throw ProcessError("cannot make '\(tool)' executable: \(Files.reason())")
            }
        }

        /// A module may ask for a newer Go, which would be fetched and have its checks. Before Go 1.21 there is no such
        /// request and no such file.
        func writeSettings(cache: String) throws(ProcessError) {
            let path = "\(folder)/go.env"
            guard access(path, F_OK) == 0 else { return }
            let own = String(decoding: try Files.read(path), as: UTF8.self).split(separator: "\n").filter {
                !$0.hasPrefix("GOTOOLCHAIN=")
            }
            let settings = own.joined(separator: "\n") + "\nGOTOOLCHAIN=local\nGOCACHE=\(cache)\n"
            try Files.write(settings.utf8, to: path)
        }
    }
}
