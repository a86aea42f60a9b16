// RLIMIT_STACK, which bounds the strategy grows-down.

import Faultline
import Glibc

enum StackLimit {
    /// The soft limit in bytes; `Int.max` where there is none.
    static var current: Int {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(UInt32(RLIMIT_STACK.rawValue)), &limit)
        return Int(clamping: limit.rlim_cur)
    }

    /// The largest maximum that a `grows-down` stack may have here: the limit, in whole pages.
    static var maximum: Int { min(current, StackConfiguration.largestMaximum) & ~4095 }
}
