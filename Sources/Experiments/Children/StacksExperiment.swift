// Makes many stacks and says what they take: address space, mappings, memory, page tables, and where and why it ended.

import CProbes
import Faultline
import Glibc
import Measurement

extension Finding {
    /// The system call that was refused, and its error's number.
    package static let call = Finding("call")
    package static let errno = Finding("errno")
}

struct StacksExperiment: Experiment {
    let name = "stacks"
    /// What a coroutine that waits uses of its stack, in bytes.
    private static let firstPage = 4096

    /// Options: `count`; `guard`; `reservation` in bytes; `strategy`; `suspended` (1: each coroutine has run and
    /// waits); `touched`, in bytes that each of those has used by then, its first page included.
    func run(_ options: ExperimentOptions, _ found: Found) throws {
        let count = try options.number("count")
        let isSuspended = try options.number("suspended", or: 0) != 0
        let touched = try options.number("touched", or: Self.firstPage)
        guard touched == Self.firstPage || (isSuspended && touched > Self.firstPage) else {
            throw MeasurementFailure("touched needs suspended=1, and is at least \(Self.firstPage)")
        }
        let configuration = try options.stackConfiguration()
        var stacks: [Coroutine<Void, Void, Void>] = []
        stacks.reserveCapacity(count)
        let reservedBefore = try ProcessMemory.current().addressSpace
        // What the library needs once, and what dies with the first stack, is there before.
        try Self.suspended(configuration, touched, &stacks)
        let before = try ProcessMemory.current()
        let mappingsBefore = try ProcessMemory.mappings()
        var error: (any Error)?
        do {
            while stacks.count <= count {
                if isSuspended {
                    try Self.suspended(configuration, touched, &stacks)
                } else {
                    stacks.append(try Coroutine(configuration: configuration) { co, _ in try co.suspend(()) })
                }
            }
        } catch let refusal {
            error = refusal
        }
        let after = try ProcessMemory.current()
        // The first one is not counted.
        try found(.made, stacks.count - 1)
        try found(.addressSpace, after.addressSpace - reservedBefore)
        try found(.resident, after.resident - before.resident)
        try found(.pageTables, after.pageTables - before.pageTables)
        if let error { try found(.error, "\(error)") }
        if case .unavailable(let refusal)? = error as? StackError {
            try found(.call, refusal.call)
            try found(.errno, refusal.errno)
        }
        // Reading the list may need memory that is not there: last.
        try found(.mappings, try ProcessMemory.mappings() - mappingsBefore)
        withExtendedLifetime(stacks) {}
        Experiments.finish()
    }

    @inline(never)
    private static func suspended(
        _ configuration: StackConfiguration, _ touched: Int, _ stacks: inout [Coroutine<Void, Void, Void>]
    ) throws {
        // Without a call of its own the frames of one that touches no more fit the first page wherever they begin in
        // it.
        let stack =
            touched == firstPage
            ? try Coroutine<Void, Void, Void>(configuration: configuration) { co, _ in try co.suspend(()) }
            : try Coroutine<Void, Void, Void>(configuration: configuration) { co, _ in
                fl_probe_touch_stack(touched - firstPage)
                try co.suspend(())
            }
        _ = try stack.resume()
        stacks.append(stack)
    }
}

extension ExperimentOptions {
    /// The case of an enumeration that `key` names.
    ///
    /// - Throws: ``MeasurementFailure`` where it names none.
    func choice<Choice: RawRepresentable<String>>(_ key: String, or standard: Choice?) throws -> Choice? {
        guard let text = text(key) else { return standard }
        guard let choice = Choice(rawValue: text) else { throw MeasurementFailure("\(key) cannot be '\(text)'") }
        return choice
    }

    func choice<Choice: RawRepresentable<String>>(_ key: String, or standard: Choice) throws -> Choice {
        let choice: Choice? = try choice(key, or: Optional(standard))
        return choice ?? standard
    }
}
