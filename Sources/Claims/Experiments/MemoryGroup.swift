// A control group whose processes may take a limited amount of memory, of the first version of the interface or the
// second.

import Glibc
import Measurement
import Workloads

/// A group that goes with its last reference.
final class MemoryGroup {
    /// Where processes enter it: the file `cgroup.procs` there.
    let folder: String

    /// - Throws: ``MeasurementFailure`` where none can be made, with the reason.
    init(limit: Int) throws {
        let name = "faultline-\(getpid())"
        let places = [
            ("/sys/fs/cgroup/memory", ["memory.limit_in_bytes"]),
            ("/sys/fs/cgroup", ["memory.max", "memory.swap.max"]),
        ]
        var refusal = "there is no memory controller in /sys/fs/cgroup"
        for (root, limits) in places {
            let folder = "\(root)/\(name)"
            guard mkdir(folder, 0o700) == 0 else {
                if errno != ENOENT { refusal = "\(folder): \(ErrorNumber.text(errno))" }
                continue
            }
            guard access("\(folder)/\(limits[0])", W_OK) == 0 else {
                rmdir(folder)
                continue
            }
            do {
                try Files.write("\(limit)\n".utf8, to: "\(folder)/\(limits[0])")
            } catch {
                rmdir(folder)
                refusal = "\(error)"
                continue
            }
            // Without swap there is nothing to forbid.
            if limits.count > 1 { try? Files.write("0\n".utf8, to: "\(folder)/\(limits[1])") }
            self.folder = folder
            return
        }
        throw MeasurementFailure("no control group can be made: \(refusal)")
    }

    deinit {
        // The kernel may need a moment after the last process has ended.
        for _ in 0..<50 where rmdir(folder) != 0 && errno == EBUSY { usleep(10_000) }
    }
}
