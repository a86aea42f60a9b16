import Glibc

/// Names of errno values.
enum ErrorNumber {
    /// What the C library calls `number`.
    static func text(_ number: Int32) -> String { String(cString: strerror(number)) }
}
