import Glibc

/// Names of errno values.
public enum ErrorNumber {
    /// What the C library calls `number`.
    public static func text(_ number: Int32) -> String { String(cString: strerror(number)) }
}
