// The child's side of `faultline faults`.
//
// A process that dies of a fault cannot say afterwards how the fault was classified. So the child installs handlers of
// its own first; Faultline chains to them with whatever it does not resolve, and they write the verdicts counted so far
// to a descriptor of the parent, restore the default action and return, so that the fault ends the process.

import ArgumentParser
import CFaultKinds
import Experiments
import Faultline
import Glibc
import Measurement
import Report

/// `faultline raise-fault KIND`: hidden; raises one fault in this process.
struct RaiseFaultCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: FaultChild.command, abstract: "Raise one fault in this process.", shouldDisplay: false)

    /// A child that neither dies nor returns is ended after this many seconds.
    private static let deadline: UInt32 = 20

    @Argument(help: "What to raise.") var kind: String

    func run() throws {
        let kind = try FaultKind.named(kind)
        var noCore = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(UInt32(RLIMIT_CORE.rawValue)), &noCore)
        alarm(Self.deadline)
        let failure = fk_install_reporter { _ in RaiseFaultCommand.report() }
        guard failure == 0 else { throw RuntimeFailure("cannot install a handler: \(ErrorNumber.text(failure))") }
        var variation = FaultVariation.none
        try kind.raise(&variation)
        Self.report()
    }

    /// A line for each verdict that was counted. In the handler this allocates, which a process that goes on must not
    /// do; none of the kinds faults inside the allocator.
    private static func report() {
        var text = ""
        for (verdict, count) in FaultStatistics.process.traps where count > 0 { text += "\(verdict) \(count)\n" }
        _ = StandardOutput.write(text, to: FaultChild.reportDescriptor)
    }
}

extension FaultKind {
    /// The kind called `name`.
    /// - Throws: `UsageFailure`, which lists the names.
    static func named(_ name: String) throws -> FaultKind {
        if let kind = all.first(where: { $0.name == name }) { return kind }
        let names = all.map(\.name).joined(separator: ", ")
        throw UsageFailure("unknown kind of fault '\(name)'; choose from: \(names)")
    }
}
