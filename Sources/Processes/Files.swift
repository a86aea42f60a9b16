// Files and folders by the plain POSIX calls, with errors that name the path.

import Glibc

package enum Files {
    /// The text of `errno` after a failed call.
    package static func reason(_ code: Int32 = errno) -> String {
        String(cString: strerror(code))
    }

    package static func read(_ path: String) throws(ProcessError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ProcessError("cannot read \(path): \(reason())") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw ProcessError("cannot read \(path): \(reason())") }
        guard status.st_mode & S_IFMT != S_IFDIR else {
            throw ProcessError("cannot read \(path): it is a folder", remedy: "name a file")
        }
        // One byte more than the size tells a complete file from one that grows or has no size, such as a pipe.
        var bytes: [UInt8] = []
        var capacity = max(Int(status.st_size) + 1, 65536)
        var failed: Int32 = 0
        while failed == 0 {
            let before = bytes.count
            let chunk = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
                var got = Glibc.read(descriptor, buffer.baseAddress, capacity)
                while got < 0, errno == EINTR { got = Glibc.read(descriptor, buffer.baseAddress, capacity) }
                if got < 0 { failed = errno }
                count = max(0, got)
            }
            if bytes.isEmpty { bytes = chunk } else { bytes += chunk }
            if bytes.count == before { break }
            capacity = 65536
        }
        guard failed == 0 else { throw ProcessError("cannot read \(path): \(reason(failed))") }
        return bytes
    }

    package static func write(_ bytes: some Collection<UInt8>, to path: String) throws(ProcessError) {
        let bytes = Array(bytes)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw ProcessError("cannot write \(path): \(reason())") }
        var written = 0
        var failed: Int32 = 0
        bytes.withUnsafeBytes { buffer in
            while written < buffer.count, failed == 0 {
                let count = Glibc.write(descriptor, buffer.baseAddress! + written, buffer.count - written)
                if count >= 0 {
                    written += count
                } else if errno != EINTR {
                    failed = errno
                }
            }
        }
        if close(descriptor) != 0, failed == 0 { failed = errno }
        guard failed == 0 else { throw ProcessError("cannot write \(path): \(reason(failed))") }
    }

    /// Creates `path` and the folders above it, for this user only.
    package static func makeFolder(_ path: String) -> Bool {
        if mkdir(path, 0o700) == 0 { return true }
        if errno == EEXIST { return isFolder(path) }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return false }
        return makeFolder(String(path[..<slash])) && (mkdir(path, 0o700) == 0 || errno == EEXIST)
    }

    package static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The names in a folder that end with `suffix`, sorted.
    package static func names(in folder: String, suffix: String) throws(ProcessError) -> [String] {
        guard let stream = opendir(folder) else { throw ProcessError("cannot read \(folder): \(reason())") }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = name(of: entry)
            if name.hasSuffix(suffix) { names.append(name) }
        }
        return names.sorted()
    }

    private static func name(of entry: UnsafeMutablePointer<dirent>) -> String {
        withUnsafePointer(to: &entry.pointee.d_name) { tuple in
            tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
    }

    package static func makeExecutable(_ path: String) throws(ProcessError) {
        guard chmod(path, 0o700) == 0 else { throw ProcessError("cannot make \(path) executable: \(reason())") }
    }

    package static func isExecutable(_ path: String) -> Bool {
        !isFolder(path) && access(path, X_OK) == 0
    }

    /// The path without symbolic links, nil if it does not exist.
    package static func resolved(_ path: String) -> String? {
        guard let buffer = realpath(path, nil) else { return nil }
        defer { free(buffer) }
        return String(cString: buffer)
    }

    /// What a symbolic link says, nil if it is none.
    package static func target(_ path: String) -> String? {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let length = bytes.withUnsafeMutableBytes { buffer in
            buffer.withMemoryRebound(to: CChar.self) { readlink(path, $0.baseAddress!, $0.count) }
        }
        return length < 0 ? nil : String(decoding: bytes.prefix(length), as: UTF8.self)
    }

    package static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Where temporary files go: the folder that TMPDIR names, else /tmp.
    package static var temporaryParent: String { getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp" }

    /// A new folder with an unpredictable name, for this user only.
    package static func makeTemporaryFolder(in parent: String) throws(ProcessError) -> String {
        var template = Array("\(parent)/faultline-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw ProcessError("cannot create a folder in \(parent): \(reason())")
        }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Removes a folder with all it contains; what cannot be removed stays.
    package static func removeFolder(_ path: String) {
        guard let stream = opendir(path) else { return }
        while let entry = readdir(stream) {
            let name = name(of: entry)
            guard name != ".", name != ".." else { continue }
            let child = "\(path)/\(name)"
            var status = stat()
            if lstat(child, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
                removeFolder(child)
            } else {
                unlink(child)
            }
        }
        closedir(stream)
        rmdir(path)
    }
}
