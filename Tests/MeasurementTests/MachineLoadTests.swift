import Foundation
import Measurement
import Testing

struct MachineLoadTests {
    /// A machine whose processes have these ticks of user time: 10 is this one, 11 its child, 12 that one's, 20
    /// another.
    private func reading(busy: Int, stolen: Int, ticks: [Int: Int], at seconds: Double) throws -> LoadReading {
        let root = NSTemporaryDirectory() + "faultline-load-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        func write(_ text: String, _ path: String) throws {
            let folder = (root + path as NSString).deletingLastPathComponent
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try text.write(toFile: root + path, atomically: false, encoding: .utf8)
        }
        try write("cpu  \(busy) 0 0 500 7 0 0 \(stolen) 0 0\ncpu0 1 2 3\n", "/proc/stat")
        for (process, parent) in [(1, 0), (10, 1), (11, 10), (12, 11), (20, 1)] {
            let name = process == 11 ? "a (b) c" : "x"
            try write(
                "\(process) (\(name)) S \(parent) 0 0 0 0 0 0 0 0 0 \(ticks[process] ?? 0) 1 2 3 20 0 1\n",
                "/proc/\(process)/stat")
        }
        return try #require(
            LoadReading(SystemFiles(root: root), process: 10, time: UInt64(seconds * 1e9)))
    }

    @Test func `what this process and its descendants took is not others'`() throws {
        let before = try reading(busy: 1000, stolen: 0, ticks: [:], at: 1)
        let after = try reading(busy: 1300, stolen: 20, ticks: [10: 100, 11: 20, 12: 30, 20: 150], at: 3)
        let load = try #require(MachineLoad(from: before, to: after))
        let second = Double(sysconf(Int32(_SC_CLK_TCK)))
        #expect(abs(load.others - 150 / second / 2) < 1e-9)
        #expect(abs(load.stolen - 20 / second / 2) < 1e-9)
        #expect(load.seconds == 2 && load.isDisturbing)
        #expect(load.text.hasPrefix("others used 0.8 processors meanwhile, other machines 0.1"))
    }

    @Test func `an idle machine disturbs nothing, and a moment says nothing`() throws {
        let before = try reading(busy: 1000, stolen: 0, ticks: [:], at: 1)
        let after = try reading(busy: 1200, stolen: 0, ticks: [11: 180], at: 2)
        #expect(try #require(MachineLoad(from: before, to: after)).isDisturbing == false)
        #expect(MachineLoad(from: before, to: try reading(busy: 1200, stolen: 0, ticks: [:], at: 1.1)) == nil)
        #expect(MachineLoad(from: nil, to: after) == nil)
    }

    @Test func `this machine tells`() throws {
        let before = try #require(LoadReading())
        var sum = 0.0
        let end = MeasurementClock.monotonic.now() + 350_000_000
        while MeasurementClock.monotonic.now() < end { sum += 1 }
        keep(sum)
        let load = try #require(MachineLoad(from: before, to: LoadReading()))
        #expect(load.seconds >= 0.35 && load.others >= 0 && load.others < 4096)
    }
}
