#if canImport(Glibc)
    import Glibc
#endif

/// A text file of the kernel; what cannot be read is empty.
struct KernelFile {
    let text: String
    var lines: [Substring] { text.split(separator: "\n") }
    var lineCount: Int { text.utf8.count { $0 == UInt8(ascii: "\n") } }
    /// The number in the first line, nil where it has none.
    var number: Int? { Int(text.prefix { !$0.isNewline }) }

    init(_ path: String) {
        var bytes: [UInt8] = []
        let file = open(path, O_RDONLY | O_CLOEXEC)
        defer { if file >= 0 { close(file) } }
        var buffer = [UInt8](repeating: 0, count: 65536)
        while file >= 0 {
            let count = read(file, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        text = String(decoding: bytes, as: UTF8.self)
    }

    /// The fields of lines such as `VmSize:   123 kB`, in bytes.
    var fields: [String: Int] {
        var fields: [String: Int] = [:]
        for line in lines {
            let parts = line.split(whereSeparator: { $0 == ":" || $0 == " " || $0 == "\t" })
            if parts.count == 3, parts[2] == "kB", let number = Int(parts[1]) {
                fields[String(parts[0])] = number << 10
            }
        }
        return fields
    }
}
