// Builds of a user's package: by Go as it is, with other stacks, and without checks.

import GoBinary
import Peers
import Processes

extension GoToolchain {
    /// A build of the compiler takes one to two minutes where nothing else runs.
    static let longestBuild = 3600.0

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
        try Self.build(package, by: command, to: path, flags: flags, isInterrupted)
    }

    /// The same from sources that `options` change, without a copy of the installation. The compiler is as it is.
    ///
    /// - Parameter folder: where the changed sources are written, until the build is over.
    /// - Throws: `SourceRefusal` where the sources are not known, and as above.
    func build(
        _ package: String, _ options: ToolchainOptions, to path: String, flags: [String] = [], in folder: String,
        isInterrupted: () -> Bool = { false }
    ) throws {
        let sources = try UncheckedToolchain.sources(of: self, options)
        var lines: [String] = []
        for (index, change) in sources.runtime.enumerated() {
            // Not a name that a build would take for a part of a package.
            let copy = "\(folder)/\(options.name)-\(index).txt"
            try Files.write(change.text.utf8, to: copy)
            lines.append("\"\(root)/src/\(change.file)\": \"\(copy)\"")
        }
        let list = "\(folder)/\(options.name).json"
        try Files.write("{\"Replace\": {\(lines.joined(separator: ", "))}}".utf8, to: list)
        try Self.build(package, by: command, to: path, flags: flags + ["-overlay=\(list)"], isInterrupted)
    }

    static func build(
        _ package: String, by command: String, to path: String, flags: [String], settings: [String: String] = [:],
        _ isInterrupted: () -> Bool
    ) throws(ProcessError) {
        let own = ["GOROOT": "", "GOTOOLCHAIN": "local", "GOOS": "linux", "GOARCH": "amd64"].merging(settings) { $1 }
        // Go before 1.20 has no -C.
        let finished = try Subprocess.finish(
            "/bin/sh", ["-c", "cd \"$0\" && exec \"$@\"", package, command, "build"] + flags + ["-o", path, "."],
            environment: Spawn.environment(changing: own), seconds: longestBuild, isUnwanted: isInterrupted)
        try check(finished, "cannot build '\(package)' with \(command)")
    }

    static func check(_ finished: Subprocess.Finished, _ what: String) throws(ProcessError) {
        guard finished.ending != .exited(0) else { return }
        // A line that begins with # names the package of those below it.
        let lines = finished.errors.split(separator: "\n")
        throw ProcessError("\(what): \(lines.first { !$0.hasPrefix("#") } ?? "it \(finished.ending)")")
    }
}

/// Every variant of a package that there is, in several layouts.
public struct PackageVariants {
    /// The main package's folder, an absolute path.
    public let package: String
    /// What builds the original.
    public let installation: GoToolchain
    /// What copies without checks are made with.
    public let options: StripOptions
    /// Whether the parts that stacks differ in are built as well.
    public let hasParts: Bool
    /// Where executables go.
    public let folder: String
    private let isInterrupted: () -> Bool

    /// The variants of a package.
    public init(
        _ package: String, _ installation: GoToolchain, _ options: StripOptions, hasParts: Bool, folder: String,
        isInterrupted: @escaping () -> Bool
    ) {
        self.package = package
        self.installation = installation
        self.options = options
        self.hasParts = hasParts
        self.folder = folder
        self.isInterrupted = isInterrupted
    }

    private static let parts: [(GoComparison.Variant, ToolchainOptions.Stacks)] = [
        (.firstSize, .large), (.noShrinking, .steady), (.guards, .guarded), (.lowestWord, .untouched),
    ]

    /// Builds all of them.
    ///
    /// - Parameters:
    ///   - count: how many layouts, in random order where it is not nil.
    /// - Throws: `ProcessError` or `SourceRefusal` where something does not build; `GoBinaryError` where a program is
    ///   not understood.
    public func layouts(
        _ count: Int?, progress: (String) -> Void
    ) throws -> [GoComparison.Layout] {
        func toolchain(_ options: ToolchainOptions) throws -> UncheckedToolchain {
            try UncheckedToolchain.cached(
                installation, options, progress: progress, isInterrupted: isInterrupted)
        }
        let unchecked = try toolchain(
            ToolchainOptions(initial: options.initial, keepsRuntime: options.keepsRuntime))
        let probing = GrowthSupport.refusal == nil ? try toolchain(ToolchainOptions(checks: .probe)) : nil
        var layouts: [GoComparison.Layout] = []
        for number in 1...(count ?? 1) {
            let flags = count == nil ? [] : ["-ldflags=-randlayout=\(number)"]
            func path(_ variant: String) -> String { "\(folder)/\(number)-\(variant)" }
            progress("building layout \(number)")
            try installation.build(package, to: path("original"), flags: flags, isInterrupted: isInterrupted)
            let content = try Files.read(path("original"))
            var layout = try GoComparison.Layout(
                of: path("original"), content: content, options, isControlled: true, folder: folder, name: "\(number)")
            try unchecked.build(package, to: path("compiled"), flags: flags, isInterrupted: isInterrupted)
            layout.add(path("compiled"), as: .compiled)
            if let probing, layout.refusalOfProbes == nil {
                let linked = path("linked")
                try probing.build(package, to: linked, flags: flags, isInterrupted: isInterrupted)
                try layout.add(
                    try GoExecutable(try Files.read(linked)), StripOptions(growth: .fault), to: path("with-probes"),
                    as: .compiledProbes)
            }
            for (variant, stacks) in hasParts ? Self.parts : [] {
                let part = ToolchainOptions(checks: .kept, stacks: stacks, initial: options.initial)
                try installation.build(
                    package, part, to: path("\(stacks)"), flags: flags, in: folder, isInterrupted: isInterrupted)
                layout.add(path("\(stacks)"), as: variant)
            }
            layouts.append(layout)
        }
        return layouts
    }
}
