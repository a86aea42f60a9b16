// What the kernel says of this process's memory, from /proc. In bytes, but for the number of mappings.

import Glibc
import Measurement
import Workloads

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
        let fields = try SystemNumbers.kibibytes(in: "/proc/self/status")
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

/// Numbers in text files of the kernel.
enum SystemNumbers {
    /// The lines of a file.
    static func lines(of path: String) throws -> [Substring] {
        String(decoding: try Files.read(path), as: UTF8.self).split(separator: "\n")
    }

    /// The fields of lines such as `VmRSS:   123 kB`, in bytes.
    static func kibibytes(in path: String) throws -> [String: Int] {
        var fields: [String: Int] = [:]
        for line in try lines(of: path) {
            let parts = line.split(whereSeparator: { $0 == ":" || $0 == " " || $0 == "\t" })
            if parts.count == 3, parts[2] == "kB", let number = Int(parts[1]) {
                fields[String(parts[0])] = number << 10
            }
        }
        return fields
    }

    /// The number that a file holds, or nil.
    static func number(in path: String) -> Int? {
        (try? lines(of: path))?.first.flatMap { Int($0) }
    }

    /// Memory that can be had without swapping, in bytes (`MemAvailable`); 0 where the kernel does not tell.
    static var available: Int { (try? kibibytes(in: "/proc/meminfo"))?["MemAvailable"] ?? 0 }
}
