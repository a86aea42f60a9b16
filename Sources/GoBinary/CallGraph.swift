// Which functions call which, how deep the stack is there, and what follows for the stack that each needs. Knows
// neither Go nor files. A program may have 100,000 functions, and a damaged file any shape of calls: nothing here
// recurses, and all of it takes time in proportion to functions and calls.

/// Why the stack that a call tree needs has no known bound.
public struct StackDoubts: OptionSet, Sendable, Hashable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Functions that call each other in a circle: the stack depends on data.
    public static let recursion = StackDoubts(rawValue: 1)
    /// A call of what a register or memory holds: closures, interfaces, function values.
    public static let indirectCall = StackDoubts(rawValue: 2)
    /// Functions that a `defer` noted, which run when their function ends.
    public static let deferredCall = StackDoubts(rawValue: 4)
    /// Code that no table describes, such as C in a Go program, or another library.
    public static let foreignCode = StackDoubts(rawValue: 8)
    /// Code that moves the stack pointer in ways that no table tells, or whose frame no table tells.
    public static let unknownFrame = StackDoubts(rawValue: 16)
    /// Code that is not understood.
    public static let unclearCode = StackDoubts(rawValue: 32)

    /// Each, with what it is called.
    public static let all: [(doubt: StackDoubts, name: String)] = [
        (.recursion, "recursion"), (.indirectCall, "indirect calls"), (.deferredCall, "deferred calls"),
        (.foreignCode, "foreign code"), (.unknownFrame, "unknown frames"), (.unclearCode, "unclear code"),
    ]

    /// The names of those that it has.
    public var names: [String] { Self.all.filter { contains($0.doubt) }.map(\.name) }
}

/// Functions by number, with their calls.
struct CallGraph {
    struct Call: Hashable {
        let target: Int
        /// Bytes of stack from the entry of the caller to the entry of the target: the return address included, if
        /// there is one.
        let depth: Int
    }

    /// What one function does by itself.
    struct Node {
        /// How far it moves the stack pointer, as far as that is known.
        var frame: Int
        var doubts: StackDoubts = []
        var calls: [Call] = []
    }

    /// Deeper ones are damage: no stack is so large. Sums over all functions then stay far below 2^63.
    static let deepest = 1 << 40

    private(set) var nodes: [Node] = []

    mutating func append(_ node: Node) {
        nodes.append(node)
    }
}

/// What each function needs, calls included.
struct StackNeeds {
    /// Bytes below the return address of the function, along calls that are known; of functions that call each other in
    /// a circle, those of one round.
    private(set) var bytes: [Int]
    /// The call that leads deepest; nil where the function's own frame does.
    private(set) var deepest: [CallGraph.Call?]
    /// Those of the function and of all that it calls.
    private(set) var doubts: [StackDoubts]
    /// The circle that a function is in, as the lowest number of its functions.
    private(set) var circles: [Int?]
    /// How many bytes a round of each circle takes at most, by the same number.
    private(set) var rounds: [Int: Int] = [:]

    init(_ graph: CallGraph) {
        let count = graph.nodes.count
        bytes = Array(repeating: 0, count: count)
        deepest = Array(repeating: nil, count: count)
        doubts = Array(repeating: [], count: count)
        circles = Array(repeating: nil, count: count)
        var components = Components(graph)
        // Callees come before their callers.
        while let members = components.next() { settle(members, graph, components.number) }
    }

    /// Functions that call each other in a circle, or one function.
    private mutating func settle(_ members: [Int], _ graph: CallGraph, _ component: [Int]) {
        let own = component[members[0]]
        var shared: StackDoubts = []
        var isCircle = false
        var round = 0
        for member in members {
            let node = graph.nodes[member]
            shared.formUnion(node.doubts)
            var (need, way, within) = (node.frame, CallGraph.Call?.none, 0)
            for call in node.calls {
                if component[call.target] == own {
                    isCircle = true
                    within = max(within, call.depth)
                } else {
                    shared.formUnion(doubts[call.target])
                    if call.depth + bytes[call.target] > need {
                        (need, way) = (call.depth + bytes[call.target], call)
                    }
                }
            }
            round += within
            (bytes[member], deepest[member]) = (need, way)
        }
        if isCircle { shared.insert(.recursion) }
        let name = members.min()!
        for member in members {
            doubts[member] = shared
            if isCircle { circles[member] = name }
        }
        if isCircle { rounds[name] = round }
    }
}

/// Strongly connected components, callees first (Tarjan's algorithm with a stack of its own).
private struct Components {
    private let graph: CallGraph
    /// The component of each function, as soon as it is known.
    private(set) var number: [Int]
    private var order: [Int]
    private var low: [Int]
    private var isOpen: [Bool]
    private var open: [Int] = []
    private var visits: [(node: Int, call: Int)] = []
    private var (nextOrder, nextNumber, nextRoot) = (0, 0, 0)

    init(_ graph: CallGraph) {
        self.graph = graph
        let count = graph.nodes.count
        number = Array(repeating: -1, count: count)
        order = Array(repeating: -1, count: count)
        low = Array(repeating: 0, count: count)
        isOpen = Array(repeating: false, count: count)
    }

    private mutating func enter(_ node: Int) {
        (order[node], low[node]) = (nextOrder, nextOrder)
        nextOrder += 1
        isOpen[node] = true
        open.append(node)
        visits.append((node, 0))
    }

    mutating func next() -> [Int]? {
        while true {
            guard let (node, call) = visits.last else {
                while nextRoot < order.count, order[nextRoot] >= 0 { nextRoot += 1 }
                if nextRoot == order.count { return nil }
                enter(nextRoot)
                continue
            }
            let calls = graph.nodes[node].calls
            if call < calls.count {
                visits[visits.count - 1].call += 1
                let target = calls[call].target
                if order[target] < 0 {
                    enter(target)
                } else if isOpen[target] {
                    low[node] = min(low[node], order[target])
                }
                continue
            }
            visits.removeLast()
            if let parent = visits.last?.node { low[parent] = min(low[parent], low[node]) }
            if low[node] == order[node] {
                let start = open.lastIndex(of: node)!
                let members = Array(open[start...])
                open.removeSubrange(start...)
                for member in members { (number[member], isOpen[member]) = (nextNumber, false) }
                nextNumber += 1
                return members
            }
        }
    }
}
