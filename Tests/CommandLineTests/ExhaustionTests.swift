// What becomes of a process whose stacks exhaust what it may have: an error for the coroutine that asked, and nothing
// else. Each in a process of its own.

import Experiments
import Foundation
import TestNeeds
import Testing

struct ExhaustionTests {
    /// Bytes that each stack uses, and the limit of all of them.
    private static let (use, limit) = (64 << 10, 32 << 20)
    private static let mayMakeGroups = (try? MemoryGroup(limit: 4 * limit)) != nil
    private static let strategies = ["fixed", "demand", "grows-down", "fault", "fault-move"]

    /// An error names `cause`; the coroutines that waited go on, and once the others have gone there is room again.
    fileprivate static func exhaust(
        _ strategy: String, use: Int = use, _ options: [String], cause: String?,
        _ location: SourceLocation = #_sourceLocation
    ) throws {
        var arguments = ["exhaustion", "strategy=\(strategy)", "use=\(use)"] + options
        // By default these count for as much as they may ever use.
        let isCountedAtOnce = ["fixed", "demand", "grows-down"].contains(strategy)
        if isCountedAtOnce, !options.contains(where: { $0.hasPrefix("maximum=") }) {
            arguments.append("maximum=\(1 << 20)")
        }
        let findings = try Program.findings(arguments)
        #expect(findings["refused"] == "1", sourceLocation: location)
        let error = try #require(findings["error"])
        #expect(cause.map { error.contains($0) } ?? !error.isEmpty, "\(findings)", sourceLocation: location)
        #expect(findings["lost"] == "0" && findings["again"] == "1", "\(findings)", sourceLocation: location)
        let made = try #require(findings["made"].flatMap { Int($0) })
        #expect(made > 10, sourceLocation: location)
    }

    @Test(arguments: strategies) func `without address space an error names the cause`(strategy: String) throws {
        try Self.exhaust(strategy, use: 512 << 10, ["address-space=\(2 << 30)"], cause: "RLIMIT_AS allows")
    }

    @Test(arguments: strategies) func `the limit of all stacks is an error that names it`(strategy: String) throws {
        try Self.exhaust(strategy, ["limit=\(Self.limit)"], cause: "stack-memory")
    }

    @Test(arguments: ["guard-pages", "prot-none"])
    func `growth that meets the limit of all stacks is an error that names it`(kind: String) throws {
        try Need.check(guard: kind)
        try Self.exhaust("fault", ["limit=\(Self.limit)", "initial=4096", "guard=\(kind)"], cause: "stack-memory")
    }

    @Test(
        .needs(Need("control-group", "no group with a limit can be made", isMet: mayMakeGroups)),
        arguments: strategies)
    func `a control group is not exhausted where a limit is kept`(strategy: String) throws {
        let group = try MemoryGroup(limit: 4 * Self.limit)
        try Self.exhaust(strategy, ["group=\(group.folder)", "limit=\(Self.limit)"], cause: "stack-memory")
        // Without that limit the kernel ends the process, and says nothing to it: what the limit is for.
        let unlimited = try Program.run([
            "experiment", "exhaustion", "strategy=\(strategy)", "use=\(Self.use)", "maximum=\(512 << 10)",
            "group=\(group.folder)",
        ])
        #expect(unlimited.status == -SIGKILL)
    }
}

extension ExhaustionTests {
    /// The mode is the whole machine's: other programs could be refused memory meanwhile, so it is tried when asked
    /// for.
    @Suite(.serialized) struct Modes {
        @Test(.alone, .needs(.overcommit), arguments: 0...2)
        func `stacks are charged for as expected in each mode of overcommit`(mode: Int) throws {
            let findings = try Program.findings(["overcommit", "mode=\(mode)"])
            try #require(findings["refused"] == nil, "\(findings["refused"]!)")
            for key in findings.keys where key.hasSuffix("/made") {
                let subject = key.dropLast("/made".count)
                // Pages without access are charged for when they become usable; a writable arena is charged in full in
                // mode 2, where it may be refused: an error, and no crash. Growth is not refused what is charged for.
                let isWritable = subject.hasSuffix("/guard-pages")
                if mode == 2 && isWritable && findings[key] == "0" {
                    #expect(findings["\(subject)/error"]?.contains("arena-open") == true, "\(subject): \(findings)")
                    continue
                }
                #expect(findings[key] == "1" && findings["\(subject)/grown"] == "1", "\(subject): \(findings)")
                if mode == 2 && isWritable {
                    let charged = try #require(findings["\(subject)/charged"].flatMap { Int($0) })
                    #expect(charged >= 1 << 30, "\(subject): \(findings)")
                }
            }
            #expect(findings.keys.count { $0.hasSuffix("/made") } == 22)
        }

        /// A way to meet the limit of what may be committed, which only mode 2 has.
        struct Commitment: CustomTestStringConvertible {
            let strategy, guardKind: String
            let options: [String]
            let call: String
            /// Bytes: enough that few stacks meet the limit. At most this is left of it.
            private static let size = 60 << 20

            var testDescription: String { "\(strategy), \(guardKind), \(call)" }
            var arguments: [String] { ["guard=\(guardKind)"] + options }

            static let all = [
                Commitment("demand", "prot-none", ["maximum=\(size)"], call: "protect-write"),
                Commitment("fault", "prot-none", ["maximum=\(size)", "initial=\(size)"], call: "protect-write"),
                // A page is used at each end: what growth makes usable is charged for, used or not.
                Commitment("fault", "prot-none", ["maximum=\(size)", "reach=\(40 << 20)"], call: "grow-protect"),
                Commitment("demand", "guard-pages", ["maximum=\(size)"], call: "arena-open"),
            ]

            private init(_ strategy: String, _ guardKind: String, _ options: [String], call: String) {
                self.strategy = strategy
                self.guardKind = guardKind
                self.options = options
                self.call = call
            }
        }

        @Test(
            .alone, .needs(.overcommit), arguments: Commitment.all)
        func `the limit of what may be committed is an error in each mode of overcommit`(_ way: Commitment) throws {
            try ExhaustionTests.exhaust(way.strategy, use: 4096, ["mode=2"] + way.arguments, cause: way.call)
        }
    }
}
