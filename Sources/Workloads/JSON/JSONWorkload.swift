// The JSON workload: files, generated nesting, or what clang has to say about this package's own sources.

import Processes

/// A recursive-descent JSON parser.
public struct JSONWorkload: Workload {
    public let name = "json"
    public let summary = "a recursive-descent JSON parser (RFC 8259): a call for each level of nesting"
    public let inputHelp = "JSON files, or nested:N for N nested arrays (default: clang's syntax tree of the C kernels)"
    public let languages: [CodeLanguage] = [.swift]
    private let environment: CodeEnvironment

    /// - Parameter environment: where clang and the cache are, for the default input.
    public init(environment: CodeEnvironment = CodeEnvironment()) {
        self.environment = environment
    }

    /// The text of `depth` nested arrays.
    public static func nested(depth: Int) -> [UInt8] {
        Array(repeating: UInt8(ascii: "["), count: depth) + Array(repeating: UInt8(ascii: "]"), count: depth)
    }

    public func prepare(inputs: [String]) throws(WorkloadError) -> PreparedWorkload {
        var documents: [(label: String, bytes: [UInt8])] = []
        for input in inputs {
            documents.append((input, try Self.read(input)))
        }
        if inputs.isEmpty { documents = try SyntaxDump.documents(environment) }
        return try Self.prepare(documents: documents)
    }

    /// Prepares documents that are in memory; `label` is what messages call them.
    public static func prepare(
        documents: [(label: String, bytes: [UInt8])]
    ) throws(WorkloadError) -> PreparedWorkload {
        var cases: [WorkloadCase] = []
        var (values, depth, size): (UInt64, UInt64, Int) = (0, 0, 0)
        for document in documents {
            let input = InputBytes(document.bytes)
            do throws(JSONScanner.Failure) {
                let (checksum, counts) = try JSONScanner.scan(input.bytes)
                values += counts[0]
                depth = max(depth, counts[1])
                size += input.count
                cases.append(WorkloadCase(label: document.label, input: input, checksum: checksum, counts: counts))
            } catch {
                throw WorkloadError("\(document.label) is not JSON at byte \(error.offset): \(error.reason)")
            }
        }
        return PreparedWorkload(
            name: "json", summary: "\(grouped(values)) values, depth \(grouped(depth)), \(grouped(size)) bytes",
            operations: values, cases: cases)
    }

    private static func read(_ input: String) throws(WorkloadError) -> [UInt8] {
        guard input.hasPrefix("nested:") else { return try WorkloadError.input(input) }
        guard let depth = Int(input.dropFirst("nested:".count)), (1...100_000_000).contains(depth) else {
            throw WorkloadError("json: '\(input)' has no depth", remedy: "write nested:N with N from 1 to 100000000")
        }
        return nested(depth: depth)
    }
}
