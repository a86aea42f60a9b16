// The changes by which a fault of a probe runs Go's own growth of a stack. Stacks come from the added code, which puts
// a guard below each; a probe reads where a check compared; a fault there continues behind the failed check.

import GoStubs
import ObjectCode

extension Editor {
    /// A check that has become a probe.
    struct Probe {
        let address: UInt64
        /// Where the failed check led.
        let tail: UInt64
    }

    /// Functions whose entry gives way to a jump, and where in the added code that leads.
    static let replacedFunctions: [String: UInt32] = [
        "runtime.stackalloc": fl_go_growth_layout.allocate, "runtime.stackfree": fl_go_growth_layout.release,
        "runtime.freeStackSpans": fl_go_growth_layout.trim, "runtime.exit": fl_go_growth_layout.on_exit,
    ]

    /// The largest frame that a probe is for.
    static let largestProbedFrame = StackCheck.largestFrame(reach: Int(fl_go_growth_layout.reach))

    /// The least stack, which is also what Go adds and compares with in place of 2048.
    private static let leastStack: UInt32 = 4096

    /// Adds the code and has Go's functions go through it.
    ///
    /// - Parameters:
    ///   - probes: By ascending address.
    ///   - restored: Probes in functions that must have a check.
    mutating func addGrowth(_ probes: [Probe], restoring restored: [StackCheck]) throws(GoBinaryError) {
        let layout = fl_go_growth_layout
        guard layout.size > 0 else { throw GoBinaryError("it can only be changed on an x86-64 machine with Linux") }
        try checkRecords()
        try checkDistanceOfChecks()
        try raiseLeastStack()
        let signal = try signalCall()
        let offset = try goroutineOffset()
        let ignoring = try ignoringCalls()
        let noPreemption = try variableOfNoPreemption()
        let pending = try pendingOffset()
        var jumps: [(from: UInt64, to: UInt32)] = []
        for (name, place) in Self.replacedFunctions.sorted(by: { $0.key < $1.key }) {
            let function = try function(name)
            guard function.size >= 5 else { throw GoBinaryError("\(name) has no room for a jump") }
            jumps.append((function.address, place))
        }
        let minit = try function("runtime.minit")
        let copystack = try function("runtime.copystack")
        var calls = try callsOfMinit().map { ($0, layout.on_thread) }
        calls += try self.calls(of: copystack, in: "runtime.newstack").map { ($0, layout.on_growth) }
        calls += try self.calls(of: copystack, in: "runtime.shrinkstack").map { ($0, layout.on_shrink) }
        calls.append((signal.call, layout.on_signal))
        let ends: [(UInt32, UInt64)] = [
            (layout.on_start_end, file.entry), (layout.on_thread_end, minit.address),
            (layout.on_growth_end, copystack.address), (layout.on_shrink_end, copystack.address),
            (layout.on_signal_end, signal.target),
        ]
        guard let text = program.functions.first?.function.address else { throw .malformed("it has no functions") }
        var edits: [(UInt64, [UInt8])] = []
        var entry: UInt64 = 0
        let data = try GoBinaryError.reporting { () throws(ElfError) in
            try file.addZeroedMemory(Int(layout.data_size))
        }
        let editor = self
        let content = { (start: UInt64) -> [UInt8] in
            var code = Array(UnsafeBufferPointer(start: fl_go_growth_code(), count: Int(layout.size)))
            let parameters =
                offset.littleEndianBytes + (data &- start).littleEndianBytes + (text &- start).littleEndianBytes
                + UInt64(code.count).littleEndianBytes + probes.count.littleEndianBytes
                + (noPreemption &- start).littleEndianBytes + pending.littleEndianBytes
            let place = Int(layout.parameters)
            code.replaceSubrange(place..<place + parameters.count, with: parameters)
            for (end, target) in ends {
                let end = Int(end)
                code.replaceSubrange(end..<end + 5, with: Self.jump(from: start + UInt64(end), to: target))
            }
            for probe in probes {
                code += UInt32(truncatingIfNeeded: probe.address - text).littleEndianBytes
                code += UInt32(truncatingIfNeeded: probe.tail - text).littleEndianBytes
            }
            entry = start + UInt64(layout.on_start)
            edits = Self.keepPreempting(ignoring, &code, at: start)
            edits += editor.refusePlugins(&code, at: start)
            edits += editor.restore(restored, &code, at: start)
            edits += jumps.map { ($0.from, Self.jump(from: $0.from, to: start + UInt64($0.to))) }
            edits += calls.map { ($0.0 + 1, Self.displacement(from: $0.0 + 5, to: start + UInt64($0.1))) }
            return code
        }
        _ = try GoBinaryError.reporting { () throws(ElfError) in try file.addExecutableSegment(content) }
        for (address, bytes) in edits { try file.replace(address, with: bytes) }
        file.setEntry(entry)
    }

    /// Appends checks to what is added at `start`, to which probes give way that a compiler emitted in their place. No
    /// signal preempts there, as in a check.
    ///
    /// - Returns: What changes in the program.
    private func restore(
        _ checks: [StackCheck], _ code: inout [UInt8], at start: UInt64
    ) -> [(UInt64, [UInt8])] {
        checks.map { check in
            let here = start + UInt64(code.count)
            code += StackCheck.comparison(check.probeDepth ?? 0)
            // jbe tail; jmp back
            code += [0x0f, 0x86]
            code += Self.displacement(from: start + UInt64(code.count) + 4, to: check.tail)
            code += Self.jump(from: start + UInt64(code.count), to: check.address + UInt64(check.hot.bytes))
            return (
                check.address,
                Self.jump(from: check.address, to: here) + StackCheck.noOperation(check.hot.bytes - 5)
            )
        }
    }

    /// The least stack becomes a page: what shrinkstack and gcComputeStartingStackSize compare with, and the size of a
    /// reused goroutine's stack.
    private mutating func raiseLeastStack() throws(GoBinaryError) {
        let before = UInt32(2048).littleEndianBytes
        for (name, count) in [("runtime.shrinkstack", 1), ("runtime.gcComputeStartingStackSize", 3)] {
            let all = instructions(of: try function(name)).filter { placed in
                // cmp, also in its short form, mov to memory, mov to a register
                let instruction = placed.instruction
                guard instruction.map == .one, instruction.length >= 5 else { return false }
                let takesNumber =
                    [0x81, 0x3d, 0xc7].contains(instruction.opcode) || instruction.opcode & 0xf8 == 0xb8
                return takesNumber && bytes(placed.end - 4, placed.end) == before
            }
            guard all.count == count else {
                throw GoBinaryError("\(name) names the least stack \(all.count) times instead of \(count)")
            }
            for placed in all { try file.replace(placed.end - 4, with: Self.leastStack.littleEndianBytes) }
        }
        try enlargeReusedStacks(Int(Self.leastStack))
    }

    /// Checks compare with the low end of a stack and 928 bytes (stackGuard), which malg adds.
    private func checkDistanceOfChecks() throws(GoBinaryError) {
        let distance = UInt32(928).littleEndianBytes
        let found = instructions(of: try function("runtime.malg")).contains {
            $0.instruction.length >= 5 && bytes($0.end - 4, $0.end) == distance
        }
        guard found else { throw GoBinaryError("what its checks compare with is not 928 bytes above a stack's end") }
    }

    /// `debug.asyncpreemptoff`, which the environment sets, or the program's own defaults, or from Go 1.25 on
    /// gccheckmark: the variable that preemptone compares with 0, as the handler of its signal does.
    private func variableOfNoPreemption() throws(GoBinaryError) -> UInt64 {
        func compared(_ name: String) throws(GoBinaryError) -> Set<UInt64> {
            let all = instructions(of: try function(name)).filter { placed in
                // cmp dword [rip+d], 0
                let instruction = placed.instruction
                return instruction.map == .one && instruction.opcode == 0x83 && instruction.rex == 0
                    && instruction.register == 7 && bytes(placed.end - 1, placed.end) == [0]
            }
            return Set(all.compactMap(\.target))
        }
        let common = try compared("runtime.preemptone").intersection(try compared("runtime.sighandler"))
        guard let variable = common.first, common.count == 1 else {
            throw GoBinaryError("the setting that switches preemption by signals off is not found in it")
        }
        return variable
    }
}
