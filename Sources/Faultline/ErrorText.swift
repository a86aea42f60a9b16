#if canImport(Glibc)
    import Glibc
#endif

/// What the C library calls an error number. `strerror` may change a text that another thread reads.
package func errorText(_ number: Int32) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
        guard let text = buffer.baseAddress else { return "" }
        // The form of POSIX, which returns an error for a number that it does not know, and has a text for it.
        _ = strerror_r(number, text, buffer.count)
        return String(cString: text)
    }
}
