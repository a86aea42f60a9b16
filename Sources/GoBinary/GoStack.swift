// The stack needs of a Go program's functions: frames from Go's own tables, at every call, and the calls in its code.
//
// What continues on another stack is known by name: the runtime's ways to a system stack. Calls that begin a panic or
// end the program are left out: what a panic runs depends on who deferred what, and any load may begin one.

import ObjectCode

extension StackAnalysis {
    /// Functions that go on on another stack and come back to where they were. Of `morestack` what comes back is a
    /// stack with more room; a bound is what makes it unnecessary. The clocks and the random numbers are the kernel's
    /// code (vdso), which the runtime calls on the thread's own stack.
    private static let switches: Set<String> = [
        "runtime.systemstack", "runtime.mcall", "runtime.morestack", "runtime.morestack_noctxt", "runtime.nanotime1",
        "runtime.walltime", "time.now", "runtime.vgetrandom1",
    ]
    /// What they call before that.
    private static let saves: Set<String> = ["gosave_systemstack_switch"]
    /// What begins the names of functions that begin a panic or end the program.
    private static let panics = [
        "runtime.gopanic", "runtime.goPanic", "runtime.panic", "runtime.sigpanic", "runtime.throw", "runtime.fatal",
        "runtime.morestackc",
    ]
    /// What runs the functions that a `defer` noted.
    private static let defers: Set<String> = ["runtime.deferreturn"]

    /// The stack needs of a Go program.
    ///
    /// - Complexity: Proportional to the size of its code.
    public init(_ program: GoExecutable) {
        let all = program.functions.map(\.function)
        let isPanic = all.map { function in Self.panics.contains { function.name.hasPrefix($0) } }
        var graph = CallGraph()
        var functions: [Function] = []
        functions.reserveCapacity(all.count)
        for function in all {
            let isSwitch = Self.switches.contains(function.name)
            var node = CallGraph.Node(frame: min(function.frameSize ?? 0, CallGraph.deepest))
            var unknownCalls = 0
            if function.frameSize.map({ $0 > CallGraph.deepest }) ?? true { node.doubts.insert(.unknownFrame) }
            if function.movesStackPointer { node.doubts.insert(.unknownFrame) }
            Self.read(function, program, all, isPanic, &node, &unknownCalls)
            if isSwitch {
                node.doubts = []
                unknownCalls = 0
                node.calls.removeAll { !Self.saves.contains(all[$0.target].name) }
            }
            graph.append(node)
            functions.append(
                Function(
                    name: function.name, address: function.address, frame: function.frameSize, need: 0, doubts: [],
                    isSwitch: isSwitch && !GoExecutable.moreStackNames.contains(function.name),
                    unknownCalls: unknownCalls, own: node.doubts))
        }
        self.init(
            graph, functions, source: program.build.version,
            isPositionIndependent: program.file.isPositionIndependent)
    }

    /// Adds what the code of a function calls.
    private static func read(
        _ function: GoFunction, _ program: GoExecutable, _ all: [GoFunction], _ isPanic: [Bool],
        _ node: inout CallGraph.Node, _ unknownCalls: inout Int
    ) {
        var depths = function.depths.map { StackDepths(program.file.bytes, at: $0) }
        var scan = CallScan(program.code(of: function), at: function.address, in: program.file)
        var deepest: [Int: Int] = [:]
        while let site = scan.next() {
            let (target, returnAddress): (UInt64, Int)
            switch site.kind {
            case .call(let address): (target, returnAddress) = (address, 8)
            case .jump(let address): (target, returnAddress) = (address, 0)
            case .indirectCall, .indirectJump:
                node.doubts.insert(.indirectCall)
                unknownCalls += 1
                continue
            }
            guard let callee = number(of: target, all) else {
                node.doubts.insert(.foreignCode)
                unknownCalls += 1
                continue
            }
            if isPanic[callee] { continue }
            if defers.contains(all[callee].name) {
                node.doubts.insert(.deferredCall)
                unknownCalls += 1
                continue
            }
            guard let depth = depths?.depth(at: site.offset), depth <= CallGraph.deepest else {
                node.doubts.insert(.unknownFrame)
                continue
            }
            deepest[callee] = max(deepest[callee] ?? 0, depth + returnAddress)
        }
        if scan.isUnclear { node.doubts.insert(.unclearCode) }
        node.calls = deepest.map { CallGraph.Call(target: $0.key, depth: $0.value) }.sorted { $0.target < $1.target }
    }

    /// The number of the function that has a byte at `address`.
    private static func number(of address: UInt64, _ all: [GoFunction]) -> Int? {
        var (low, high) = (0, all.count)
        while low < high {
            let middle = (low + high) / 2
            if all[middle].address <= address { low = middle + 1 } else { high = middle }
        }
        guard low > 0, address - all[low - 1].address < UInt64(all[low - 1].size) else { return nil }
        return low - 1
    }
}
