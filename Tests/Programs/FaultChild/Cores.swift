// Ends with a core file, in the middle of a coroutine, while many others wait.
import CShim
import Faultline
import Glibc
import TestSupport

@inline(never) private func coreInner(_ how: String) -> Int {
    switch how {
    case "abort": abort()
    case "nil": ts_read_byte(keep(16))
    case "trap": return keep([Int]())[keep(1)]
    case "breakpoint": ts_raise(SIGTRAP)
    default: ts_raise(Int32(how)!)
    }
    return keep(1)
}

@inline(never) private func coreOuter(_ how: String) -> Int { coreInner(how) &+ keep(1) }

/// Lets the process leave a core file in the folder; none where that is "none".
func allowCore(in folder: String) {
    if folder == "none" { return }
    var limit = rlimit(rlim_cur: rlim_t.max, rlim_max: rlim_t.max)
    require(setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) == 0, "no core file is allowed")
    require(chdir(folder) == 0, "no folder \(folder)")
}

let coreScenarios: [String: Scenario] = [
    // core HOW FOLDER COUNT REFUSED: a core file in the folder, or none where that is "none"; a site whose calls are
    // refused, or "none".
    "core": { arguments in
        let how = arguments[0]
        allowCore(in: arguments[1])
        if let site = UInt32(arguments[3]) { fl_debug_fail(fl_site(rawValue: site)!, EPERM, 0) }
        let configuration = StackConfiguration(reservation: 8 << 20)
        let waiting = try (0..<Int(arguments[2])!).map { _ in
            let co = try Coroutine<Void, Void, Void>(configuration: configuration) { (co: borrowing _, _) in
                try co.suspend(())
            }
            _ = try co.resume()
            return co
        }
        say("dumped=\(dumpedBytes() >> 20) MiB")
        try withExtendedLifetime(waiting) { try withStack(configuration) { _ = coreOuter(how) } }
        say("survived")
    }
]

/// Bytes of all mappings that a core file would hold: written to, private, and not left out.
private func dumpedBytes() -> Int {
    var (size, anonymous, all) = (0, 0, 0)
    for fields in kernelFields("/proc/self/smaps") {
        switch fields[0] {
        case "Size": size = Int(fields[1])! << 10
        case "Anonymous": anonymous = Int(fields[1])!
        case "VmFlags" where !fields.contains("dd") && anonymous > 0: all += size
        default: break
        }
    }
    return all
}
