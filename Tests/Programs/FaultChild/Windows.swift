// Where glibc blocks every signal: a growth of a `fault` stack there ends the process (Faultline.docc/Hosts.md).
import CShim
import Faultline
import Glibc
import TestSupport

private let (step, farthest) = (16, 4096)

/// How a child of fork ends that calls a function where the guard below the first 64 KiB is `distance` away.
private func ending(_ strategy: StackStrategy, _ function: Int, _ distance: Int) -> Int32 {
    let child = ts_fork()
    if child == 0 {
        // A death is what is counted.
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        var result: Int32 = 0
        let text = outcome(.init(strategy: strategy)) { result = ts_call_near_end(function, distance) }
        _exit(text == "returned" ? result : 99)
    }
    var status: Int32 = 0
    require(waitpid(child, &status, 0) == child, "no child")
    return status
}

let windowScenarios: [String: Scenario] = [
    // libc-windows STRATEGY: for each function, at how many bytes of distance a growth inside it was fatal.
    "libc-windows": { arguments in
        let strategy = StackStrategy(rawValue: arguments[0])!
        var function = 0
        while let name = ts_window_name(function) {
            var fatal = 0
            for distance in stride(from: step, through: farthest, by: step) {
                let status = ending(strategy, function, distance)
                if status == SIGSEGV { fatal += step }
                require(status == 0 || status == SIGSEGV, "\(distance): status \(status)")
            }
            say("\(String(cString: name))=\(fatal) of \(farthest) bytes")
            function += 1
        }
    }
]
