// What the host program does to threads and the process under the stacks: repaired, refused or said
// (Faultline.docc/Hosts.md).
import Glibc
import TestNeeds
import Testing

@Suite struct Hosts {
    @Test(arguments: ["fault", "fault-move", "demand"], ["early", "late"])
    func aThreadThatBlocksEverySignalStillTakesItsFaults(_ strategy: String, _ when: String) throws {
        try expectChild("blocked \(strategy) \(when)", ends: .exited(0), writes: ["done"], seconds: 30)
    }

    /// Bound at start: the dynamic linker's own frames would make room for all that follow.
    @Test(arguments: ["fault", "demand"])
    func aGrowthWhereLibcBlocksEverySignalIsFatalInFewPlaces(_ strategy: String) throws {
        let result = try expectChild(
            "libc-windows \(strategy)", ends: .exited(0), writes: ["done"], environment: ["LD_BIND_NOW": "1"])
        for name in ["aio_read", "system", "posix_spawn", "popen", "pthread_create"] {
            let fatal = try #require(result.number(name))
            #expect(strategy == "fault" ? fatal <= 1024 : fatal == 0, "\(name): \(fatal)")
        }
        // Else nothing was measured.
        if strategy == "fault" { #expect(try #require(result.number("aio_read")) > 0) }
    }

    @Test(arguments: ["disabled", "small"]) func anAlternateStackThatOthersTookIsPutBack(_ how: String) throws {
        try expectChild("alternate-stack \(how)", ends: .exited(0), writes: ["done"], seconds: 30)
    }

    @Test func theHandlerStaysWithinTheAlternateStackThatItIsGiven() throws {
        try expectChild("small-alternate-stack", ends: .exited(0), writes: ["done"], seconds: 30)
    }

    @Test func aCoroutineInsideASignalHandlerIsRefused() throws {
        try expectChild(
            "in-handler", ends: .exited(0),
            writes: ["refused: ", "refused, too: ", "alternate stack: run no coroutine inside it", "done"],
            never: ["entered"], seconds: 30)
    }

    @Test func aCoroutineThatASignalHandlerResumesEndsTheProcessWithTheRule() throws {
        try expectChild(
            "resumed-in-handler", ends: .signalled(SIGSEGV), writes: ["run no coroutine inside a signal handler"],
            never: ["returned"], seconds: 30)
    }

    @Test func aReplacedHandlerIsNoticedWhereStacksComeFromThePool() throws {
        try expectChild(
            "handler-replaced", ends: .exited(0),
            writes: ["refused: ", "call FaultHandler.install() after it", "done"],
            never: ["not noticed"], seconds: 30)
    }

    @Test func aThreadWithTheAddressOfAnotherThatEndedIsNotTakenForIt() throws {
        try expectChild(
            "same-thread-pointer", ends: .signalled(SIGILL),
            writes: ["the same pointer", "on the thread that started it"],
            never: ["went on"], seconds: 60)
    }

    @Test func aBodyThatSwallowsItsCancellationEndsTheProcessWithTheRule() throws {
        try expectChild(
            "swallows-cancellation", ends: .signalled(SIGILL), writes: ["goes on after its cancellation"],
            never: ["ended"], seconds: 30)
    }

    @Test func aJobThatSwallowsItsCancellationEndsTheProcessWithTheRule() throws {
        try expectChild(
            "job-swallows-cancellation", ends: .signalled(SIGILL), writes: ["a job goes on after its cancellation"],
            never: ["ended"], seconds: 30)
    }

    @Test func aCxxExceptionThatLeavesACoroutineEndsTheProcessWithAMessage() throws {
        try expectChild(
            "exception-leaves", ends: .signalled(SIGABRT), writes: ["a C++ exception left a coroutine", "terminate"],
            never: ["returned"], seconds: 30)
    }

    @Test(arguments: ["with-stack", "coroutine", "kept", "owned"])
    func aThreadThatIsCancelledInsideAStackGivesItBack(_ what: String) throws {
        try expectChild("cancelled-thread \(what)", ends: .exited(0), writes: ["done"], seconds: 60)
    }

    @Test(.needs(.guardPages), arguments: ["resume", "end"])
    func hibernatedCoroutinesOutliveAClosedUserfaultfd(_ what: String) throws {
        try expectChild("closed-descriptors \(what)", ends: .exited(0), writes: ["done"], seconds: 30)
    }
}
