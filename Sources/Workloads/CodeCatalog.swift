// Which source files make up each workload's code, and where the copy inside the program begins.

internal import Kernels
import Processes

/// A source file inside the program (Sources/Kernels/embedded.c).
struct EmbeddedFile: Sendable {
    let name: String
    let bytes: [UInt8]

    static let all: [EmbeddedFile] = (0..<fl_embedded_count()).map { index in
        let file = fl_embedded_at(index)
        return EmbeddedFile(
            name: String(cString: file.name), bytes: Array(UnsafeBufferPointer(start: file.bytes, count: file.length)))
    }

    static func named(_ names: [String]) -> [EmbeddedFile] {
        names.map { name in
            guard let file = all.first(where: { $0.name == name }) else {
                preconditionFailure("\(name) is not in Sources/Kernels/embedded.c")
            }
            return file
        }
    }

    /// The C kernels without their headers.
    static var kernels: [EmbeddedFile] { all.filter { $0.name.hasSuffix(".c") } }
    static var headers: [EmbeddedFile] { all.filter { $0.name.hasSuffix(".h") } }
    /// The code of the workloads, headers included.
    static var sources: [EmbeddedFile] { all.filter { !$0.name.hasSuffix(".md") } }
    /// This package's documents.
    static var documents: [EmbeddedFile] { all.filter { $0.name.hasSuffix(".md") } }
}

/// How much the compiler inlines into C code that is built at run time.
public enum CodeInlining: String, CaseIterable, Sendable {
    /// As -O2 does.
    case standard
    /// Not at all, except what the source forces.
    case off
    /// With a threshold four times that of -O2, which is 225 in LLVM's cost units.
    case aggressive

    var arguments: [String] {
        switch self {
        case .standard: []
        case .off: ["-fno-inline"]
        case .aggressive: ["-mllvm", "-inline-threshold=900"]
        }
    }
}

/// A workload that is not among those of the program: it brings its own code.
protocol CodeSourceProvider {
    func codeSource() throws(WorkloadError) -> CodeSource
}

/// The code of one workload in one language.
struct CodeSource: Sendable {
    /// The workload's name, with the language if that is not the workload's first: part of file and module names.
    let name: String
    let language: CodeLanguage
    let symbol: String
    /// Written to the folder in which the code is built.
    let files: [EmbeddedFile]
    /// What is compiled: names of `files`, or absolute paths of files that are elsewhere.
    let units: [String]
    /// Further arguments of the compiler.
    let flags: [String]
    /// Changes with the contents of anything that is compiled or included.
    let identity: String
    /// Nil when the code is not part of the program.
    let builtin: LoadedCode.Entry?

    init(
        name: String, language: CodeLanguage, symbol: String, files: [EmbeddedFile], flags: [String] = [],
        builtin: LoadedCode.Entry?
    ) {
        var hash = ContentHash()
        for file in files {
            hash.add(file.name)
            hash.add(file.bytes)
        }
        self.init(
            name: name, language: language, symbol: symbol, files: files,
            units: files.map(\.name).filter { !$0.hasSuffix(".h") }, flags: flags, identity: hash.digits,
            builtin: builtin)
    }

    init(
        name: String, language: CodeLanguage, symbol: String, files: [EmbeddedFile], units: [String], flags: [String],
        identity: String, builtin: LoadedCode.Entry? = nil
    ) {
        self.name = name
        self.language = language
        self.symbol = symbol
        self.files = files
        self.units = units
        self.flags = flags
        self.identity = identity
        self.builtin = builtin
    }

    /// The code of `workload` in `language`, nil if there is none.
    static func find(_ workload: any Workload, _ language: CodeLanguage) throws(WorkloadError) -> CodeSource? {
        if let provider = workload as? any CodeSourceProvider {
            return workload.languages.contains(language) ? try provider.codeSource() : nil
        }
        return find(workload.name, language)
    }

    private static func find(_ workload: String, _ language: CodeLanguage) -> CodeSource? {
        switch language {
        case .c:
            guard let builtin = kernel(workload) else { return nil }
            return CodeSource(
                name: workload, language: .c, symbol: "fl_\(workload)_run",
                files: EmbeddedFile.headers + EmbeddedFile.named(["\(workload).c"]), builtin: builtin)
        case .swift:
            guard let code = swiftCode(workload) else { return nil }
            return CodeSource(
                name: "\(workload)_swift", language: .swift, symbol: code.symbol,
                files: EmbeddedFile.named(["Outcome.swift"] + code.files), builtin: code.builtin)
        }
    }

    private static func kernel(_ workload: String) -> LoadedCode.Entry? {
        switch workload {
        case "ackermann": fl_ackermann_run
        case "closures": fl_closures_run
        case "fib": fl_fib_run
        case "nqueens": fl_nqueens_run
        case "sort": fl_sort_run
        case "tak": fl_tak_run
        case "trees": fl_trees_run
        default: nil
        }
    }

    /// Swift code takes the outcome as a raw pointer: it cannot import the C header and be one module with no other.
    private typealias SwiftEntry =
        @convention(c) (UnsafePointer<UInt8>?, Int, UInt64, UnsafeMutableRawPointer) -> UInt64

    private static func swiftCode(
        _ workload: String
    ) -> (symbol: String, files: [String], builtin: LoadedCode.Entry)? {
        let (symbol, files, entry): (String, [String], SwiftEntry)
        switch workload {
        case "json":
            (symbol, files, entry) = (
                "fl_json_run", ["JSONCode.swift", "JSONParser.swift", "JSONValue.swift"], runJSONCode
            )
        case "lisp":
            let parts = ["Analyzer", "Arguments", "Builtins", "Code", "Forms", "Interpreter", "Reader", "Value"]
            (symbol, files, entry) = ("fl_lisp_run", parts.map { "Scheme\($0).swift" }, runSchemeCode)
        case "regex":
            (symbol, files, entry) = (
                "fl_regex_run", ["RegexCode.swift", "RegexMatcher.swift", "RegexSyntax.swift"], runRegexCode
            )
        case "ackermann": (symbol, files, entry) = ("fl_ackermann_swift_run", ["Recursions.swift"], runAckermannCode)
        case "fib": (symbol, files, entry) = ("fl_fib_swift_run", ["Recursions.swift"], runFibonacciCode)
        case "closures": (symbol, files, entry) = ("fl_closures_swift_run", ["Closures.swift"], runClosuresCode)
        case "trees": (symbol, files, entry) = ("fl_trees_swift_run", ["Trees.swift"], runTreesCode)
        default: return nil
        }
        return (symbol, files, unsafeBitCast(entry, to: LoadedCode.Entry.self))
    }
}
