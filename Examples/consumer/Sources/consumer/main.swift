// Parses 100,000 nested brackets by recursion, first on a growable stack, then with too small a maximum.
import Faultline

func depth(of text: Substring.UTF8View) -> Int {
    var rest = text
    func nested() -> Int {
        guard rest.first == UInt8(ascii: "[") else { return 0 }
        rest.removeFirst()
        let inside = nested()
        rest.removeFirst()
        return inside + 1
    }
    return nested()
}

let text = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
print("depth \(try withGrowableStack { depth(of: Substring(text).utf8) })")

do {
    _ = try withGrowableStack(maximum: 64 << 10) { depth(of: Substring(text).utf8) }
} catch StackFault.overflow(let overflow) {
    print("overflow at \(overflow.limit) bytes: \(overflow.backtrace.isEmpty ? "no frames" : "with frames")")
}

let squares = Generator<Int> { (yield: borrowing Generator<Int>.Yield) in
    for n in 1...3 { try yield.suspend(n * n) }
}
print("squares \(Array(squares))")
