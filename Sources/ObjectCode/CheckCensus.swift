/// Instructions, and the bytes that they take.
public struct CodeSize: Hashable, Sendable {
    public var instructions: Int
    public var bytes: Int

    public init(instructions: Int, bytes: Int) {
        self.instructions = instructions
        self.bytes = bytes
    }

    static func += (sum: inout CodeSize, other: CodeSize) {
        sum.instructions += other.instructions
        sum.bytes += other.bytes
    }
}

/// How many functions of some code have a stack check, and what the checks take of it.
public struct CheckCensus: Hashable, Sendable {
    /// All functions.
    public private(set) var functions: Int
    /// The bytes of their code.
    public private(set) var textBytes: Int
    /// Functions that begin with a check.
    public private(set) var checks = 0
    /// What is executed of all checks when they pass.
    public private(set) var hot = CodeSize(instructions: 0, bytes: 0)
    /// What is executed only when a check fails.
    public private(set) var cold = CodeSize(instructions: 0, bytes: 0)

    /// Code whose checks are still to be counted.
    public init(functions: Int = 0, textBytes: Int = 0) {
        self.functions = functions
        self.textBytes = textBytes
    }

    /// Counts the check of one function.
    public mutating func count(hot: CodeSize, cold: CodeSize) {
        checks += 1
        self.hot += hot
        self.cold += cold
    }

    /// Adds the census of other code.
    public static func += (sum: inout CheckCensus, other: CheckCensus) {
        sum.functions += other.functions
        sum.textBytes += other.textBytes
        sum.checks += other.checks
        sum.hot += other.hot
        sum.cold += other.cold
    }
}
