import Glibc

/// Names of signals.
enum SignalName {
    /// The name of signal `number`, for instance "SIGSEGV".
    static func of(_ number: Int32) -> String {
        switch number {
        case SIGSEGV: "SIGSEGV"
        case SIGBUS: "SIGBUS"
        case SIGILL: "SIGILL"
        case SIGTRAP: "SIGTRAP"
        case SIGABRT: "SIGABRT"
        case SIGALRM: "SIGALRM"
        case SIGKILL: "SIGKILL"
        default: "signal \(number)"
        }
    }
}
