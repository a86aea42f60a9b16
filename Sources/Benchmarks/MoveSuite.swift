// One operation is the store that moves a stack: trap, pages, words, registers, and the store itself again.

import Experiments
import Faultline
import Measurement
import Report

public struct MoveSuite: BenchSuite {
    public let name = "move"
    public let summary = "move 16 KiB, 256 KiB and 1 MiB of live stack: UFFDIO_MOVE, mremap, copy"

    private static let sizes = [16 << 10, 256 << 10, 1 << 20]
    /// Case names begin so, by mover.
    private static let prefixes: [PageMover: String] = [
        .uffdioMove: "page-move", .mremap: "mremap", .copy: "copy",
    ]

    public func records(_ laboratory: Laboratory) throws -> [Record] {
        let movers = try PageMover.allCases.filter { mover in
            guard try !StackMove.works(mover) else { return true }
            laboratory.note(
                "move / \(Self.prefixes[mover]!) is left out: this kernel does not offer '\(mover.rawValue)'")
            return false
        }
        var cases: [MeasurementCase] = []
        for size in Self.sizes {
            cases += movers.map { mover in measuredMove(of: size, by: mover) }
            if size == Self.sizes.last { cases.append(measuredMove(of: size, by: .copy).nullControl()) }
        }
        let result = try laboratory.measure(name, cases, laboratory.repetitions(laboratory.isQuick ? 1 : 4))
        var records = try Record.records(of: result, suite: name)
        // One baseline, `copy`, whatever the size.
        for size in Self.sizes {
            for mover in movers where mover != .copy {
                let moved = Self.caseName(mover, size)
                records.append(
                    .ratio(
                        suite: name, case: moved, baseline: "copy",
                        estimate: try result.ratio(of: moved, to: Self.caseName(.copy, size)),
                        parameters: [.clock: .timeStampCounter, .seed: .string(String(laboratory.seed))]))
            }
        }
        for index in records.indices { records[index].parameters[.clock] = .timeStampCounter }
        return records
    }

    private static func caseName(_ mover: PageMover, _ size: Int) -> String {
        "\(prefixes[mover]!)-\(ByteSize(bytes: size))"
    }

    private func measuredMove(of size: Int, by mover: PageMover) -> MeasurementCase {
        let name = Self.caseName(mover, size)
        return MeasurementCase(selfTimed: name) { count in
            var took: UInt64 = 0
            for _ in 0..<count {
                let (time, statistics) = try StackMove.make(size, by: mover)
                guard statistics.moves == Self.one(by: mover), statistics.growths == 1 else {
                    let moves = PageMover.allCases.map { "\(statistics.moves[$0] ?? 0) by '\($0.rawValue)'" }
                    throw MeasurementFailure(
                        "move / \(name): there must be one move by '\(mover.rawValue)', there were "
                            + moves.joined(separator: ", "))
                }
                took += time
            }
            return took
        }
    }

    private static func one(by mover: PageMover) -> [PageMover: Int] {
        var moves = Dictionary(uniqueKeysWithValues: PageMover.allCases.map { ($0, 0) })
        moves[mover] = 1
        return moves
    }
}
