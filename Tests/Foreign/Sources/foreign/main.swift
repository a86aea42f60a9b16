// `foreign`: each job of code that others wrote, on a thread and on coroutines of every strategy that plain code can
// use. Exits with 1 where a result differs. `foreign KIND STRATEGY` does one of them, `foreign crash` crashes inside a
// coroutine, and `foreign reuse` takes stacks that others had.
import Faultline
import ForeignCode
import Glibc

@inline(never) func crashInCoroutine() throws {
    let coroutine = try Coroutine<Void, Void, Void> { _, _ in bodyThatCrashes() }
    resumeTheOneThatCrashes(coroutine)
}

@inline(never) func bodyThatCrashes() {
    fc_crash()
    fflush(nil)  // not a tail call, so that this frame is there
}

@inline(never) func resumeTheOneThatCrashes(_ coroutine: borrowing Coroutine<Void, Void, Void>) {
    _ = try? coroutine.resume()
    fflush(nil)
}

/// A slot comes back with another number, since those are shared by slots of all sizes: its outermost frame lies
/// elsewhere then, and in part below where the slot was used before.
func takeStacksThatOthersHad() throws {
    for round in 1...8 {
        var coroutines: [Coroutine<Void, Void, Int>] = []
        for number in 0..<20 {
            let configuration = StackConfiguration(maximum: 1 << (20 + number * round % 3))
            let coroutine = try Coroutine<Void, Void, Int>(configuration: configuration) { handle, _ in
                _ = try handle.suspend(())
                return fcSum(number)
            }
            _ = try coroutine.resume()
            coroutines.append(coroutine)
        }
        while !coroutines.isEmpty {
            let coroutine = coroutines.remove(at: coroutines.count * round % 7 % coroutines.count)
            guard round % 2 == 0 else { continue }
            guard case .finished = try coroutine.resume() else { exit(1) }
        }
        StackPool.drain()
    }
}

@inline(never) func fcSum(_ count: Int) -> Int { count == 0 ? 0 : count + fcSum(count - 1) }

let arguments = CommandLine.arguments.dropFirst()
if arguments == ["reuse"] {
    try takeStacksThatOthersHad()
    exit(0)
}
if arguments == ["crash"] { try crashInCoroutine() }
let kinds = Kind.all.filter { arguments.isEmpty || $0.name == arguments.first }
let strategies = StackStrategy.allCases.filter {
    !$0.needsChecks && (arguments.count < 2 || $0.rawValue == arguments.last)
}
guard arguments.count <= 2, !kinds.isEmpty, !strategies.isEmpty else {
    print("foreign: say nothing, 'crash', 'reuse', or a kind of job and a strategy")
    exit(64)
}

// The largest that every strategy can have: `grows-down` is bounded by RLIMIT_STACK, 8 MiB as a rule.
let maximum = 7 << 20
var differences = 0
for kind in kinds {
    let expected = resultsOnThread(kind)
    for strategy in strategies {
        let results = try resultsOnCoroutines(kind, StackConfiguration(strategy: strategy, maximum: maximum))
        let isEqual = results == expected
        print("\(kind.name) \(strategy.rawValue): \(isEqual ? "equal" : "differs")")
        fflush(nil)
        if !isEqual {
            differences += 1
            print("expected \(expected)\ngot      \(results)")
        }
    }
}
exit(differences == 0 ? 0 : 1)
