// A control group whose processes may take a limited amount of memory, of the first version of the interface or the
// second.

import Glibc
import Measurement
import Processes
import Workloads

/// A group that goes with its last reference.
package final class MemoryGroup {
    /// Where processes enter it: the file `cgroup.procs` there.
    package let folder: String

    /// - Parameter limit: Bytes that its processes may take together.
    /// - Throws: ``MeasurementFailure`` where none can be made, with the reason.
    package init(limit: Int) throws {
        let places = [
            ("/sys/fs/cgroup/memory", ["memory.limit_in_bytes"]),
            ("/sys/fs/cgroup", ["memory.max", "memory.swap.max"]),
        ]
        var refusal = "there is no memory controller in /sys/fs/cgroup"
        for (root, limits) in places {
            var name = Array("\(root)/faultline-XXXXXX".utf8CString)
            let made = name.withUnsafeMutableBufferPointer { mkdtemp($0.baseAddress!) != nil }
            let folder = String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
            guard made else {
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
