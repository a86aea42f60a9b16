// Frees a tree of 1,000,000 nodes that is one long branch, as sorted keys make it in a search tree without balance.
//
// Swift frees what a node owns inside that node's deinit, so the recursion is as deep as the tree, and none of it is
// code that could count its depth. Here the deinit of the tree does it on a growable stack, and its users need not
// know.
//
//     release             frees it on a growable stack
//     release --without   frees it on the thread's own stack, where the process dies
import Faultline

final class Node {
    nonisolated(unsafe) static var alive = 0
    let key: Int
    var left: Node?
    var right: Node?

    init(_ key: Int) {
        self.key = key
        Self.alive += 1
    }

    deinit { Self.alive -= 1 }
}

final class Tree {
    private var root: Node?
    private var largest: Node?

    func append(_ key: Int) {
        let node = Node(key)
        if let largest { largest.right = node } else { root = node }
        largest = node
    }

    deinit {
        largest = nil
        guard !CommandLine.arguments.contains("--without") else { return }
        do {
            try withGrowableStack { root = nil }
        } catch {
            fatalError("the tree could not be freed: \(error)")
        }
    }
}

do {
    let tree = Tree()
    for key in 0..<1_000_000 { tree.append(key) }
    print("\(Node.alive) nodes")
}
print("\(Node.alive) nodes are left")
