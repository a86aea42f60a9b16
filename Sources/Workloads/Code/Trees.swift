// Swift twin of the kernel trees.c: the same trees as reference-counted objects, freed by their deinitializers.

private final class Tree {
    let left: Tree?
    let right: Tree?

    init(_ left: Tree?, _ right: Tree?) {
        self.left = left
        self.right = right
    }
}

private func bushy(_ depth: UInt64) -> Tree {
    depth == 0 ? Tree(nil, nil) : Tree(bushy(depth - 1), bushy(depth - 1))
}

private func spine(_ length: UInt64) -> Tree? {
    length == 0 ? nil : Tree(nil, spine(length - 1))
}

private func count(_ tree: Tree?) -> UInt64 {
    guard let tree else { return 0 }
    return count(tree.left) + 1 + count(tree.right)
}

private func countAndDrop(_ tree: consuming Tree?) -> UInt64 {
    count(tree)
}

/// Allocates, counts and frees bushy trees up to depth `parameter` and a spine of 500 nodes per depth.
/// counts[0]: nodes allocated. The checksum is over the node counts of all trees in order.
@c(fl_trees_swift_run)
public func runTreesCode(
    _ input: UnsafePointer<UInt8>?, _ length: Int, _ parameter: UInt64, _ outcome: UnsafeMutableRawPointer
) -> UInt64 {
    let outcome = CodeOutcome(outcome)
    guard (4...30).contains(parameter) else {
        outcome.fail("trees: the depth must be 4 to 30")
        return 0
    }
    var hash = FNVHash()
    var total: UInt64 = 0
    let lasting = bushy(parameter)
    for depth in stride(from: 4, through: parameter, by: 2) {
        var nodes: UInt64 = 0
        for _ in 0..<(UInt64(1) << (parameter - depth)) {
            nodes += countAndDrop(bushy(depth))
        }
        hash.add(word: nodes)
        total += nodes
    }
    let spineNodes = countAndDrop(spine(parameter * 500))
    let lastingNodes = count(lasting)
    hash.add(word: spineNodes)
    hash.add(word: lastingNodes)
    outcome.setCount(0, total + spineNodes + lastingNodes)
    return hash.value
}
