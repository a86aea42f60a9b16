import ArgumentParser
import Experiments
import Faultline
import Glibc
import Measurement
import Report

/// `faultline faults`: each kind of fault, raised in a child process.
struct FaultsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "faults", abstract: "Raise faults in child processes and show what became of them.",
        discussion: """
            Each child shows how Faultline classified its fault and how it ended. The exit
            code is 1 if anything differs from what is expected.

            Kinds:
            \(HelpText.list(FaultKind.all.map { ($0.name, $0.summary) }))
            Examples:
              faultline faults
              faultline faults nil-read overflow --format json
            """)

    @Argument(
        help: ArgumentHelp("What to raise. Left out: every kind.", valueName: "kind"),
        completion: .list(FaultKind.all.map(\.name)))
    var kinds: [String] = []

    @Option(help: ArgumentHelp("How to print.", valueName: "format"))
    var format = ResultFormat.table

    func run() throws {
        let chosen = kinds.isEmpty ? FaultKind.all : try kinds.map(FaultKind.named)
        let progress = Progress()
        defer { progress.finish() }
        var outcomes: [FaultOutcome] = []
        for kind in chosen {
            progress.update("faults: \(kind.name)")
            outcomes.append(FaultOutcome(kind: kind, child: try FaultChild(raising: kind)))
        }
        progress.finish()
        let different = outcomes.filter { !$0.isExpected }.map(\.kind.name)
        switch format {
        case .table:
            StandardOutput.write(FaultOutcome.table(outcomes))
        case .json:
            let notes = different.map { "\($0) differs from what is expected" }
            let document = Document(machine: .current(), records: outcomes.map(\.record), notes: notes)
            StandardOutput.write(try document.json())
        }
        guard different.isEmpty else {
            throw RuntimeFailure(
                "\(different.count) of \(outcomes.count) faults ended otherwise than expected: "
                    + different.joined(separator: ", "))
        }
    }
}

/// A kind of fault and what became of it.
struct FaultOutcome {
    let kind: FaultKind
    let child: FaultChild

    /// Whether verdict, end and message are as they should be.
    var isExpected: Bool {
        child.verdict == kind.verdict && child.ending == kind.ending
            && kind.message.map { child.message.contains($0) } != false
    }

    /// 1 where everything was as expected, else 0.
    var record: Record {
        Record(
            suite: "faults", case: kind.name, metric: Metric("classified", .count), exactly: isExpected ? 1 : 0,
            parameters: [
                .verdict: .string(child.verdict), ParameterName("expected"): .string(kind.verdict),
                ParameterName("signal"): .string(SignalName.of(kind.signal)), .ended: .string(child.ending.description),
                .message: .string(child.message),
            ])
    }

    static func table(_ outcomes: [FaultOutcome]) -> String {
        var table = TextTable([
            .init("fault"), .init("signal"), .init("classified"), .init("child"), .init("as expected"),
            .init("message"),
        ])
        for outcome in outcomes {
            let kind = outcome.kind
            table.append([
                kind.name, SignalName.of(kind.signal), outcome.child.verdict, outcome.child.ending.description,
                outcome.isExpected ? "yes" : "no: \(kind.verdict), \(kind.ending.description)", outcome.child.message,
            ])
        }
        return table.rendered()
    }
}

extension FaultKind.Ending {
    var description: String {
        switch self {
        case .exit(let code): "exit \(code)"
        case .signal(let number): "killed by \(SignalName.of(number))"
        }
    }
}
