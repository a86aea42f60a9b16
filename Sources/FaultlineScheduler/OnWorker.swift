// Where locks are taken, whatever stack calls.
internal import CScheduler

/// Runs `body` here, and to its end even where the stack overflows meanwhile, so that it unlocks what it locked. The
/// handler of a Task's cancellation runs so on a job's stack, too: the Swift runtime calls it with a lock, and a switch
/// would hide from ThreadSanitizer who has that.
func withoutAbandon(_ body: () -> Void) {
    withoutActuallyEscaping(body) { body in
        var body = body
        withUnsafeMutablePointer(to: &body) { pointer in
            fls_call_no_abandon({ $0!.assumingMemoryBound(to: (() -> Void).self).pointee() }, pointer)
        }
    }
}

/// Runs `body` on the worker's stack if a job calls, else right here.
func onWorkerIfAny<R>(_ body: () -> R) -> R {
    var result: R?
    guard let job = AnyJob.running() else {
        withoutAbandon { result = body() }
        guard let result else { preconditionFailure("a closure that was called has a result") }
        return result
    }
    job.onWorker {
        result = body()
        return .proceed
    }
    guard let result else { preconditionFailure("a worker serves every request") }
    return result
}
