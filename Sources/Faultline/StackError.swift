// Errors, and what helps against them.
internal import CShim

#if canImport(Glibc)
    import Glibc
#endif

/// Why a stack or coroutine could not be made, resumed, hibernated or shrunk.
public enum StackError: Error, Equatable, CustomStringConvertible {
    /// The configuration contradicts itself or this machine; the text says what to do. Where one option is at fault, it
    /// is named, and the text goes on after its name.
    case invalidConfiguration(String, option: StackOption? = nil)
    /// The kernel, or ``StackMemory/limit``, refused what a stack needs.
    case unavailable(Refusal)
    /// The coroutine has ended: it finished, was cancelled, or was ended by a stack fault.
    case finished
    /// The coroutine cannot hibernate as it is; the text says why.
    case notHibernatable(String)
    /// The coroutine cannot be shrunk as it is; the text says why.
    case notShrinkable(String)

    public var description: String {
        switch self {
        case .invalidConfiguration(let text, let option?): "\(option.rawValue) \(text)"
        case .invalidConfiguration(let text, nil): text
        case .finished: "the coroutine has ended and cannot be resumed"
        case .notHibernatable(let text): "the coroutine cannot hibernate: \(text)"
        case .notShrinkable(let text): "the coroutine cannot be shrunk: \(text)"
        case .unavailable(let refusal): refusal.description
        }
    }

    /// A step that failed, and what it was for.
    public struct Refusal: Sendable, Hashable, CustomStringConvertible {
        /// What a step is for.
        public enum Purpose: Sendable {
            /// Making a stack, or installing the fault handler.
            case creation
            /// Making room on a stack that runs.
            case growth
            /// Hibernating a coroutine, or reading how much memory the process has for ``HibernationPolicy``.
            case hibernation
            /// Restoring a hibernated coroutine.
            case restoration
            /// Shrinking a coroutine.
            case shrinking

            fileprivate var failed: String {
                switch self {
                case .creation: "no stack"
                case .growth: "no room"
                case .hibernation: "no hibernation"
                case .restoration: "not restored"
                case .shrinking: "no shrinking"
                }
            }
        }

        /// One call, or several of which the shim does not tell which one failed.
        enum Step: Hashable {
            case call(fl_site)
            case initialization
            case valueBinding
        }

        /// What the step was for.
        public let purpose: Purpose
        /// The error number, for instance `ENOMEM`.
        public let errno: Int32
        let step: Step
        /// The limit that the step met, as it was found right afterwards.
        let limit: MetLimit?

        init(_ step: Step, _ errno: Int32, for purpose: Purpose) {
            self.step = step
            self.errno = errno
            self.purpose = purpose
            limit = step == .call(.FL_SITE_STACK_MEMORY) ? nil : MetLimit(errno)
        }

        /// The name of the step, for instance `arena-map`: one of the names in `CShim/src/system.c`.
        public var call: String {
            switch step {
            case .call(let site): String(cString: fl_site_name(site))
            case .initialization: "initialization"
            case .valueBinding: "the copy of task-local values"
            }
        }

        public var description: String {
            "\(purpose.failed): \(call) failed with errno \(errno): \(errorText(errno))\(remedy)"
        }

        /// What helps: empty, or a clause that begins with a semicolon.
        var remedy: String {
            switch (step, errno) {
            case (.call(.FL_SITE_HANDLER_SET), EBUSY):
                "; another library replaced the SIGSEGV or SIGBUS handler: call FaultHandler.install() after it"
            case (.call(.FL_SITE_ALTERNATE_SET), EBUSY):
                "; a signal handler runs on this thread's alternate stack: run no coroutine inside it"
            case (.call(.FL_SITE_STACK_MEMORY), _): "; all stacks together may use no more: raise StackMemory.limit"
            case (.call(.FL_SITE_ANNOUNCE), EAGAIN): "; ThreadSanitizer can follow no more coroutines at a time"
            case (.call(.FL_SITE_ANNOUNCE), ENOMEM) where purpose == .growth:
                "; ThreadSanitizer can follow no deeper recursion"
            case (.call(.FL_SITE_ANNOUNCE), ENOTSUP):
                "; a sanitizer cannot follow a stack that moves: choose another strategy"
            case (_, ENOMEM): "; " + (limit?.remedy ?? "free memory or ask for smaller stacks")
            default: limit.map { "; " + $0.remedy } ?? ""
            }
        }
    }
}
