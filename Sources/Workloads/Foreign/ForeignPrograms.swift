// The list of foreign programs: which files of which distribution, with which definitions, on which input. Versions and
// hashes are those of scripts/programs.txt; definitions are those of each distribution's own build.

import Processes

/// The C programs that others wrote.
public enum ForeignPrograms {
    /// In the order in which they are measured. Whether one can be built here is for `isFetched` to say.
    public static func all(_ environment: CodeEnvironment = CodeEnvironment()) -> [ForeignProgram] {
        [quickjs(environment), lua(environment), zstd(environment), cmark(environment)]
    }

    private static func quickjs(_ environment: CodeEnvironment) -> ForeignProgram {
        ForeignProgram(
            name: "quickjs", summary: "QuickJS, a JavaScript interpreter, running a simulation and a parser",
            inputHelp: "how many parcels the simulation moves, from 1 to 100000 (default 300)", package: "quickjs",
            version: "1.19.4", sources: [("upstream-quickjs", [])], includes: [],
            flags: ["-D_GNU_SOURCE", "-DCONFIG_BIGNUM", "-DCONFIG_VERSION=\"2021-03-27\""],
            driver: EmbeddedFile(name: "quickjs_driver.c", bytes: PackageResources.quickjs_driver_c),
            sizes: 1...100_000, defaultSize: 300,
            makeInput: { _, size in mill(PackageResources.mill_js, size) }, environment: environment)
    }

    private static func lua(_ environment: CodeEnvironment) -> ForeignProgram {
        ForeignProgram(
            name: "lua", summary: "Lua 5.4 running the program that QuickJS runs",
            inputHelp: "how many parcels the simulation moves, from 1 to 100000 (default 400)", package: "lupa",
            version: "2.6",
            // Two programs with a `main`, all of Lua in one file once more, and the debug build's allocator.
            sources: [("third-party/lua54", ["lua.c", "luac.c", "onelua.c", "ltests.c"])], includes: [],
            // Lua's own default seed is the time and an address, which gives its tables another order in each run.
            flags: ["-DLUA_USE_POSIX", "-Dluai_makeseed(L)=42"],
            driver: EmbeddedFile(name: "lua_driver.c", bytes: PackageResources.lua_driver_c),
            sizes: 1...100_000, defaultSize: 400,
            makeInput: { _, size in mill(PackageResources.mill_lua, size) }, environment: environment)
    }

    private static func zstd(_ environment: CodeEnvironment) -> ForeignProgram {
        ForeignProgram(
            name: "zstd", summary: "Zstandard compressing its own source and decompressing it again",
            inputHelp: "how many bytes of it, from 1 to 1000000 (default 1000000)", package: "zstandard",
            version: "0.25.0", sources: [("zstd", [])], includes: [], flags: [],
            driver: EmbeddedFile(name: "zstd_driver.c", bytes: PackageResources.zstd_driver_c),
            sizes: 1...1_000_000, defaultSize: 1_000_000,
            makeInput: { program, size throws(WorkloadError) in
                let source = try WorkloadError.input("\(program.folder)/zstd/zstd.c").prefix(Int(size))
                guard source.count == Int(size) else {
                    throw WorkloadError("zstd: its source has only \(source.count) bytes")
                }
                return ForeignInput(
                    bytes: InputBytes(source), checksum: nil, counts: [size],
                    summary: "\(grouped(size)) bytes compressed and decompressed", operations: size)
            }, environment: environment)
    }

    private static func cmark(_ environment: CodeEnvironment) -> ForeignProgram {
        let root = "third_party/cmark"
        return ForeignProgram(
            name: "cmark", summary: "cmark-gfm rendering this package's documents as HTML",
            inputHelp: "how many times all of them, from 1 to 10000 (default 20)", package: "cmarkgfm",
            version: "2025.10.22", sources: [("\(root)/src", ["main.c"]), ("\(root)/extensions", [])],
            includes: ["generated/unix"], flags: [],
            driver: EmbeddedFile(name: "cmark_driver.c", bytes: PackageResources.cmark_driver_c),
            sizes: 1...10_000, defaultSize: 20,
            makeInput: { _, size in
                let once = EmbeddedFile.documents.flatMap { $0.bytes + [UInt8(ascii: "\n")] }
                let text = (0..<size).flatMap { _ in once }
                return ForeignInput(
                    bytes: InputBytes(text), checksum: nil, counts: [size * Markdown.headings(in: once)],
                    summary: "\(grouped(text.count)) bytes of Markdown", operations: UInt64(text.count))
            }, environment: environment)
    }

    @Sendable private static func mill(_ program: [UInt8], _ size: UInt64) -> ForeignInput {
        let reference = MillReference(size: Int(size))
        return ForeignInput(
            bytes: InputBytes(program), checksum: reference.checksum,
            summary: "\(grouped(size)) parcels, \(grouped(reference.steps)) steps", operations: UInt64(reference.steps))
    }
}

/// What can be told of a Markdown text by looking at its lines.
enum Markdown {
    /// Headings that begin with number signs, outside fenced code. Underlined headings are not known here: the
    /// documents of this package have none.
    static func headings(in text: [UInt8]) -> UInt64 {
        var count: UInt64 = 0
        var isFenced = false
        for line in text.split(separator: UInt8(ascii: "\n")) {
            if line.starts(with: "```".utf8) { isFenced.toggle() }
            guard !isFenced, line.first == UInt8(ascii: "#") else { continue }
            let rest = line.drop { $0 == UInt8(ascii: "#") }
            if line.count - rest.count <= 6, rest.first == UInt8(ascii: " ") { count += 1 }
        }
        return count
    }
}
