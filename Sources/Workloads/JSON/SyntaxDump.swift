// clang's syntax tree of the C kernels as JSON: some megabytes of real, nested data on any machine with the toolchain.

import Processes

enum SyntaxDump {
    /// One document per kernel, from the cache or produced now. clang writes addresses into it, so two caches differ;
    /// the expected result is computed from what is there.
    static func documents(_ environment: CodeEnvironment) throws(WorkloadError) -> [(label: String, bytes: [UInt8])] {
        let toolchain: Toolchain
        do throws(ProcessError) {
            toolchain = try Toolchain.find(searchPath: environment.searchPath, needsSwift: false)
        } catch {
            throw WorkloadError(
                "json: the default input is made by clang", remedy: "name JSON files instead, or fix this: \(error)")
        }
        return try WorkloadError.reporting { () throws(ProcessError) in
            try documents(by: toolchain, in: ContentCache(preferring: environment.cacheFolder))
        }
    }

    private static func documents(
        by toolchain: Toolchain, in cache: ContentCache
    ) throws(ProcessError) -> [(label: String, bytes: [UInt8])] {
        let arguments = ["-std=gnu17", "-Xclang", "-ast-dump=json", "-fsyntax-only"]
        var documents: [(label: String, bytes: [UInt8])] = []
        for kernel in EmbeddedFile.kernels {
            let label = "syntax tree of \(kernel.name)"
            var key = ContentHash()
            for part in [toolchain.identity] + arguments { key.add(part) }
            for file in EmbeddedFile.headers + [kernel] { key.add(file.bytes) }
            let entry = "\(kernel.name)-\(key.digits).json"
            if let bytes = cache.read(entry) {
                documents.append((label, bytes))
                continue
            }
            let bytes = try cache.withWorkFolder { folder throws(ProcessError) in
                for file in EmbeddedFile.headers + [kernel] {
                    try Files.write(file.bytes, to: "\(folder)/\(file.name)")
                }
                try Subprocess.run(toolchain.clang, arguments + ["\(folder)/\(kernel.name)"], in: folder)
                let bytes = try Files.read("\(folder)/output.txt")
                _ = try cache.store(bytes, as: entry, from: folder)
                return bytes
            }
            documents.append((label, bytes))
        }
        return documents
    }
}
