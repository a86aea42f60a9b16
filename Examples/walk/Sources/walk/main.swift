// Do two trees have the same leaves in the same order? The walk is plain recursion, written once as a generator; two of
// them run beside each other, and the comparison stops at the first difference.
import Faultline

indirect enum Tree {
    case leaf(Int)
    case branch(Tree, Tree)

    /// Each iteration is a coroutine of its own, which suspends at whatever depth the leaf stands.
    var leaves: Generator<Int> {
        Generator { (yield: borrowing Generator<Int>.Yield) in
            func visit(_ tree: Tree) throws {
                switch tree {
                case .leaf(let value): try yield.suspend(value)
                case .branch(let left, let right):
                    try visit(left)
                    try visit(right)
                }
            }
            try visit(self)
        }
    }
}

/// How many leaves agree before the first difference, and whether both trees ended there.
func compare(_ first: Tree, _ second: Tree) -> (agreeing: Int, areEqual: Bool) {
    let first = first.leaves.makeIterator()
    let second = second.leaves.makeIterator()
    var agreeing = 0
    while true {
        switch (first.next(), second.next()) {
        case (nil, nil): return (agreeing, true)
        case (let a, let b) where a == b: agreeing += 1
        default: return (agreeing, false)
        }
    }
}

func leaning(left values: [Int]) -> Tree {
    values.dropFirst().reduce(.leaf(values[0])) { .branch($0, .leaf($1)) }
}

func leaning(right values: [Int]) -> Tree {
    values.dropLast().reversed().reduce(.leaf(values[values.count - 1])) { .branch(.leaf($1), $0) }
}

let numbers = Array(1...10_000)
let left = leaning(left: numbers)
let right = leaning(right: numbers)
print("the same leaves:", compare(left, right))

var other = numbers
other[4] = 0
print("one of them changed:", compare(left, leaning(right: other)))
print("squares of the first three:", left.leaves.prefix(3).map { $0 * $0 })
