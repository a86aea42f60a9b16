// Runs one tool and waits for it.

import Glibc

package enum Subprocess {
    /// Runs `executable`. Its standard output goes to `output.txt` in `folder`.
    /// - Throws: when it cannot be started or fails; the message ends with the first error line that it wrote.
    package static func run(
        _ executable: String, _ arguments: [String], in folder: String
    ) throws(WorkloadError) {
        let name = executable.split(separator: "/").last.map(String.init) ?? executable
        let errors = "\(folder)/errors.txt"
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, "\(folder)/output.txt", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_TRUNC, 0o600)

        // The caller may block signals or ignore them; its tools must not inherit that.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var vector: [UnsafeMutablePointer<CChar>?] = ([executable] + arguments).map { strdup($0) }
        vector.append(nil)
        defer { for string in vector { free(string) } }
        var child: pid_t = 0
        let failure = posix_spawn(&child, executable, &actions, &attributes, vector, environ)
        guard failure == 0 else { throw WorkloadError("cannot start \(executable): \(Files.reason(failure))") }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 {
            guard errno == EINTR else { throw WorkloadError("lost the process of \(name): \(Files.reason())") }
        }
        guard status != 0 else { return }
        let text = (try? Files.read(errors)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let lines = text.split(separator: "\n")
        let line = lines.first { $0.contains("error:") } ?? lines.first ?? "no message"
        let end = status & 0x7f == 0 ? "failed (exit \(status >> 8 & 0xff))" : "was killed by signal \(status & 0x7f)"
        throw WorkloadError("\(name) \(end): \(line)")
    }
}
