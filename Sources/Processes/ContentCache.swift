// Files named by what they were made from. Any number of processes may use one cache at the same time.
//
// An entry is written elsewhere and renamed into place, so it is complete or absent. It ends with a line that holds the
// hash of all before it (an ELF file and the texts kept here bear it); an entry whose line does not fit is not used and
// is replaced.

import Glibc

/// A 128-bit FNV-1a hash of byte strings; the lengths are part of it, so that `ab, c` differs from `a, bc`.
package struct ContentHash {
    private var state: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d

    package init() {}

    package mutating func add(_ bytes: some Collection<UInt8>) {
        let prime: UInt128 = 0x0000_0000_0100_0000_0000_0000_0000_013b
        for byte in bytes { state = (state ^ UInt128(byte)) &* prime }
        var length = UInt64(bytes.count)
        for _ in 0..<8 {
            state = (state ^ UInt128(length & 0xff)) &* prime
            length >>= 8
        }
    }

    package mutating func add(_ text: String) {
        add(text.utf8)
    }

    /// 32 hexadecimal digits.
    package var digits: String {
        let text = String(state, radix: 16)
        return String(repeating: "0", count: 32 - text.count) + text
    }
}

package struct ContentCache {
    private static let mark = "\n;faultline "
    /// The mark, 32 digits and a newline.
    private static let trailerLength = mark.utf8.count + 33

    package let folder: String

    /// Opens the cache in `folder`; if nothing can be written there, one that lasts as long as the process.
    package init(preferring folder: String) throws(ProcessError) {
        if Files.makeFolder(folder), access(folder, W_OK | X_OK) == 0 {
            self.folder = folder
        } else {
            self.folder = try TemporaryCache.folder.get()
        }
    }

    /// The contents of an entry, nil if there is none or it is damaged.
    package func read(_ name: String) -> [UInt8]? {
        guard let bytes = try? Files.read("\(folder)/\(name)"), bytes.count >= Self.trailerLength else { return nil }
        let contents = bytes.dropLast(Self.trailerLength)
        guard bytes.suffix(Self.trailerLength).elementsEqual(Self.trailer(of: contents).utf8) else { return nil }
        return Array(contents)
    }

    /// The path of an entry, nil if there is none or it is damaged.
    package func path(_ name: String) -> String? {
        read(name) == nil ? nil : "\(folder)/\(name)"
    }

    /// Writes an entry; its path.
    package func store(
        _ contents: [UInt8], as name: String, from workFolder: String, isExecutable: Bool = false
    ) throws(ProcessError) -> String {
        let (draft, path) = ("\(workFolder)/entry", "\(folder)/\(name)")
        try Files.write(contents + Array(Self.trailer(of: contents[...]).utf8), to: draft)
        guard !isExecutable || chmod(draft, 0o755) == 0, rename(draft, path) == 0 else {
            throw ProcessError(
                "cannot write \(path): \(Files.reason())",
                remedy: "set XDG_CACHE_HOME to a folder you own")
        }
        return path
    }

    /// Runs `body` with a folder of its own in the cache (so that a rename can move files out of it), then removes it.
    package func withWorkFolder<Result>(
        _ body: (String) throws(ProcessError) -> Result
    ) throws(ProcessError) -> Result {
        let workFolder = try Files.makeTemporaryFolder(in: folder)
        defer { Files.removeFolder(workFolder) }
        return try body(workFolder)
    }

    private static func trailer(of contents: ArraySlice<UInt8>) -> String {
        var hash = ContentHash()
        contents.withUnsafeBufferPointer { hash.add($0) }
        return "\(mark)\(hash.digits)\n"
    }
}

/// The cache of a process that has no other; removed at exit.
private enum TemporaryCache {
    static let folder: Result<String, ProcessError> = {
        do throws(ProcessError) {
            let folder = try Files.makeTemporaryFolder(in: Files.temporaryParent)
            atexit {
                if case .success(let folder) = TemporaryCache.folder { Files.removeFolder(folder) }
            }
            return .success(folder)
        } catch {
            return .failure(error)
        }
    }()
}
