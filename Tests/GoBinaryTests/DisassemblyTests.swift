// What is changed is what a disassembler sees as a check, and nothing else; and no path leads from there to morestack.

import ObjectCode
import TestNeeds
import Testing

@testable import GoBinary

@Suite("The changed code") struct DisassemblyTests {
    /// Functions of which another part than a check is changed.
    private static let others: Set<String> = [
        "runtime.newproc1", "runtime.malg", "runtime.shrinkstack", "runtime.gcComputeStartingStackSize",
        "runtime.stackalloc", "runtime.stackfree", "runtime.sigtramp", "runtime.mstart1", "runtime.needm",
    ]
    /// The goroutine of a thread of C.
    private static let extra = "runtime.oneNewExtraM"

    /// Its call is led past the signal that preempts; its check is one like others.
    private static let ignoring = "os/signal.signal_ignore"

    /// A check that can be replaced.
    private struct Checked {
        let function: String
        let check: StackCheck
    }

    /// The program, its checks that were replaced, by address, and the copy.
    private func strip(
        _ path: String, _ options: StripOptions
    ) throws -> (program: GoExecutable, replaced: [UInt64: Checked], copy: StrippedProgram) {
        let program = try GoExecutable(try content(path))
        let copy = try program.stripped(options)
        let left = Set(copy.left.map(\.function)).union(["runtime.stackfree"])
        var replaced: [UInt64: Checked] = [:]
        for case (let function, let check?) in program.functions.map({ ($0.function, $0.check) })
        where !left.contains(function.name) {
            replaced[check.address] = Checked(function: function.name, check: check)
        }
        #expect(replaced.count == copy.replaced && replaced.count > 1000)
        return (program, replaced, copy)
    }

    private func expectThatOnlyChecksChange(_ path: String, _ options: StripOptions) throws {
        let (program, replaced, copy) = try strip(path, options)
        let folder = try TemporaryFolder()
        var seen: Set<UInt64> = []
        var others: Set<String> = []
        var odd: [Replacement] = []
        let left = Set(copy.left.map(\.function))
        var widened = 0
        for change in try Replacement.all(path, try folder.executable(copy.content)) {
            let start = try #require(change.old.first).address
            if !change.isWithinBoundaries { odd.append(change) }
            if let checked = replaced[start] {
                seen.insert(start)
                if !Self.others.contains(checked.function) {
                    if !isRemoval(change, of: checked.check) { odd.append(change) }
                    continue
                }
            }
            let function = try #require(
                program.functions.last { $0.function.address <= start && start < $0.function.end })
            if let check = function.check, left.contains(function.function.name), check.frameClass == .large {
                if !isWidened(change, check) { odd.append(change) }
                widened += 1
                continue
            }
            others.insert(function.function.name)
        }
        #expect(odd.isEmpty)
        #expect(
            widened
                == program.functions.count {
                    left.contains($0.function.name) && $0.check?.frameClass == .large
                        && $0.check?.isForSystemStack == false
                })
        #expect(seen == Set(replaced.keys))
        #expect(others.subtracting([Self.extra]) == Self.others.union([Self.ignoring]))
        expectThatDataStays(program, copy.content, options.initial)
    }

    /// Whether the disassembler sees the check that this module saw, and no-ops in its place.
    private func isRemoval(_ change: Replacement, of check: StackCheck) -> Bool {
        let bound = check.isForSystemStack ? "0x18(%r14)" : "0x10(%r14)"
        let compared = check.frameClass == .small ? "%rsp" : "%r12"
        guard change.old.count == check.hot.instructions, let jump = change.old.last else { return false }
        return jump.end == check.address + UInt64(check.hot.bytes) && jump.text.hasPrefix("jbe ")
            && jump.target == check.tail && change.old[change.old.count - 2].text == "cmp    \(bound),\(compared)"
            && change.new.allSatisfy(\.doesNothing)
    }

    /// The frame of a check that stays, with the guard.
    private func isWidened(_ change: Replacement, _ check: StackCheck) -> Bool {
        func frame(_ instructions: [DisassembledInstruction]) -> Int? {
            guard instructions.count == 1, instructions[0].address == check.address + 3,
                instructions[0].text.hasPrefix("sub    $0x"), instructions[0].text.hasSuffix(",%r12")
            else { return nil }
            return Int(instructions[0].text.dropFirst(10).dropLast(5), radix: 16)
        }
        guard let old = frame(change.old), let new = frame(change.new) else { return false }
        return old > StripOptions.largestFrame - 1024 && new == old + StripOptions.guardSize
    }

    /// The same of the opposite comparison; what comes before it in a large check stays.
    private func isExchange(_ change: Replacement, of check: StackCheck) -> Bool {
        let bound = check.isForSystemStack ? "0x18(%r14)" : "0x10(%r14)"
        guard change.new.count == 2, let jump = change.new.last else { return false }
        return change.new[0].text.hasSuffix(",\(bound)") && jump.text.hasPrefix("jae ") && jump.target == check.tail
    }

    /// Outside of the functions only the program headers, the size of reused stacks and what is added change.
    private func expectThatDataStays(_ program: GoExecutable, _ copy: [UInt8], _ initial: Int) {
        let original = program.file.bytes.content
        let text = program.functions.first.flatMap { program.file.offset(of: $0.function.address) }!
        let headers = 64..<64 + ElfFile.Segment.size * program.file.segments.count
        var changed: [Int] = []
        for start in stride(from: 0, to: original.count, by: 4096) {
            let end = min(start + 4096, original.count)
            if original[start..<end] == copy[start..<end] { continue }
            changed += (start..<end).filter { original[$0] != copy[$0] }
        }
        let data = changed.filter { !headers.contains($0) && !(text..<text + program.textBytes).contains($0) }
        #expect((1...4).contains(data.count) && data.last! - data.first! < 4)
        let word = data.first! & ~3
        #expect(program.file.bytes.integer(word, as: UInt32.self) == 2048)
        #expect(Bytes(copy).integer(word, as: UInt32.self) == UInt32(initial))
    }

    /// Functions of which stacks that grow by faults change another part.
    private static let othersOfGrowth: Set<String> = [
        "runtime.stackalloc", "runtime.stackfree", "runtime.freeStackSpans", "runtime.exit", "runtime.mstart1",
        "runtime.needm", "runtime.newstack", "runtime.shrinkstack", "runtime.gcComputeStartingStackSize",
        "runtime.sigtramp",
    ]

    /// Whether a probe reads 128 bytes below what the disassembler sees the check compare.
    private func isProbe(_ change: Replacement, of check: StackCheck) -> Bool {
        guard change.old.count == check.hot.instructions, let jump = change.old.last, jump.text.hasPrefix("jbe "),
            jump.target == check.tail, jump.end == check.address + UInt64(check.hot.bytes), let first = change.old.first
        else { return false }
        let compared = change.old[change.old.count - 2].text
        var depth = 0
        if check.frameClass == .small {
            guard compared == "cmp    0x10(%r14),%rsp" else { return false }
        } else {
            // lea -0x70(%rsp),%r12
            let number = first.text.dropFirst("lea    -0x".count).prefix { $0 != "(" }
            guard compared == "cmp    0x10(%r14),%r12", first.text.hasSuffix("(%rsp),%r12"),
                let parsed = Int(number, radix: 16)
            else { return false }
            depth = parsed
        }
        return change.new.first?.text == "test   %al,%gs:-0x\(String(depth + 128, radix: 16))(%rsp)"
            && change.new.dropFirst().allSatisfy(\.doesNothing)
    }

    @Test(.long, arguments: GoInstallation.all) func aProbeReadsWhereTheCheckCompared(_ go: GoInstallation) throws {
        let path = try go.program()
        let program = try GoExecutable(try content(path))
        let copy = try program.stripped(StripOptions(growth: .fault, keepsRuntime: false))
        let left = Set(copy.left.map(\.function)).union(Self.othersOfGrowth)
        var probes: [UInt64: StackCheck] = [:]
        for case (let function, let check?) in program.functions.map({ ($0.function, $0.check) })
        where !left.contains(function.name) {
            probes[check.address] = check
        }
        let folder = try TemporaryFolder()
        var seen: Set<UInt64> = []
        var others: Set<String> = []
        var odd: [Replacement] = []
        for change in try Replacement.all(path, try folder.executable(copy.content)) {
            let start = try #require(change.old.first).address
            if let check = probes[start] {
                seen.insert(start)
                if !change.isWithinBoundaries || !isProbe(change, of: check) { odd.append(change) }
            } else {
                others.insert(
                    try #require(program.functions.last { $0.function.address <= start }?.function.name))
            }
        }
        #expect(odd.isEmpty && probes.count > 1000)
        #expect(seen == Set(probes.keys))
        #expect(others == Self.othersOfGrowth.union([Self.ignoring]))
    }

    @Test(.long, arguments: GoInstallation.all) func theChangedCodeIsNothingButChecks(_ go: GoInstallation) throws {
        let path = try go.program()
        try expectThatOnlyChecksChange(path, StripOptions())
    }

    @Test(.long, arguments: GoInstallation.thorough, [GoInstallation.Mode.small, .pie, .cgo, .cgoPie])
    func theChangedCodeIsNothingButChecksInEveryMode(_ go: GoInstallation, _ mode: GoInstallation.Mode) throws {
        let path = try go.program(mode)
        try expectThatOnlyChecksChange(path, StripOptions(initial: 64 << 10))
    }

    @Test(.needs(GoInstallation.newest.need)) func theControlHasAnEqualCheckInstead() throws {
        let path = try GoInstallation.newest.program()
        let (_, replaced, copy) = try strip(path, StripOptions(checks: .equal))
        let folder = try TemporaryFolder()
        let changes = try Replacement.all(path, try folder.executable(copy.content))
        let jumps = Dictionary(
            uniqueKeysWithValues: replaced.values.map { ($0.check.address + UInt64($0.check.hot.bytes), $0) })
        var seen = 0
        var odd: [Replacement] = []
        for change in changes {
            guard let end = change.old.last?.end, let checked = jumps[end], !Self.others.contains(checked.function)
            else { continue }
            if !change.isWithinBoundaries || !isExchange(change, of: checked.check) { odd.append(change) }
            seen += 1
        }
        #expect(odd.isEmpty)
        #expect(seen == replaced.values.filter { !Self.others.contains($0.function) }.count)
    }

    /// What a removed check led to is overwritten with instructions that end a program. The copy still runs, and
    /// nothing in it refers to morestack but the checks that are listed as left alone.
    @Test(.long, arguments: GoInstallation.thorough, [GoInstallation.Mode.plain, .cgo])
    func onlyWhatIsLeftAloneReachesMorestack(_ go: GoInstallation, _ mode: GoInstallation.Mode) throws {
        let path = try go.program(mode)
        let (program, _, copy) = try strip(path, StripOptions(initial: 64 << 10))
        let left = Set(copy.left.map(\.function))
        var file = Bytes(copy.content)
        for case (let function, let check?) in program.functions.map({ ($0.function, $0.check) })
        where !left.contains(function.name) {
            let offset = try #require(program.file.offset(of: check.tail, length: check.cold.bytes))
            // ud2, and int3 for the odd byte
            file.replace(offset, with: (0..<check.cold.bytes).map { $0 % 2 == 0 ? 0x0f : 0x0b })
            if check.cold.bytes % 2 == 1 { file.replace(offset + check.cold.bytes - 1, with: [0xcc]) }
        }
        let trapped = try GoExecutable(file.content)
        #expect(trapped.notUnderstood.isEmpty)
        let remaining = Set(trapped.functions.filter { $0.check != nil }.map(\.function.name))
        #expect(remaining == left)
        let folder = try TemporaryFolder()
        let executable = try folder.executable(file.content)
        let original = try run(path, ["work"])
        for _ in 0..<2 {
            let result = try run(executable, ["work"])
            #expect(result.ending == .exited(0) && result.output == original.output, "\(result)")
        }
        // A trap where a check does lead ends it: the overwritten code would have been noticed.
        let checked = try #require(program.functions.first { $0.function.name == "main.large" }?.check)
        let offset = try #require(program.file.offset(of: checked.tail, length: 2))
        file.replace(offset, with: [0x0f, 0x0b])
        let ended = try run(try folder.executable(file.content, "ended"), ["work"])
        #expect(ended.ending == .exited(2) && ended.errors.contains("SIGILL"))
    }
}
