// Moves of stacks of this library and growths of goroutines' stacks, by size and by how full of pointers they are, in
// turns within one process.

import Experiments
import Faultline
import Measurement
import Report

struct MoveSampler: Sampler {
    let name = "moves"

    static let sizes = [4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20]

    /// How full of pointers a stack is.
    enum Filling: String, CaseIterable {
        case few
        case many

        /// Words for each pointer, on this library's stacks.
        var interval: Int { self == .few ? 512 : 1 }
    }

    static var grid: [(Int, Filling)] { sizes.flatMap { size in Filling.allCases.map { (size, $0) } } }

    /// The case of a mover or a version of Go.
    static func caseName(_ subject: String, _ size: Int, _ filling: Filling) -> String {
        "\(subject) \(ByteSize(bytes: size)) \(filling.rawValue)"
    }

    /// What the texts call the versions of Go, the newest last, separated by spaces.
    static let versions = "versions"

    /// What is counted in a growth of a goroutine's stack: a fact of its case.
    enum Count: String, CaseIterable {
        case used
        case frames
        case faults

        func of(_ name: String) -> String { "\(rawValue) \(name)" }
    }

    func prepare(_ options: ExperimentOptions, _ laboratory: Laboratory) throws -> SampledCases {
        var cases: [MeasurementCase] = []
        for mover in PageMover.allCases {
            guard try StackMove.works(mover) else {
                laboratory.note("moves by \(mover.rawValue) are left out: this kernel does not offer them")
                continue
            }
            for (size, filling) in Self.grid {
                cases.append(Self.move(Self.caseName(mover.rawValue, size, filling), size, mover, filling))
            }
        }
        var drivers: [GoGrowth] = []
        for toolchain in laboratory.go {
            guard let driver = try GoGrowth.start(toolchain, laboratory) else { continue }
            drivers.append(driver)
            for (size, filling) in Self.grid {
                cases.append(
                    driver.growth(
                        Self.caseName(driver.version, size, filling), from: size, hasPointers: filling == .many))
            }
        }
        // The largest stack of the newest Go, full of pointers.
        if let last = cases.last { cases.append(last.nullControl()) }
        return SampledCases(
            cases, laboratory.repetitions(1, rounds: 61),
            texts: [Self.versions: drivers.map(\.version).joined(separator: " ")]
        ) {
            var facts: [String: Double] = [:]
            for driver in drivers {
                for (name, extent) in driver.extents {
                    facts[Count.used.of(name)] = Double(extent.used)
                    facts[Count.frames.of(name)] = Double(extent.frames)
                }
                for (name, faults) in driver.pageFaults { facts[Count.faults.of(name)] = try Statistics.median(faults) }
            }
            return facts
        }
    }

    private static func move(_ name: String, _ size: Int, _ mover: PageMover, _ filling: Filling) -> MeasurementCase {
        MeasurementCase(selfTimed: name) { count in
            // A small one alone would find every cache full of the large ones before it, which goroutines, moved so
            // often at once, do not.
            let atOnce = size > GoGrowth.largestAtOnce ? 1 : UInt64(GoGrowth.atOnce)
            var took: UInt64 = 0
            for _ in 0..<count * Int(atOnce) {
                let (time, statistics) = try StackMove.make(size, by: mover, interval: filling.interval)
                guard statistics.growths == 1, statistics.moves[mover] == 1,
                    statistics.wordsRelocated >= size / 8 / filling.interval
                else {
                    throw MeasurementFailure(
                        "\(name): \(statistics.growths) growths, \(statistics.moves[mover] ?? 0) moves by "
                            + "'\(mover.rawValue)', \(statistics.wordsRelocated) words relocated")
                }
                took += time
            }
            return took / atOnce
        }
    }
}
