// `faultline go life`: what stacks are in the life of a program with many goroutines.

import ArgumentParser
import Experiments
import GoBinary
import Measurement
import Peers
import Report

/// Measures requests, collections and memory with and without checks.
struct GoLifeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "life", abstract: "Measure requests, collections and memory of many goroutines.",
        usage: "faultline go life [<options>]",
        discussion: """
            A program whose goroutines wait for requests is built by Go as it is, patched without checks, compiled without \
            checks, and patched with probes that grow stacks. It reports how late requests are answered while garbage is \
            collected, how long a collection takes and the world stands still, how much of that is the scanning of stacks \
            (a collection with goroutines less one without), and the memory of goroutines that wait, which without checks \
            is 6 GB for a million.

            Examples:
              faultline go life
              faultline go life --waiting 100000 --rounds 3 --go /usr/local/go
            """)

    @Option(
        parsing: .upToNextOption, help: ArgumentHelp("How many goroutines serve.", valueName: "n"))
    var goroutines = [10_000, 100_000]

    @Option(help: ArgumentHelp("How many goroutines only wait.", valueName: "n"))
    var waiting = 1_000_000

    @Option(help: ArgumentHelp("Rounds, each of which runs every variant once.", valueName: "n"))
    var rounds = 7

    @Option(
        name: .customLong("go"),
        help: ArgumentHelp("An installation or its go command; the newest that is found.", valueName: "path"))
    var installation: String?

    @Option(
        help: ArgumentHelp("Bytes of a goroutine's stack: a power of two from 64KiB to 1GiB.", valueName: "size"),
        transform: { try ByteSize(parsing: $0) })
    var initial = ByteSize(bytes: StripOptions.defaultInitial)

    @Option(help: ArgumentHelp("How to print.", valueName: "format"))
    var format = ResultFormat.table

    func validate() throws {
        try GoProgramFile.check(initial: initial)
        for number in goroutines + [waiting] where !(1...10_000_000).contains(number) {
            throw ValidationError("\(number) goroutines are out of range: 1 to 10000000")
        }
        guard (1...1000).contains(rounds) else {
            throw ValidationError("--rounds \(rounds) is out of range: 1 to 1000")
        }
    }

    func run() throws {
        let installation = try GoToolchainCommand.installation(installation)
        let machine = MachineFacts.current()
        let progress = Report.Progress()
        defer { progress.finish() }
        Interruption.listen()
        let isInterrupted = { Interruption.isRequested }
        var notes: [String] = []
        do {
            let life = try GoLife(
                installation, initial: initial.bytes, populations: goroutines, waiting: waiting, rounds: rounds,
                progress: progress.update, isInterrupted: isInterrupted, missing: { notes.append($0) })
            guard let records = try life.records(progress: progress.update, isInterrupted: isInterrupted) else {
                throw InterruptedRun(missing: ["life"])
            }
            progress.finish()
            switch format {
            case .json:
                StandardOutput.write(try Document(machine: machine, records: records, notes: notes).json())
            case .table:
                let remarks = notes.map { "note: \($0)\n" } + machine.warnings.map { "warning: \($0)\n" }
                StandardOutput.write(Self.table(records, life.variants) + remarks.joined())
            }
        } catch let error as InterruptedRun {
            throw error
        } catch {
            if isInterrupted() { throw InterruptedRun(missing: ["life"]) }
            throw RuntimeFailure("\(error)")
        }
    }

    /// A quantity a row, a variant a column; records of one quantity follow each other.
    private static func table(_ records: [Record], _ variants: [GoComparison.Variant]) -> String {
        var table = TextTable([.init("")] + variants.map { .init($0.title, .right) })
        for start in stride(from: 0, to: records.count, by: variants.count) {
            let row = records[start..<start + variants.count]
            let title = row.first!.name.split(separator: ",")[0]
            table.append(
                ["\(title): \(row.first!.metric.replacing("-", with: " "))"]
                    + row.map { QuantityFormatter.string($0.median, $0.unit) })
        }
        return table.rendered() + "\nmedians of rounds\n"
    }
}
