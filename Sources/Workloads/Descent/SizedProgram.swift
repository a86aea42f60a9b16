// A workload in C as an executable that says how large its frames are: clang's -fstack-size-section. It is loaded at
// the addresses of its file, and its own functions are found by the addresses in its symbol table.

internal import Kernels
import Processes

/// Functions that are as deep as they are meant to be: `depths.c`. No workload of the program, because it computes
/// nothing.
private struct DepthsWorkload: Workload, CodeSourceProvider {
    let name = "depths"
    let summary = "calls functions of known depths"
    let inputHelp = "none"
    let languages: [CodeLanguage] = [.c]

    func prepare(inputs: [String]) throws(WorkloadError) -> PreparedWorkload {
        throw WorkloadError("depths is no workload", remedy: "make a SizedProgram")
    }

    func codeSource() throws(WorkloadError) -> CodeSource {
        CodeSource(
            name: name, language: .c, symbol: "fl_depths_run",
            files: EmbeddedFile.headers + [EmbeddedFile(name: "depths.c", bytes: PackageResources.depths_c)],
            builtin: nil)
    }
}

/// A workload's code with the sizes of its frames.
public struct SizedProgram: Sendable {
    /// The executable; its arguments are the workload's parameter and a file with its input.
    public let path: String
    /// The function that does the work.
    public let symbol: String

    /// Builds `depths.c`: functions that are called in every way that compilers have.
    ///
    /// - Throws: `WorkloadError` where the toolchain is missing or fails.
    public static func depths() throws(WorkloadError) -> SizedProgram { try SizedProgram(DepthsWorkload()) }

    /// Builds it, or takes it from the cache.
    ///
    /// - Parameters:
    ///   - workload: One in C.
    ///   - inlining: How much the compiler inlines.
    /// - Throws: `WorkloadError` where it is not in C, or the toolchain is missing or fails.
    public init(
        _ workload: any Workload, inlining: CodeInlining = .standard, environment: CodeEnvironment = CodeEnvironment()
    ) throws(WorkloadError) {
        guard let source = try CodeSource.find(workload, .c) else {
            throw WorkloadError("\(workload.name) is not written in C", remedy: "choose one that is")
        }
        symbol = source.symbol
        path = try WorkloadError.reporting { () throws(ProcessError) in
            let toolchain = try Toolchain.find(searchPath: environment.searchPath, needsSwift: false)
            let cache = try ContentCache(preferring: environment.cacheFolder)
            let flags =
                ["-std=gnu17", "-O2", "-fno-pie", "-fstack-size-section"] + source.flags + inlining.arguments
            var key = ContentHash()
            for part in [toolchain.identity, source.name, source.identity] + flags { key.add(part) }
            key.add(PackageResources.sized_main_c)
            let entry = "\(source.name)-sized-\(key.digits)"
            if let path = cache.path(entry) { return path }
            return try cache.withWorkFolder { folder throws(ProcessError) in
                for file in source.files { try Files.write(file.bytes, to: "\(folder)/\(file.name)") }
                try Files.write(PackageResources.sized_main_c, to: "\(folder)/sized_main.c")
                var objects: [String] = []
                let units = source.units.map { $0.hasPrefix("/") ? $0 : "\(folder)/\($0)" }
                for (index, unit) in (units + ["\(folder)/sized_main.c"]).enumerated() {
                    let object = "\(folder)/unit-\(index).o"
                    try Subprocess.run(
                        toolchain.clang,
                        flags + ["-DFL_WORKLOAD=\(source.symbol)", "-I\(folder)", "-c", unit, "-o", object], in: folder)
                    objects.append(object)
                }
                try Subprocess.run(
                    toolchain.clang,
                    ["-no-pie", "--ld-path=\(toolchain.linker)", "-o", "\(folder)/program"] + objects + ["-lm"],
                    in: folder)
                return try cache.store(
                    try Files.read("\(folder)/program"), as: entry, from: folder, isExecutable: true)
            }
        }
    }
}
