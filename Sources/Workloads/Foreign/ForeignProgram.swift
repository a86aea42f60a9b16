// A C program that others wrote, as a workload: its sources lie where scripts/fetch-programs put them, a driver of ours
// gives it the interface of all workloads, and it exists as a plain, a checked and a padded variant only.
//
// Invariant: what is compiled is part of the code's identity, so that other sources make other code.

import Processes
import Synchronization

/// A C program that others wrote. Its sources are fetched by scripts/fetch-programs and are no part of this package.
public struct ForeignProgram: Workload, CodeSourceProvider {
    public let name: String
    public let summary: String
    public let inputHelp: String
    public let languages: [CodeLanguage] = [.c]
    /// The source distribution that contains it, as in scripts/programs.txt.
    public let package: String
    /// The version of that distribution.
    public let version: String
    /// Where its C files are: folders inside the distribution, each with the names of files that are left out.
    let sources: [(folder: String, without: Set<String>)]
    /// Further folders with headers.
    let includes: [String]
    /// Definitions that its own build makes.
    let flags: [String]
    /// Our C file, which defines `fl_NAME_run`.
    let driver: EmbeddedFile
    /// The sizes that `prepare` takes, and the one that it takes by itself.
    let sizes: ClosedRange<UInt64>
    let defaultSize: UInt64
    /// Makes the input of that size and what is known of the result.
    let makeInput: @Sendable (ForeignProgram, UInt64) throws(WorkloadError) -> ForeignInput
    let environment: CodeEnvironment

    /// The folder of its distribution.
    var folder: String { "\(environment.programsFolder)/\(package)-\(version)" }

    /// Whether scripts/fetch-programs has been here.
    public var isFetched: Bool { Files.isFolder(folder) }

    public func prepare(inputs: [String]) throws(WorkloadError) -> PreparedWorkload {
        let size = try size(inputs, of: name, default: defaultSize, in: sizes)
        let input = try makeInput(self, size)
        let expected: WorkloadCase
        if let checksum = input.checksum {
            expected = WorkloadCase(input: input.bytes, parameter: size, checksum: checksum, counts: input.counts)
        } else {
            // The result in full is not known otherwise: plain code that passes the independent check is what the
            // others are compared with.
            let code = try CodeLoader(environment: environment).load(self, variant: .plain)
            expected = try WorkloadCase(
                input: input.bytes, parameter: size, checksum: 0, counts: input.counts
            ).completed(by: code)
        }
        return PreparedWorkload(
            name: name, summary: input.summary, operations: input.operations, cases: [expected])
    }

    func codeSource() throws(WorkloadError) -> CodeSource {
        guard isFetched else {
            throw WorkloadError(
                "\(name) is left out: its sources are not in \(folder)",
                remedy: "fetch them with scripts/fetch-programs")
        }
        var units: [String] = []
        for source in sources {
            let names = try WorkloadError.reporting { () throws(ProcessError) in
                try Files.names(in: "\(folder)/\(source.folder)", suffix: ".c")
            }
            units += names.filter { !source.without.contains($0) }.map { "\(folder)/\(source.folder)/\($0)" }
        }
        let headers = sources.map(\.folder) + includes
        let files = EmbeddedFile.headers + [driver]
        return CodeSource(
            name: name, language: .c, symbol: "fl_\(name)_run", files: files, units: [driver.name] + units,
            flags: ["-w"] + flags + headers.map { "-I\(folder)/\($0)" },
            identity: try WorkloadError.reporting { () throws(ProcessError) in
                try SourceIdentities.of(self, units: units, headers: headers, files: files)
            })
    }
}

/// What a foreign program works on, and what is known of its result without it.
struct ForeignInput: Sendable {
    var bytes: InputBytes
    /// Nil when only the program can tell.
    var checksum: UInt64?
    /// Expected counts, from the first.
    var counts: [UInt64] = []
    var summary: String
    var operations: UInt64
}

/// The identities of sources, computed once in a process: they are megabytes, and every layout asks.
private enum SourceIdentities {
    private static let known = Mutex<[String: String]>([:])

    static func of(
        _ program: ForeignProgram, units: [String], headers: [String], files: [EmbeddedFile]
    ) throws(ProcessError) -> String {
        if let digits = known.withLock({ $0[program.folder] }) { return digits }
        var hash = ContentHash()
        for file in files {
            hash.add(file.name)
            hash.add(file.bytes)
        }
        var paths = units
        for folder in headers {
            for suffix in [".h", ".inc"] {
                paths += try Files.names(in: "\(program.folder)/\(folder)", suffix: suffix)
                    .map { "\(program.folder)/\(folder)/\($0)" }
            }
        }
        for path in paths {
            hash.add(path)
            try Files.read(path).withUnsafeBufferPointer { hash.add($0) }
        }
        let digits = hash.digits
        known.withLock { $0[program.folder] = digits }
        return digits
    }
}
