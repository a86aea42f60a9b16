import CShim
import Faultline
import Glibc
@inline(never) @_optimize(none) func keep<T>(_ value: T) -> T { value }
@inline(never) func nest(_ d: Int, _ s: String) -> [String] {
    if d == 0 { return [s] }
    var r = nest(d - 1, s + "x")
    r.append("\(s.utf8.count) \(d)")
    return r
}
let e = nest(60, "")
let all: [(PageMover, StackGuard)] = [(PageMover.copy, StackGuard.protNone), (.copy, .guardPages), (.uffdioMove, .guardPages), (.mremap, .protNone), (.mremap, .guardPages)]
let pick = CommandLine.arguments.dropFirst().map { Int($0)! }
var moves = 0
for i in 0..<4000 {
    let (m, g) = all[pick[i % pick.count]]
    let r = try withStack(.init(strategy: .faultMove, initial: 16 << 10, guardKind: g, mover: m), statistics: { moves += $0.moves.values.reduce(0, +)}) {
        _ = fl_debug_provoke_moves(40, false)
        defer { _ = fl_debug_provoke_moves(0, false) }
        var r = true
        for _ in 0..<4 { r = r && nest(60, "") == e }
        return r
    }
    if !r { print("\(m) \(g) \(i) differs\n") }
}
print("ok \(moves)\n")
