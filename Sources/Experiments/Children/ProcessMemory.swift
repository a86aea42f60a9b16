// What the kernel says of this process's memory, from /proc. In bytes, but for the number of mappings.

import Glibc
import Measurement

/// A snapshot of this process's memory.
struct ProcessMemory {
    /// Address space (`VmSize`).
    let addressSpace: Int
    /// Pages in memory (`VmRSS`).
    let resident: Int
    /// Page tables (`VmPTE`), which no limit on pages counts.
    let pageTables: Int

    /// - Throws: ``MeasurementFailure`` where the kernel does not tell.
    static func current() throws -> ProcessMemory {
        let fields = SystemFiles().fields("/proc/self/status")
        guard let size = fields["VmSize"], let resident = fields["VmRSS"], let tables = fields["VmPTE"] else {
            throw MeasurementFailure("/proc/self/status has no VmSize, VmRSS or VmPTE: mount /proc")
        }
        return ProcessMemory(addressSpace: size, resident: resident, pageTables: tables)
    }

    /// Mappings of this process: lines of `/proc/self/maps`. Counted without a heap, which may be unable to grow where
    /// there are too many of them.
    static func mappings() throws -> Int {
        let file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw MeasurementFailure("cannot read /proc/self/maps: \(ErrorNumber.text(errno))") }
        defer { close(file) }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 4096) { buffer in
            var lines = 0
            while true {
                let count = read(file, buffer.baseAddress, buffer.count)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { return lines }
                lines += buffer[..<count].count { $0 == UInt8(ascii: "\n") }
            }
        }
    }
}
