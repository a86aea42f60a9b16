// Where the tools of the pipeline are. They must come from one toolchain: clang reads what swiftc writes.

import Glibc

/// Where the pipeline looks for tools and keeps what it has built.
public struct CodeEnvironment: Sendable {
    /// Folders, separated by colons, where `swiftc` or `clang` is looked for.
    public var searchPath: String
    /// The folder of the cache. One that cannot be written is replaced by a temporary one.
    public var cacheFolder: String
    /// Where scripts/fetch-programs puts what others wrote: beside the cache's entries.
    public var programsFolder: String

    /// - Parameters:
    ///   - searchPath: folders, separated by colons; PATH if nil.
    ///   - cacheFolder: `$XDG_CACHE_HOME/faultline` if nil, or `.cache/faultline` in the home folder.
    ///   - programsFolder: `programs` in that folder of the user if nil, whatever `cacheFolder` is.
    public init(searchPath: String? = nil, cacheFolder: String? = nil, programsFolder: String? = nil) {
        func variable(_ name: String) -> String? {
            guard let value = getenv(name), value.pointee != 0 else { return nil }
            return String(cString: value)
        }
        self.searchPath = searchPath ?? variable("PATH") ?? ""
        // The XDG specification: a relative path is to be ignored.
        let base = variable("XDG_CACHE_HOME").flatMap { $0.hasPrefix("/") ? $0 : nil }
        let own = base.map { "\($0)/faultline" } ?? variable("HOME").map { "\($0)/.cache/faultline" } ?? ""
        self.cacheFolder = cacheFolder ?? own
        self.programsFolder = programsFolder ?? "\(own)/programs"
    }
}

package struct Toolchain {
    package let clang: String
    package let objcopy: String
    package let linker: String
    /// Nil when only clang is installed.
    package let swiftc: String?

    /// The folder of libswiftCore.so.
    package var swiftLibraries: String { "\(Files.folder(of: Files.folder(of: clang)))/lib/swift/linux" }

    /// Changes whenever a tool is replaced: paths, sizes and times of modification.
    package var identity: String { Self.identity(of: [clang, objcopy, linker, swiftc].compactMap { $0 }) }

    /// Changes whenever one of the files is replaced: paths, sizes and times of modification.
    package static func identity(of files: [String]) -> String {
        files.map { file in
            var status = stat()
            guard stat(file, &status) == 0 else { return file }
            return "\(file) \(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
        }.joined(separator: "\n")
    }

    /// Finds the toolchain of the first `swiftc` in `searchPath`, else the tools one by one.
    package static func find(searchPath: String, needsSwift: Bool) throws(ProcessError) -> Toolchain {
        func search(_ name: String) -> String? {
            searchPath.split(separator: ":").lazy.map { "\($0)/\(name)" }.first(where: Files.isExecutable)
        }
        var missing: [String] = []
        var folder: String?
        if let swiftc = search("swiftc") {
            folder = toolFolder(of: swiftc)
        }
        func tool(_ name: String) -> String {
            if let folder, Files.isExecutable("\(folder)/\(name)") { return "\(folder)/\(name)" }
            if folder == nil, let path = search(name) { return Files.resolved(path).map(keepName(name)) ?? path }
            missing.append(name)
            return name
        }
        let (clang, objcopy, linker) = (tool("clang"), tool("llvm-objcopy"), tool("ld.lld"))
        let swiftc = folder.map { "\($0)/swiftc" }
        if needsSwift, swiftc == nil { missing.append("swiftc") }
        guard missing.isEmpty else {
            let names = missing.joined(separator: ", ")
            throw ProcessError(
                "\(names) not found in \(folder ?? "PATH"): code variants are built at run time by the Swift "
                    + "toolchain's clang", remedy: "put the toolchain's bin folder on PATH, or use the builtin variant")
        }
        return Toolchain(clang: clang, objcopy: objcopy, linker: linker, swiftc: swiftc)
    }

    /// The folder of the resolved file with the name it was asked for: ld.lld is a link to lld, which looks at its
    /// name.
    private static func keepName(_ name: String) -> (String) -> String {
        { path in
            let candidate = "\(Files.folder(of: path))/\(name)"
            return Files.isExecutable(candidate) ? candidate : path
        }
    }

    /// The folder of the toolchain that `swiftc` belongs to. A launcher that picks a toolchain (swiftly) is asked.
    private static func toolFolder(of swiftc: String) -> String? {
        if let resolved = Files.resolved(swiftc), Files.isExecutable("\(Files.folder(of: resolved))/clang") {
            return Files.folder(of: resolved)
        }
        guard let folder = try? Files.makeTemporaryFolder(in: Files.temporaryParent) else { return nil }
        defer { Files.removeFolder(folder) }
        guard (try? Subprocess.run(swiftc, ["-print-target-info"], in: folder)) != nil,
            let text = try? Files.read("\(folder)/output.txt")
        else { return nil }
        // "runtimeResourcePath": "…/usr/lib/swift"
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
        guard let line = lines.first(where: { $0.contains("\"runtimeResourcePath\"") }) else { return nil }
        let parts = line.split(separator: "\"")
        guard parts.count >= 4 else { return nil }
        let tools = "\(Files.folder(of: Files.folder(of: String(parts[3]))))/bin"
        return Files.isExecutable("\(tools)/clang") ? tools : nil
    }
}
