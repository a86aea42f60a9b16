// The options that describe a stack.

import ArgumentParser
import Faultline
import Report

extension StackStrategy: ExpressibleByArgument {
    /// Every value that the option takes.
    static let all = [.automatic] + allCases
    public static let allValueStrings = all.map(\.rawValue)
}
extension StackGuard: ExpressibleByArgument {}
extension PageMover: ExpressibleByArgument {}

/// The stack that a workload runs on.
struct StackOptions: ParsableArguments {
    @Option(help: ArgumentHelp("How the stack grows.", valueName: "strategy"))
    var strategy = StackStrategy.automatic

    @Option(
        help: ArgumentHelp("Bytes usable at first, for instance 64KiB.", valueName: "size"),
        transform: { try ByteSize(parsing: $0) })
    var initial: ByteSize?

    @Option(
        help: ArgumentHelp(
            "Bytes usable at most; more is an overflow. Left out: 512MiB for automatic and fault, RLIMIT_STACK "
                + "for grows-down.",
            valueName: "size"), transform: { try ByteSize(parsing: $0) })
    var maximum: ByteSize?

    @Option(
        help: ArgumentHelp(
            "Size of the slot, a power of two from 64KiB to 1GiB, guard included.",
            valueName: "size"),
        transform: { try ByteSize(parsing: $0) })
    var reservation: ByteSize?

    @Option(name: .customLong("guard"), help: ArgumentHelp("What stands below the stack.", valueName: "guard"))
    var guardKind: StackGuard?

    @Option(help: ArgumentHelp("How pages of a moving stack get to their new slot.", valueName: "mover"))
    var mover: PageMover?

    /// What `automatic` and `fault` may use when nothing is said: as much as `withGrowableStack` allows.
    private static let generousMaximum = 512 << 20

    /// What an isolated stack keeps for frames that may not be abandoned (StackConfiguration).
    private static let reserve = 256 << 10

    /// The configuration, complete and valid. Overflow is contained, so that the command can say what to do about it.
    /// - Throws: `UsageFailure`; `RuntimeFailure` where the fault handler cannot be installed.
    func configuration() throws -> StackConfiguration {
        let given: [(StackOption, Bool)] = [
            (.initial, initial != nil), (.maximum, maximum != nil), (.reservation, reservation != nil),
            (.guardKind, guardKind != nil), (.mover, mover != nil),
        ]
        for (option, isGiven) in given where isGiven && !option.isUsed(by: strategy) {
            let users = StackStrategy.all.filter { option.isUsed(by: $0) }.map(\.rawValue)
            throw UsageFailure(
                "strategy '\(strategy.rawValue)' does not use --\(option.rawValue); leave it out, or choose a strategy "
                    + "that does: \(users.joined(separator: ", "))")
        }
        if let reservation, reservation.bytes <= Self.reserve {
            throw UsageFailure(
                "--reservation \(reservation) has no room for the \(ByteSize(bytes: Self.reserve)) that containing an "
                    + "overflow takes; choose 512KiB or more")
        }
        var configuration = StackConfiguration(
            strategy: strategy, initial: initial?.bytes, maximum: maximum?.bytes, reservation: reservation?.bytes,
            guardKind: guardKind, mover: mover, isIsolated: true)
        if [.automatic, .fault].contains(strategy) && maximum == nil && reservation == nil {
            configuration.maximum = Self.generousMaximum
        }
        if strategy == .growsDown && maximum == nil { configuration.maximum = StackLimit.maximum }
        do throws(StackError) {
            return try configuration.effective()
        } catch {
            guard case .invalidConfiguration = error else { throw RuntimeFailure(error.description) }
            throw UsageFailure(error.commandLineText)
        }
    }
}
