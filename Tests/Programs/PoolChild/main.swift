// Says in numbers what the pool keeps, takes and gives back, in a process that does nothing else. Started by the tests:
//
//     PoolChild NAME [ARGUMENT…]
//
// Each scenario writes lines of `key=value` to standard error.
import Glibc

guard arguments.count > 1, let scenario = scenarios[arguments[1]] else {
    say("PoolChild NAME [ARGUMENT…]: one of \(scenarios.keys.sorted().joined(separator: ", "))")
    exit(64)
}
try scenario()
say("done")
