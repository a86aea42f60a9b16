// Recursion that passes through frames of libraries, on a stack of 1 MiB in a slot of 8 MiB. Started by the crash
// tests:
//
//     RecursionChild STRATEGY CASE LEVELS
//
// LEVELS "forever" is recursion without an end. Says how it ended.
import Dispatch
import Faultline
import Foundation

nonisolated(unsafe) var levels = 0

@inline(never) @_optimize(none) func keep<T>(_ value: T) -> T { value }

/// Counts down: the value of the closure that each level calls.
@inline(never) func descend(_ name: String, _ depth: Int) -> Int {
    if depth >= levels { return 1 }
    let numbers = keep([1, 2, 3])
    switch name {
    case "map": return numbers.map { keep($0) &+ descend(name, depth + 1) }.count
    case "forEach":
        var total = 0
        // swift-format-ignore: ReplaceForEachWithForLoop
        numbers.forEach { total &+= keep($0) &+ descend(name, depth + 1) }
        return total
    case "filter": return numbers.filter { descend(name, depth + 1) > $0 }.count
    case "reduce": return numbers.reduce(0) { $0 &+ $1 &+ descend(name, depth + 1) }
    case "compactMap": return numbers.compactMap { Optional(keep($0) &+ descend(name, depth + 1)) }.count
    case "flatMap": return numbers.flatMap { [keep($0) &+ descend(name, depth + 1)] }.count
    case "sorted": return numbers.sorted { descend(name, depth + 1) > $0 &- $1 }.count
    case "contains": return numbers.contains { descend(name, depth + 1) > $0 + 5 } ? 1 : 0
    case "with-c-string":
        return "a string too long to be small".withCString { Int($0.pointee) &+ descend(name, depth + 1) }
    case "unsafe-bytes": return numbers.withUnsafeBytes { Int($0[0]) &+ descend(name, depth + 1) }
    case "queue-sync":
        let queue = DispatchQueue(label: "level \(depth)")
        return queue.sync { keep(descend(name, depth + 1)) } &+ keep(1)
    case "regex":
        return "x".replacing(keep(/x/)) { _ in "\(descend(name, depth + 1))" }.count &+ keep(0)
    default: fatalError("no case '\(name)'")
    }
}

/// Its text is that of the next level, in brackets.
struct Nested: CustomStringConvertible, Encodable {
    let depth: Int
    var description: String { depth >= levels ? "" : "(\(Nested(depth: depth + 1)))" }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        if depth < levels { try container.encode(Nested(depth: depth + 1)) }
    }
}

/// Its mirror has the next level.
struct Reflected: CustomReflectable {
    let depth: Int
    var customMirror: Mirror {
        Mirror(self, children: depth < levels ? ["next": Reflected(depth: depth + 1)] : [:], displayStyle: .struct)
    }
}

/// Its text is that of an array of the next level.
struct Listed: CustomStringConvertible {
    let depth: Int
    var description: String { depth >= levels ? "" : [Listed(depth: depth + 1)].description }
}

/// Two fields of its own type: objects of a class with one are released in a loop.
final class Node {
    var left: Node?
    var right: Node?
    var others: [Node] = []
}

/// A tree that is deeper than any stack.
func tree(throughArrays: Bool) -> Node {
    let top = Node()
    var last = top
    for depth in 0..<min(levels, 1_000_000) {
        let node = Node()
        if throughArrays {
            last.others = [node]
        } else if depth % 2 == 0 {
            last.left = node
        } else {
            last.right = node
        }
        last = node
    }
    return top
}

func run(_ name: String) throws {
    switch name {
    case "deinit", "deinit-arrays":
        let top = tree(throughArrays: name == "deinit-arrays")
        _ = consume top
    case "interpolation": _ = keep("\(Nested(depth: 0))")
    case "describing": _ = keep(String(describing: Nested(depth: 0)))
    case "array-description": _ = keep(Listed(depth: 0).description)
    case "reflection": _ = keep(String(describing: Reflected(depth: 0)))
    case "dump":
        var text = ""
        dump(Reflected(depth: 0), to: &text)
    case "print": print(Nested(depth: 0))
    case "json-encoder": _ = try JSONEncoder().encode(Nested(depth: 0))
    default: _ = descend(name, 0)
    }
}

let arguments = CommandLine.arguments
guard arguments.count == 4, let strategy = StackStrategy(rawValue: arguments[1]) else {
    print("RecursionChild STRATEGY CASE LEVELS")
    exit(64)
}
levels = arguments[3] == "forever" ? .max : Int(arguments[3])!
let configuration = StackConfiguration(
    strategy: strategy, maximum: 1 << 20, reservation: 8 << 20, isIsolated: true)
for round in 1...3 {
    do {
        try withStack(configuration) { try run(arguments[2]) }
        print("round \(round): returned")
    } catch StackFault.overflow(let overflow) {
        print("round \(round): overflow of \(overflow.limit) bytes")
    }
}
// What the libraries share still works.
print(
    try String(decoding: JSONEncoder().encode([1]), as: UTF8.self), DispatchQueue(label: "last").sync { "in a queue" })
