// Ctrl-C: the first asks the program to stop, the second ends the process as if there were no handler.

import Glibc
import Synchronization

enum Interruption {
    private static let isRequestedFlag = Atomic<Bool>(false)

    /// Whether the user pressed Ctrl-C since ``listen()``.
    static var isRequested: Bool { isRequestedFlag.load(ordering: .relaxed) }

    /// Takes the next SIGINT as a request.
    ///
    /// The handler runs on the signal stack, because it may come while a small stack runs. It only stores to the flag,
    /// which has been initialized before.
    static func listen() {
        isRequestedFlag.store(false, ordering: .relaxed)
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in Interruption.isRequestedFlag.store(true, ordering: .relaxed) }
        action.sa_flags = Int32(SA_ONSTACK) | Int32(SA_RESTART) | Int32(bitPattern: UInt32(SA_RESETHAND))
        sigemptyset(&action.sa_mask)
        // It fails only for signals that cannot be handled, which SIGINT is not.
        sigaction(SIGINT, &action, nil)
        // The program that started this one may have blocked it: some start others from threads that take no signals.
        var interrupt = sigset_t()
        sigemptyset(&interrupt)
        sigaddset(&interrupt, SIGINT)
        pthread_sigmask(SIG_UNBLOCK, &interrupt, nil)
    }
}
