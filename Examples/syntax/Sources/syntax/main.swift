// Parses source that is nested 20,000 deep with swift-syntax, and walks the tree, in a task.
//
// Parser and visitor recurse once or more for each level. A task runs on a thread whose stack has 8 MiB and cannot be
// given more; the parser therefore gives up at 256 levels unless it is told otherwise. On a growable stack it may be.
//
//     syntax             parses and walks on a growable stack
//     syntax --without   the same on the task's own stack, where the process dies
import Faultline
import SwiftParser
import SwiftSyntax

/// Counts how deep parentheses stand inside each other.
final class Nesting: SyntaxVisitor {
    private var level = 0
    private(set) var deepest = 0

    override func visit(_ node: TupleExprSyntax) -> SyntaxVisitorContinueKind {
        level += 1
        deepest = max(deepest, level)
        return .visitChildren
    }

    override func visitPost(_ node: TupleExprSyntax) { level -= 1 }
}

@Sendable func nesting(of source: String) -> (levels: Int, isComplete: Bool) {
    var parser = Parser(source, maximumNestingLevel: .max)
    let tree = SourceFileSyntax.parse(from: &parser)
    let nesting = Nesting(viewMode: .sourceAccurate)
    nesting.walk(tree)
    return (nesting.deepest, !tree.hasError)
}

let levels = 20_000
let source = "let x = " + String(repeating: "(", count: levels) + "1" + String(repeating: ")", count: levels)

let result =
    if CommandLine.arguments.contains("--without") {
        await Task { nesting(of: source) }.value
    } else {
        try await Task {
            try withGrowableStack(maximum: StackConfiguration.largestMaximum) { nesting(of: source) }
        }.value
    }
print("parsed \(result.levels) levels, \(result.isComplete ? "without an error" : "with errors")")
