// The single changes that a copy without checks consists of. Each finds the code to change by what it does, and refuses
// when it is not there exactly as often as it must be.

import GoStubs
import ObjectCode

/// Changes a copy of a program.
struct Editor {
    let program: GoExecutable
    var file: ElfFile

    /// Functions that are changed, or whose calls are: none may be part of another function.
    static let changedFunctions: Set<String> = [
        "runtime.stackalloc", "runtime.stackfree", "runtime.freeStackSpans", "runtime.minit", "runtime.copystack",
        "runtime.newstack", "runtime.shrinkstack", "runtime.gcComputeStartingStackSize", "runtime.malg",
    ]

    /// An instruction of a function and where it is.
    struct Placed {
        let instruction: Instruction
        let address: UInt64
        var end: UInt64 { address + UInt64(instruction.length) }
        /// Where a branch leads, or a displacement from the next instruction points.
        var target: UInt64? {
            (instruction.branch ?? instruction.ripDisplacement).map { end &+ UInt64(bitPattern: Int64($0)) }
        }
    }

    /// The function of that name, of which there must be one.
    func function(_ name: String) throws(GoBinaryError) -> GoFunction {
        let found = program.functions(named: name)
        guard let function = found.first, found.count == 1 else {
            throw GoBinaryError("it has \(found.count) functions \(name) instead of one")
        }
        return function
    }

    /// The instructions of a function, up to the first byte that is none.
    func instructions(of function: GoFunction) -> [Placed] {
        let code = program.code(of: function)
        var placed: [Placed] = []
        var offset = code.startIndex
        while offset < code.endIndex, let instruction = Instruction(code, at: offset) {
            placed.append(
                Placed(instruction: instruction, address: function.address + UInt64(offset - code.startIndex)))
            offset += instruction.length
        }
        return placed
    }

    /// The original bytes at an address within a function.
    func bytes(_ start: UInt64, _ end: UInt64) -> [UInt8] {
        program.file.offset(of: start, length: Int(end - start)).flatMap {
            program.file.bytes.bytes($0, Int(end - start))
        }.map(Array.init) ?? []
    }

    static func jump(from address: UInt64, to target: UInt64) -> [UInt8] {
        [0xe9] + displacement(from: address + 5, to: target)
    }

    static func displacement(from end: UInt64, to target: UInt64) -> [UInt8] {
        // Segments of one program are within 2 GiB; what is added lies right behind them.
        UInt32(truncatingIfNeeded: target &- end).littleEndianBytes
    }

    // MARK: checks

    /// Replaces the instructions on the path that passes.
    mutating func replace(_ check: StackCheck, _ kind: StripOptions.Checks) throws(GoBinaryError) {
        let hot = bytes(check.address, check.address + UInt64(check.hot.bytes))
        switch kind {
        case .removed: try file.replace(check.address, with: StackCheck.noOperation(check.hot.bytes))
        case .equal:
            guard let equal = StackCheck.reversed(hot[...]) else {
                throw .malformed("a check changed while it was read")
            }
            try file.replace(check.address, with: equal)
        }
    }

    /// Has a check that stays fail where the frame would end in the guard. Go then grows the stack until it does not,
    /// by doubling, however often that takes: each time the function is called again, and looks again.
    mutating func addGuard(to check: StackCheck) throws(GoBinaryError) {
        // Others ask for so little that only a stack that is used up anyway ends there; system stacks have no guard.
        guard check.frameClass == .large, !check.isForSystemStack else { return }
        // mov r12, rsp; sub r12, imm32
        let place = check.address + 6
        guard let frame = Int32(littleEndianBytes: bytes(place, place + 4)[...]), frame > 0,
            case (let sum, let isTooMuch) = frame.addingReportingOverflow(Int32(StripOptions.guardSize)), !isTooMuch
        else { throw GoBinaryError("a frame has more than 2 GiB") }
        try file.replace(place, with: sum.littleEndianBytes)
    }

    /// Replaces it by a probe, unless it is one.
    ///
    /// - Returns: Whether the probe reaches as far as the function.
    mutating func probe(_ check: StackCheck) throws(GoBinaryError) -> Bool {
        if let depth = check.probeDepth {
            guard depth + StackCheck.smallFrame <= Self.largestProbedFrame else {
                throw GoBinaryError("a probe that was compiled reads beyond the guard, which is a page")
            }
            return true
        }
        let hot = bytes(check.address, check.address + UInt64(check.hot.bytes))
        guard let probe = StackCheck.probe(hot[...], reach: Int(fl_go_growth_layout.reach)) else { return false }
        try file.replace(check.address, with: probe)
        return true
    }

    // MARK: stacks

    /// Has every goroutine start on a stack of `size` bytes that is never shrunk.
    ///
    /// - Returns: What the changed instructions asked for before.
    mutating func enlargeStacks(_ size: Int) throws(GoBinaryError) -> [Int] {
        // What newproc1 asks for, and with cgo what the goroutine of a foreign thread gets. Greater ones are those of
        // threads.
        let malg = try function("runtime.malg")
        var requests: [Int] = []
        for checked in program.functions where checked.function.name.hasPrefix("runtime.") {
            let all = instructions(of: checked.function)
            for (index, call) in all.enumerated() where call.instruction.isCall && call.target == malg.address {
                // mov eax, size; perhaps no-ops that align the call.
                guard let move = all[..<index].suffix(3).last(where: { $0.instruction.opcode == 0xb8 }),
                    move.instruction.map == .one, move.instruction.length == 5,
                    let asked = file.offset(of: move.address + 1, length: 4).flatMap({
                        file.bytes.integer($0, as: UInt32.self)
                    }), asked == 2048 || asked == 4096
                else { continue }
                try file.replace(move.address + 1, with: UInt32(size).littleEndianBytes)
                requests.append(Int(asked))
            }
        }
        guard requests.contains(2048) else {
            throw GoBinaryError("the call that makes a goroutine's stack is not found")
        }
        try enlargeReusedStacks(size)
        for name in ["runtime.shrinkstack", "runtime.gcComputeStartingStackSize"] {
            try file.replace(try function(name).address, with: [0xc3])
        }
        try leaveLowestWord(malg)
        return requests
    }

    /// `startingStackSize`, which stripping leaves no name of: the variable that gcComputeStartingStackSize sets to
    /// 2048.
    mutating func enlargeReusedStacks(_ size: Int) throws(GoBinaryError) {
        let all = instructions(of: try function("runtime.gcComputeStartingStackSize"))
        let stores = all.filter {
            // mov dword [rip+d], imm32
            $0.instruction.map == .one && $0.instruction.opcode == 0xc7 && $0.instruction.ripDisplacement != nil
                && bytes($0.end - 4, $0.end) == UInt32(2048).littleEndianBytes
        }
        let targets = Set(stores.compactMap(\.target))
        guard let variable = targets.first, targets.count == 1,
            file.offset(of: variable, length: 4).flatMap({ file.bytes.integer($0, as: UInt32.self) }) == 2048
        else { throw GoBinaryError("the size of a reused goroutine's stack is not found in it") }
        try file.replace(variable, with: UInt32(size).littleEndianBytes)
    }

    /// malg clears the lowest word of a stack, where the guard is: for ARM, says its comment.
    private mutating func leaveLowestWord(_ malg: GoFunction) throws(GoBinaryError) {
        let stores = instructions(of: malg).filter { placed in
            // mov qword [register], 0
            let instruction = placed.instruction
            guard instruction.map == .one, instruction.opcode == 0xc7, instruction.length == 7,
                let modRM = instruction.modRM
            else { return false }
            return instruction.rex & 8 != 0 && modRM & 0xf8 == 0 && modRM & 7 != 4 && modRM & 7 != 5
                && bytes(placed.end - 4, placed.end) == [0, 0, 0, 0]
        }
        guard let store = stores.first, stores.count == 1 else {
            throw GoBinaryError("the store to the lowest word of a stack is not found in runtime.malg")
        }
        try file.replace(store.address, with: StackCheck.noOperation(store.instruction.length))
    }

    // MARK: guards

    /// Adds code that guards every stack while it is a goroutine's, and has Go's functions go through it.
    ///
    /// - Returns: The function whose check gave way to a jump.
    mutating func addGuards(_ options: StripOptions) throws(GoBinaryError) -> GoFunction {
        guard GoStubs.isAvailable else { throw GoBinaryError("it can only be changed on an x86-64 machine with Linux") }
        let freeing = try function("runtime.stackfree")
        guard let entry = program.functions.first(where: { $0.function == freeing })?.check else {
            throw GoBinaryError("runtime.stackfree has no check that could give way to a jump")
        }
        let returns = try endings(of: try function("runtime.stackalloc"))
        let signal = try signalCall()
        let offset = try goroutineOffset()
        let pending = try pendingOffset()
        let minit = try function("runtime.minit")
        let threads = try callsOfMinit()
        let ignoring = try ignoringCalls()
        let message = Array(options.overflowMessage.utf8)
        var edits: [(UInt64, [UInt8])] = []
        let program = self.program
        let editor = self
        let content = { (start: UInt64) -> [UInt8] in
            var code = GoStubs(
                threshold: options.initial, guardSize: StripOptions.guardSize, threadOffset: offset, message: message,
                pendingOffset: pending)
            let install = start + UInt64(GoStubs.layout.install_guard)
            for ending in returns {
                // The guard, and what was at the end of the function.
                let here = start + UInt64(code.bytes.count)
                code.bytes += [0xe8] + Self.displacement(from: here + 5, to: install)
                code.bytes +=
                    program.file.offset(of: ending.start, length: ending.length).flatMap {
                        program.file.bytes.bytes($0, ending.length)
                    } ?? []
                edits.append(
                    (
                        ending.start,
                        Self.jump(from: ending.start, to: here) + StackCheck.noOperation(ending.length - 5)
                    ))
            }
            let here = start + UInt64(code.bytes.count)
            code.bytes += [0xe8] + Self.displacement(from: here + 5, to: start + UInt64(GoStubs.layout.remove_guard))
            code.bytes += Self.jump(from: here + 5, to: entry.address + UInt64(entry.hot.bytes))
            edits.append(
                (
                    entry.address,
                    Self.jump(from: entry.address, to: here) + StackCheck.noOperation(entry.hot.bytes - 5)
                ))
            edits += Self.keepPreempting(ignoring, &code.bytes, at: start)
            edits += editor.refusePlugins(&code.bytes, at: start)
            let ends = [
                (GoStubs.layout.on_signal_end, signal.target), (GoStubs.layout.on_thread_end, minit.address),
            ]
            for (end, target) in ends {
                let end = Int(end)
                code.bytes.replaceSubrange(end..<end + 5, with: Self.jump(from: start + UInt64(end), to: target))
            }
            let calls = [(signal.call, GoStubs.layout.on_signal)] + threads.map { ($0, GoStubs.layout.on_thread) }
            edits += calls.map { ($0 + 1, Self.displacement(from: $0 + 5, to: start + UInt64($1))) }
            return code.bytes
        }
        _ = try GoBinaryError.reporting { () throws(ElfError) in try file.addExecutableSegment(content) }
        for (address, bytes) in edits { try file.replace(address, with: bytes) }
        return freeing
    }

    /// The last instructions before each return of a function, long enough for a jump and free of anything that depends
    /// on where it is; nothing jumps between them.
    private func endings(of function: GoFunction) throws(GoBinaryError) -> [(start: UInt64, length: Int)] {
        let all = instructions(of: function)
        let targets = Set(all.compactMap { $0.instruction.branch == nil ? nil : $0.target })
        var endings: [(UInt64, Int)] = []
        for (index, placed) in all.enumerated() where placed.instruction.isReturn {
            var first = index
            while placed.end - all[first].address < 5 {
                guard first > 0, !targets.contains(all[first].address),
                    all[first - 1].instruction.branch == nil, all[first - 1].instruction.ripDisplacement == nil
                else { throw GoBinaryError("an end of \(function.name) has no room for a jump") }
                first -= 1
            }
            endings.append((all[first].address, Int(placed.end - all[first].address)))
        }
        guard !endings.isEmpty else { throw GoBinaryError("\(function.name) has no end") }
        return endings
    }

    // MARK: plugins

    /// Of the runtime: what plugin.Open calls once there is a plugin, and before any code of it runs.
    static let pluginLoading = "plugin.lastmoduleinit"
    private static let pluginMessage =
        "fatal error: a plugin brings checks and stacks of its own; "
        + "a program without stack checks cannot load it\n"

    /// Appends code to what is added at `start` that ends the program when it has loaded a plugin, whose copy of the
    /// runtime makes stacks without guards and frees those of the program.
    ///
    /// - Returns: What changes in the program.
    func refusePlugins(_ code: inout [UInt8], at start: UInt64) -> [(UInt64, [UInt8])] {
        program.functions(named: Self.pluginLoading).map { function in
            let here = start + UInt64(code.count)
            let message = Array(Self.pluginMessage.utf8)
            // lea rsi, the message behind this code; mov edx, its length; write(2, …); exit_group(2)
            code +=
                [0x48, 0x8d, 0x35] + UInt32(29).littleEndianBytes + [0xba] + UInt32(message.count).littleEndianBytes
            for call: UInt32 in [1, 231] {
                code += [0xbf, 2, 0, 0, 0, 0xb8] + call.littleEndianBytes + [0x0f, 0x05]
            }
            code += message
            return (function.address, Self.jump(from: function.address, to: here))
        }
    }

    // MARK: signals

    /// Calls by which os/signal has the runtime ignore a signal, and what they call; none in programs without it.
    func ignoringCalls() throws(GoBinaryError) -> (calls: [UInt64], target: UInt64)? {
        let name = "os/signal.signal_ignore"
        guard program.functions.contains(where: { $0.function.name == name }) else { return nil }
        let target = try function("runtime.sigignore")
        return (try calls(of: target, in: name), target.address)
    }

    /// Appends code to what is added at `start`, through which such calls go: all signals are ignored but the one by
    /// which Go preempts. Nothing else would preempt a goroutine without checks, and Go's handler of that signal does
    /// nothing else.
    ///
    /// - Returns: What changes in the program.
    static func keepPreempting(
        _ ignoring: (calls: [UInt64], target: UInt64)?, _ code: inout [UInt8], at start: UInt64
    ) -> [(UInt64, [UInt8])] {
        guard let ignoring else { return [] }
        let here = start + UInt64(code.count)
        // cmp eax, SIGURG; jne to the function; ret
        code += [0x83, 0xf8, 23, 0x0f, 0x85] + displacement(from: here + 9, to: ignoring.target) + [0xc3]
        return ignoring.calls.map { ($0 + 1, displacement(from: $0 + 5, to: here)) }
    }

    /// Addresses of calls.
    func calls(of target: GoFunction, in caller: String? = nil) throws(GoBinaryError) -> [UInt64] {
        var found: [UInt64] = []
        for checked in program.functions {
            let name = checked.function.name
            guard caller.map({ $0 == name }) ?? name.hasPrefix("runtime.") else { continue }
            found += instructions(of: checked.function).filter {
                $0.instruction.isCall && $0.target == target.address
            }.map(\.address)
        }
        guard !found.isEmpty else {
            throw GoBinaryError("\(caller ?? "its runtime") does not call \(target.name)")
        }
        return found
    }

    /// Calls by which every thread begins, also one that C made.
    func callsOfMinit() throws(GoBinaryError) -> [UInt64] {
        let minit = try function("runtime.minit")
        // What gives a thread that C made a goroutine.
        if !program.functions(named: "runtime.cgocallback").isEmpty {
            _ = try calls(of: minit, in: "runtime.needm")
        }
        return try calls(of: minit)
    }

    /// Where the record of a thread notes that a signal by which Go preempts is under way, from its first byte: the
    /// word that preemptone, or preemptM in it, exchanges for 1, and that doSigPreempt, or sighandler with it, clears.
    func pendingOffset() throws(GoBinaryError) -> Int64 {
        func displacements(_ names: [String], of map: Instruction.Map, _ opcode: UInt8) -> Set<Int64> {
            let all = names.flatMap(program.functions(named:)).flatMap { instructions(of: $0) }.filter { placed in
                // A register and a displacement of four bytes, at the end.
                guard placed.instruction.map == map, placed.instruction.opcode == opcode,
                    let modRM = placed.instruction.modRM
                else { return false }
                return modRM >> 6 == 2 && modRM & 7 != 4
            }
            return Set(all.compactMap { Self.lastNumber(bytes($0.address, $0.end)) })
        }
        // lock cmpxchg [register+d], r32; xchg [register+d], r32
        let exchanged = displacements(["runtime.preemptone", "runtime.preemptM"], of: .two, 0xb1)
        let cleared = displacements(["runtime.doSigPreempt", "runtime.sighandler"], of: .one, 0x87)
        guard let offset = exchanged.first, exchanged.count == 1, cleared.contains(offset), offset > 0 else {
            throw GoBinaryError(
                "where its runtime notes that a signal is under way is not found in it; one that was compiled without "
                    + "inlining (-gcflags=all=-l) is not understood")
        }
        return offset
    }

    /// Where the signal handler calls the part of it that is written in Go.
    func signalCall() throws(GoBinaryError) -> (call: UInt64, target: UInt64) {
        let targets = Set(program.functions(named: "runtime.sigtrampgo").map(\.address))
        let calls = program.functions(named: "runtime.sigtramp").flatMap { instructions(of: $0) }.filter {
            $0.instruction.isCall && $0.target.map(targets.contains) == true
        }
        guard let call = calls.first, calls.count == 1 else {
            throw GoBinaryError("runtime.sigtramp calls runtime.sigtrampgo \(calls.count) times instead of once")
        }
        return (call.address, call.target!)
    }

    /// Where thread-local storage holds the goroutine, from the code of the signal handler that loads it into r14.
    func goroutineOffset() throws(GoBinaryError) -> Int64 {
        for function in program.functions(named: "runtime.sigtramp") {
            let all = instructions(of: function)
            for (index, placed) in all.enumerated() {
                let code = bytes(placed.address, placed.end)
                // mov r14, fs:[offset]
                var offset: Int64?
                if code.starts(with: [0x64, 0x4c, 0x8b, 0x34, 0x25]), code.count == 9 {
                    offset = Self.lastNumber(code)
                }
                // A register with the offset, or loaded from where the loader stores it; mov r14, fs:[register], in
                // position-independent programs.
                let next = index + 1 < all.count ? bytes(all[index + 1].address, all[index + 1].end) : []
                if next.count >= 4, next[0] == 0x64, next[1] & 0xfe == 0x4c, next[2] == 0x8b, next[3] & 0xf8 == 0x30,
                    placed.instruction.map == .one
                {
                    if placed.instruction.opcode == 0xc7, code.count == 7, code[2] >> 3 == 0b11000 {
                        offset = Self.lastNumber(code)
                    }
                    if placed.instruction.opcode == 0x8b, placed.instruction.ripDisplacement != nil {
                        offset = placed.target.flatMap { program.file.threadOffsets[$0] }
                    }
                }
                // Storage of the program itself lies below the thread pointer.
                if let offset, offset < 0, offset % 8 == 0 { return offset }
            }
        }
        throw GoBinaryError("how its signal handler finds the goroutine is not understood")
    }

    /// Looks whether the runtime's records have what the added code reads in them: systemstack does so as well.
    func checkRecords() throws(GoBinaryError) {
        // mov rbx, [rax+48]: the thread; mov rdx, [rbx]: its own goroutine
        let loads: [[UInt8]] = [[0x48, 0x8b, 0x58, 0x30], [0x48, 0x8b, 0x13]]
        let found = program.functions(named: "runtime.systemstack").contains { function in
            let all = instructions(of: function).map { bytes($0.address, $0.end) }
            return loads.allSatisfy(all.contains)
        }
        guard found else { throw GoBinaryError("how runtime.systemstack finds a thread's stack is not understood") }
    }

    /// The signed 32-bit number at the end of an instruction.
    private static func lastNumber(_ code: [UInt8]) -> Int64? {
        Int32(littleEndianBytes: code.suffix(4)).map(Int64.init)
    }
}

/// The code that is added, as it is copied.
private struct GoStubs {
    var bytes: [UInt8]

    static var layout: GoStubLayout { fl_go_stub_layout }
    static var isAvailable: Bool { layout.size > 0 }

    init(threshold: Int, guardSize: Int, threadOffset: Int64, message: [UInt8], pendingOffset: Int64) {
        let layout = Self.layout
        bytes = Array(UnsafeBufferPointer(start: fl_go_stub_code(), count: Int(layout.size)))
        let parameters =
            threshold.littleEndianBytes + guardSize.littleEndianBytes + threadOffset.littleEndianBytes
            + message.count.littleEndianBytes + pendingOffset.littleEndianBytes
        let start = Int(layout.parameters)
        bytes.replaceSubrange(start..<start + parameters.count, with: parameters)
        bytes += message
        while bytes.count % 16 != 0 { bytes.append(0xcc) }
    }
}
