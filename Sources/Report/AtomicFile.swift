// Files that are there as a whole or not at all: written beside their place under another name, then renamed.

import Glibc

/// Files that are there as a whole or not at all.
public enum AtomicFile {
    /// Why a file could not be written: the number of the error, and what was tried.
    public struct Failure: Error, Hashable {
        /// The file.
        public var path: String
        /// As `errno` has it.
        public var number: Int32
    }

    /// Writes all of `text` to `path`. Readers see the old file or the new one; after a failure the old one stays and
    /// nothing else is left behind.
    ///
    /// - Throws: ``Failure``.
    public static func write(_ text: String, to path: String) throws(Failure) {
        try write(Array(text.utf8), to: path)
    }

    /// The same with bytes, and with permissions that the process's mask may narrow.
    ///
    /// - Throws: ``Failure``.
    public static func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o666) throws(Failure) {
        let temporary = "\(path).\(getpid()).part"
        // What a process of the same number left behind when it was killed.
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw Failure(path: path, number: errno) }
        var number: Int32 = 0
        switch StandardOutput.write(bytes, to: descriptor) {
        case .complete: break
        case .closed: number = EPIPE
        case .failed(let code): number = code
        }
        // A full disk may show only when data reach it. Some file systems cannot sync, which is no failure to write.
        if number == 0, fsync(descriptor) != 0, errno != EINVAL, errno != ENOSYS { number = errno }
        if close(descriptor) != 0, number == 0, errno != EINTR { number = errno }
        if number == 0, rename(temporary, path) != 0 { number = errno }
        guard number != 0 else { return }
        unlink(temporary)
        throw Failure(path: path, number: number)
    }
}
