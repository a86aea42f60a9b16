// The stack that each function of a program needs with all that it calls, as far as tables and code tell. Said of one
// goroutine's or thread's own stack: what runs on another one is not counted, nor what a signal puts there, and a panic
// ends what is counted.

import ObjectCode

/// The stack needs of a program's functions.
public struct StackAnalysis: Sendable {
    /// One function.
    public struct Function: Sendable, Hashable {
        /// As the program's tables call it; two may share a name.
        public let name: String
        /// Where it is loaded, the load address of a position-independent program taken as 0.
        public let address: UInt64
        /// How far it moves the stack pointer by itself, in bytes; nil where no table tells.
        public let frame: Int?
        /// Bytes below its return address that it and what it calls use at most. With doubts, what is known of that:
        /// along calls that are known, one round of each circle.
        public internal(set) var need: Int
        /// Why that is no bound; empty where it is one.
        public internal(set) var doubts: StackDoubts
        /// Whether what it calls runs on another stack.
        public let isSwitch: Bool
        /// Calls of what is unknown in its own code.
        public let unknownCalls: Int
        /// The doubts that its own code raises.
        let own: StackDoubts

        /// Whether the need is a bound.
        public var isBounded: Bool { doubts.isEmpty }
    }

    /// A function on the deepest path.
    public struct Step: Sendable, Hashable {
        public let function: Function
        /// Bytes from the first function's entry to this one's, return addresses included.
        public let depth: Int
    }

    /// What keeps a call tree from having a bound, or is worth knowing about it.
    public struct Finding: Sendable {
        public let function: Function
        /// In this function; empty for one whose calls go on on another stack.
        public let doubts: StackDoubts
        /// The shortest chain of calls that leads to it, both ends included.
        public let chain: [String]
        /// Of a circle of calls: how many functions are in it, and how many bytes a round takes at most.
        public let circle: (functions: Int, bytes: Int)?
    }

    /// What made the program: a version of Go, or "native code".
    public let source: String
    /// Whether Go made it.
    public var isGo: Bool { source != Self.nativeCode }
    static let nativeCode = "native code"
    /// Whether the program is loaded elsewhere than its file says.
    public let isPositionIndependent: Bool
    /// Every function, by ascending address.
    public let functions: [Function]
    let graph: CallGraph
    let needs: StackNeeds

    /// The stack needs of a Go program, or of a native one with sizes of frames (clang's -fstack-size-section).
    ///
    /// - Throws: ``GoBinaryError`` for anything else.
    public init(of content: [UInt8]) throws(GoBinaryError) {
        let file = try GoBinaryError.reporting { () throws(ElfError) in try ElfFile(content) }
        if (try? BuildInformation(file)) == nil {
            try self.init(native: file)
        } else {
            self.init(try GoExecutable(content))
        }
    }

    init(_ graph: CallGraph, _ functions: [Function], source: String, isPositionIndependent: Bool) {
        self.graph = graph
        self.source = source
        self.isPositionIndependent = isPositionIndependent
        needs = StackNeeds(graph)
        var functions = functions
        for index in functions.indices {
            functions[index].need = needs.bytes[index]
            functions[index].doubts = needs.doubts[index]
        }
        self.functions = functions
    }

    /// The numbers in ``functions`` of those that are called `name`; a function with two calling conventions is two.
    public func numbers(named name: String) -> [Int] { functions.indices.filter { functions[$0].name == name } }

    /// The calls that lead deepest from a function, as far as they are known.
    public func deepestPath(from number: Int) -> [Step] {
        var (path, depth, current) = ([Step(function: functions[number], depth: 0)], 0, number)
        // Callees come before callers, so that this ends.
        while let call = needs.deepest[current] {
            depth += call.depth
            current = call.target
            path.append(Step(function: functions[current], depth: depth))
        }
        return path
    }

    /// What keeps a function from having a bound, the nearest first, and calls that go on on another stack.
    public func findings(from number: Int) -> [Finding] {
        var parents: [Int: Int] = [number: number]
        var queue = [number]
        var found: [Finding] = []
        var circles: Set<Int> = []
        var next = 0
        while next < queue.count {
            let current = queue[next]
            next += 1
            let function = functions[current]
            var doubts = function.own
            var circle: (Int, Int)?
            if let name = needs.circles[current], circles.insert(name).inserted {
                doubts.insert(.recursion)
                circle = (needs.circles.count { $0 == name }, needs.rounds[name] ?? 0)
            }
            if !doubts.isEmpty || function.isSwitch {
                found.append(
                    Finding(function: function, doubts: doubts, chain: chain(to: current, parents), circle: circle))
            }
            for call in graph.nodes[current].calls where parents[call.target] == nil {
                parents[call.target] = current
                queue.append(call.target)
            }
        }
        return found
    }

    private func chain(to number: Int, _ parents: [Int: Int]) -> [String] {
        var (chain, current) = ([functions[number].name], number)
        while let parent = parents[current], parent != current {
            chain.append(functions[parent].name)
            current = parent
        }
        return chain.reversed()
    }

    /// Names that are like `name`: those that hold it, whatever the case, the shortest first; else those that begin
    /// like it.
    public func names(like name: String, atMost count: Int = 5) -> [String] {
        let all = Set(functions.map(\.name))
        func best(_ chosen: [String]) -> [String] {
            Array(chosen.sorted { ($0.utf8.count, $0) < ($1.utf8.count, $1) }.prefix(count))
        }
        let wanted = name.lowercased()
        let holding = wanted.isEmpty ? [] : all.filter { $0.lowercased().contains(wanted) }
        if !holding.isEmpty { return best(Array(holding)) }
        // The last part alone, then ever shorter beginnings of the whole.
        let last = wanted.split(separator: ".").last.map(String.init) ?? wanted
        let similar = last.count < 3 ? [] : all.filter { $0.lowercased().hasSuffix("." + last) }
        if !similar.isEmpty { return best(Array(similar)) }
        for length in stride(from: wanted.count - 1, through: 3, by: -1) {
            let beginning = wanted.prefix(length)
            let like = all.filter { $0.lowercased().hasPrefix(beginning) }
            if !like.isEmpty { return best(Array(like)) }
        }
        return []
    }
}
