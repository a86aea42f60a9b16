import ArgumentParser
import Experiments
import Faultline
import Report

/// `faultline plan`: what many coroutines would take here.
struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Work out what many coroutines would take, and what limit is met first.",
        usage: "faultline plan --coroutines <count> [<options>]",
        discussion: """
            Address space, mappings, page tables and memory of that number of suspended
            coroutines, and what bounds it on this machine, the tightest first.
            Nothing is reserved. Exit code 0, whether they fit or not.

            The strategy 'automatic' is 'demand', which needs no signal before an overflow;
            it is 'fault' where vm.overcommit_memory is 2 (demand would be charged for its
            maximum) or the program sets StackMemory.limit (only a growth that asks can be
            refused).

            Examples:
              faultline plan --coroutines 1000000
              faultline plan --coroutines 100000 --guard prot-none
              faultline plan --coroutines 100000 --reservation 64KiB --address-bits 32
            """)

    @Option(help: ArgumentHelp("Coroutines alive at a time, 1 to 1000000000.", valueName: "count"))
    var coroutines: Int

    @Option(help: ArgumentHelp("How the stacks grow.", valueName: "strategy"))
    var strategy = StackStrategy.automatic

    @Option(
        help: ArgumentHelp(
            "Size of the slot of each, a power of two from 64KiB to 1GiB, guard included. (default: 8MiB)",
            valueName: "size"),
        transform: { try ByteSize(parsing: $0) })
    var reservation: ByteSize?

    @Option(
        help: ArgumentHelp("Bytes that each has used of its stack. (default: 4KiB)", valueName: "size"),
        transform: { try ByteSize(parsing: $0) })
    var touched: ByteSize?

    @Option(help: ArgumentHelp("Bits of an address: 32, 47 or 56. Faultline itself runs with 47.", valueName: "bits"))
    var addressBits = 47

    @Option(
        name: .customLong("guard"),
        help: ArgumentHelp(
            "What stands below each stack. Left out: guard-pages where the kernel has them.", valueName: "guard"))
    var guardKind: StackGuard?

    @Option(help: ArgumentHelp("How to print.", valueName: "format"))
    var format = ResultFormat.table

    func validate() throws {
        guard StackPlan.addressBits.contains(addressBits) else {
            throw ValidationError("--address-bits cannot be \(addressBits); use 32, 47 or 56")
        }
    }

    func run() throws {
        let plan: StackPlan
        do {
            plan = try StackPlan(
                coroutines: coroutines,
                configuration: StackConfiguration(
                    strategy: strategy, reservation: reservation?.bytes ?? defaultReservation, guardKind: guardKind),
                touched: touched?.bytes ?? 4096)
        } catch let error as StackError {
            guard case .invalidConfiguration = error else { throw RuntimeFailure(error.description) }
            throw UsageFailure(error.commandLineText)
        }
        let limits = plan.limits(on: .current(), bits: addressBits)
        switch format {
        case .json: StandardOutput.write(try Document(machine: .current(), records: records(plan, limits)).json())
        case .table: StandardOutput.write(table(plan, limits))
        }
    }

    private var defaultReservation: Int? { StackOption.reservation.isUsed(by: strategy) ? 8 << 20 : nil }

    private func table(_ plan: StackPlan, _ limits: [StackPlan.Limit]) -> String {
        func amount(_ value: Int, _ unit: MetricUnit) -> String { QuantityFormatter.string(Double(value), unit) }
        var takes = TextTable([
            .init(amount(plan.coroutines, .count) + " coroutines (\(plan.strategy.rawValue))"), .init("in all", .right),
            .init("each", .right),
        ])
        for (name, value) in plan.quantities {
            let isCount = name == "mappings"
            takes.append([
                name, amount(value, isCount ? .count : .bytes),
                isCount ? "" : amount(value / plan.coroutines, .bytes),
            ])
        }
        var bounds = TextTable([
            .init("limit"), .init("needed", .right), .init("available", .right), .init("coroutines", .right),
            .init("enough"),
        ])
        for limit in limits {
            let unit: MetricUnit = limit.isBytes ? .bytes : .count
            bounds.append([
                limit.name, amount(limit.needed, unit), amount(limit.available, unit),
                limit.coroutines >= StackPlan.maximumCoroutines ? "any" : amount(limit.coroutines, .count),
                limit.isMet ? "yes" : "no: \(limit.remedy)",
            ])
        }
        let unmet = limits.filter { !$0.isMet }
        let verdict =
            if let first = unmet.first {
                "not here: \(first.name) ends it at \(amount(first.coroutines, .count)) coroutines\n"
            } else if let first = limits.first {
                "possible here; the first limit is \(first.name), at \(amount(first.coroutines, .count)) coroutines\n"
            } else {
                ""
            }
        return takes.rendered() + "\n" + bounds.rendered() + "\n" + verdict
    }

    private func records(_ plan: StackPlan, _ limits: [StackPlan.Limit]) -> [Record] {
        let shared: [ParameterName: ParameterValue] = [
            .count: .int(plan.coroutines), .strategy: .string(plan.strategy.rawValue),
            .reservation: .int(plan.reservation),
            ParameterName("touched"): .int(plan.touched),
            .guard: .string(plan.guardKind.rawValue), ParameterName("address-bits"): .int(addressBits),
        ]
        let takes = plan.quantities.map { name, value in
            Record(
                suite: "plan", case: "coroutines",
                metric: Metric(name.replacing(" ", with: "-"), name == "mappings" ? .count : .bytes),
                exactly: Double(value), parameters: shared)
        }
        let bounds = limits.flatMap { limit in
            let unit: MetricUnit = limit.isBytes ? .bytes : .count
            return [
                ("needed", limit.needed, unit), ("available", limit.available, unit),
                ("coroutines", limit.coroutines, .count),
            ].map { metric, value, unit in
                Record(
                    suite: "plan", case: limit.name, metric: Metric(metric, unit), exactly: Double(value),
                    parameters: shared)
            }
        }
        return takes + bounds
    }
}

extension StackPlan {
    /// What the command prints, in this order.
    fileprivate var quantities: [(String, Int)] {
        [
            ("slots", slots), ("address space", addressSpace), ("mappings", mappings), ("touched pages", resident),
            ("bookkeeping", bookkeeping), ("page tables", pageTables), ("memory", memory),
        ]
    }
}
