// Files that are there as a whole or not at all: written beside their place under another name, then renamed.

import Glibc

enum AtomicFile {
    /// Why a file could not be written: the text of errno, and what was tried.
    struct Failure: Error, Hashable {
        var path: String
        var number: Int32
    }

    /// Writes all of `text` to `path`. Readers see the old file or the new one; after a failure the old one stays and
    /// nothing else is left behind.
    ///
    /// - Throws: ``Failure``.
    static func write(_ text: String, to path: String) throws(Failure) {
        let temporary = "\(path).\(getpid()).part"
        // What a process of the same number left behind when it was killed.
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw Failure(path: path, number: errno) }
        var number: Int32 = 0
        switch StandardOutput.write(text, to: descriptor) {
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
