// What else the machine did during a measurement: processor time of others, and time that the hypervisor gave to other
// machines. proc(5): `/proc/stat` has the ticks of all processors, `/proc/PID/stat` those of a process and of its
// children that were waited for. Own is what this process and its descendants took; the rest is others'.

import Glibc

/// Ticks at one moment.
package struct LoadReading: Sendable, Hashable {
    /// Nanoseconds on the monotonic clock.
    let time: UInt64
    /// Seconds, of all processors.
    let busy: Double
    let stolen: Double
    /// Seconds of this process and its descendants.
    let own: Double

    /// Nil where the kernel does not tell. Takes some milliseconds.
    package init?(
        _ files: SystemFiles = SystemFiles(), process: Int = Int(getpid()),
        time: UInt64 = MeasurementClock.monotonic.now()
    ) {
        guard let line = files.lines("/proc/stat").first, line.hasPrefix("cpu ") else { return nil }
        // user, nice, system, idle, iowait, irq, softirq, steal
        let ticks = line.split(separator: " ").dropFirst().prefix(8).compactMap { Double($0) }
        guard ticks.count == 8 else { return nil }
        let second = Double(sysconf(Int32(_SC_CLK_TCK)))
        self.time = time
        busy = (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]) / second
        stolen = ticks[7] / second
        own = Self.ownTicks(files, process) / second
    }

    private static func ownTicks(_ files: SystemFiles, _ process: Int) -> Double {
        var parents: [Int: Int] = [:]
        var ticks: [Int: Double] = [:]
        for name in files.names(in: "/proc") ?? [] {
            guard let number = Int(name), let line = files.text("/proc/\(name)/stat"),
                // The name of the command may have spaces and parentheses.
                let end = line.lastIndex(of: ")")
            else { continue }
            let fields = line[line.index(after: end)...].split(separator: " ")
            guard fields.count > 14, let parent = Int(fields[1]) else { continue }
            parents[number] = parent
            // utime, stime, cutime, cstime: fields 14 to 17 of the line, of which two lie before the parenthesis.
            ticks[number] = fields[11...14].compactMap { Double($0) }.reduce(0, +)
        }
        func isOwn(_ number: Int) -> Bool {
            var current = number
            // A chain that changes while it is read could be a circle.
            for _ in 0..<64 {
                if current == process { return true }
                guard let parent = parents[current], parent > 0 else { return false }
                current = parent
            }
            return false
        }
        return ticks.filter { isOwn($0.key) }.values.reduce(0, +)
    }
}

/// What else the machine did between two readings.
public struct MachineLoad: Sendable, Hashable, Codable {
    /// Processors that others used, on average.
    public let others: Double
    /// Processors that the hypervisor gave to other machines, on average.
    public let stolen: Double
    /// For how long it was looked at.
    public let seconds: Double
    /// What the processors' clocks ran at in the end, on average, in MHz; nil where that is not readable.
    public let megahertz: Double?

    /// More processors in use by others than this, or gone to other machines, disturb a measurement.
    public static let disturbing = 0.2
    /// Ticks of 10 ms tell nothing in a shorter time.
    private static let shortest = 0.3

    /// A load.
    public init(others: Double, stolen: Double, seconds: Double, megahertz: Double? = nil) {
        (self.others, self.stolen, self.seconds, self.megahertz) = (others, stolen, seconds, megahertz)
    }

    /// What lies between two readings; nil when it is too short to tell.
    package init?(from before: LoadReading?, to after: LoadReading?, _ files: SystemFiles = SystemFiles()) {
        guard let before, let after, after.time > before.time else { return nil }
        let seconds = Double(after.time - before.time) / 1e9
        guard seconds >= Self.shortest else { return nil }
        let others = (after.busy - before.busy) - (after.own - before.own)
        self.init(
            others: max(0, others) / seconds, stolen: max(0, after.stolen - before.stolen) / seconds,
            seconds: seconds, megahertz: Self.megahertz(files))
    }

    /// Whether what was measured meanwhile is to be measured again, or flagged.
    public var isDisturbing: Bool { others + stolen > Self.disturbing }

    /// One line for a reader.
    public var text: String {
        func rounded(_ value: Double) -> Double { (value * 10).rounded() / 10 }
        let clock = megahertz.map { ", at \(Int($0.rounded())) MHz" } ?? ""
        return "others used \(rounded(others)) processors meanwhile"
            + (stolen >= 0.05 ? ", other machines \(rounded(stolen))" : "") + clock
    }

    private static func megahertz(_ files: SystemFiles) -> Double? {
        let clocks = files.lines("/proc/cpuinfo").compactMap { line in
            line.hasPrefix("cpu MHz") ? line.split(separator: ":").last.flatMap { Double($0.trimmed) } : nil
        }
        return clocks.isEmpty ? nil : clocks.reduce(0, +) / Double(clocks.count)
    }
}
