// Reads the kernel's text files below a root, so that a test can lay out a machine of its own. Nothing here fails: what
// cannot be read is absent.

import Glibc

/// The files of `/proc` and `/sys`.
package struct SystemFiles: Sendable {
    /// Put before each path; empty for the real machine.
    package var root: String

    package init(root: String = "") {
        self.root = root
    }

    /// The text of a file without surrounding white space, or `nil`.
    package func text(_ path: String) -> String? {
        let descriptor = open(root + path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { break }
            bytes.append(contentsOf: buffer[..<count])
        }
        return String(decoding: bytes, as: UTF8.self).trimmed
    }

    /// The number in a file, or `nil`.
    package func number(_ path: String) -> Int? {
        text(path).flatMap { Int($0) }
    }

    /// The lines of a file that are not empty; none where it cannot be read.
    package func lines(_ path: String) -> [Substring] {
        text(path)?.split(separator: "\n") ?? []
    }

    /// The fields of lines such as `VmSize:   123 kB`, in bytes.
    package func fields(_ path: String) -> [String: Int] {
        var fields: [String: Int] = [:]
        for line in lines(path) {
            let parts = line.split(whereSeparator: { $0 == ":" || $0 == " " || $0 == "\t" })
            guard parts.count == 3, parts[2] == "kB", let number = Int(parts[1]) else { continue }
            let (bytes, overflow) = number.multipliedReportingOverflow(by: 1024)
            if !overflow { fields[String(parts[0])] = bytes }
        }
        return fields
    }

    /// Memory of the machine that can be had without swapping, in bytes (`MemAvailable`); 0 where the kernel does not
    /// tell.
    package var availableMemory: Int { fields("/proc/meminfo")["MemAvailable"] ?? 0 }

    /// The names in a directory in ascending order, without those that begin with a dot, or `nil`.
    package func names(in path: String) -> [String]? {
        guard let directory = opendir(root + path) else { return nil }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    /// The first line that a command of the shell writes to standard output, or `nil` when it fails or is silent.
    package static func firstLine(of command: String) -> String? {
        guard let stream = popen("\(command) 2>/dev/null", "re") else { return nil }
        var buffer = [CChar](repeating: 0, count: 512)
        let line = fgets(&buffer, Int32(buffer.count), stream).map { String(cString: $0).trimmed }
        // Read to the end, so that the command does not die of a closed pipe and count as failed.
        while fgets(&buffer, Int32(buffer.count), stream) != nil {}
        guard pclose(stream) == 0, let line, !line.isEmpty else { return nil }
        return line
    }
}

extension StringProtocol {
    /// Without white space at both ends.
    var trimmed: String {
        var rest = self[...]
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
