internal import CShim
public import CSwitch

/// What coroutines need of the shim and not of their types, so that the rest can be inlined and specialized.
@usableFromInline enum FiberSupport {
    /// What `fl_fiber_status` says of a coroutine without flags.
    @inlinable static var created: UInt64 { UInt64(fl_fiber_state.FL_FIBER_CREATED.rawValue) }
    @inlinable static var suspended: UInt64 { UInt64(fl_fiber_state.FL_FIBER_SUSPENDED.rawValue) }
    static var finished: UInt64 { UInt64(fl_fiber_state.FL_FIBER_FINISHED.rawValue) }
    @inlinable static var running: UInt64 { UInt64(fl_fiber_state.FL_FIBER_RUNNING.rawValue) }

    static func stack(_ fiber: UnsafeMutablePointer<fl_fiber>) -> UnsafeMutablePointer<fl_stack> {
        UnsafeMutableRawPointer(fiber).assumingMemoryBound(to: fl_stack.self)  // its first member
    }

    /// The fiber of a stack that runs on this thread at once.
    @inlinable
    static func onThread(_ configuration: StackConfiguration) throws(StackError) -> UnsafeMutablePointer<fl_fiber> {
        if let fiber = fl_fiber_start_again(configuration.number) { return fiber }
        return try start(configuration.number, configuration)
    }

    /// The same for one of ``withGrowableStack(maximum:_:)``.
    @inlinable
    static func growable(_ maximum: Int) throws(StackError) -> UnsafeMutablePointer<fl_fiber> {
        let number = StackConfiguration.number(isolated: maximum)
        if let fiber = fl_fiber_start_again(number) { return fiber }
        return try start(number, StackConfiguration(maximum: maximum, isIsolated: true))
    }

    /// The fiber of a coroutine that starts with the values that `TaskLocal` has bound now.
    @inlinable
    static func makeBound(_ configuration: StackConfiguration) throws(StackError) -> UnsafeMutablePointer<fl_fiber> {
        if fl_has_no_bindings(), let fiber = fl_fiber_create_again(configuration.number) { return fiber }
        return try makeOtherwise(configuration)
    }

    @usableFromInline @inline(never)
    static func makeOtherwise(
        _ configuration: StackConfiguration
    ) throws(StackError) -> UnsafeMutablePointer<fl_fiber> {
        if fl_has_no_bindings() { return try make(configuration.number, configuration) }
        let bindings = try TaskLocalBindings()
        let fiber = try make(configuration.number, configuration)
        bindings.give(to: fiber)
        return fiber
    }

    /// The configuration is looked at where none of that number can be had at once.
    private static func make(
        _ number: UInt64, _ configuration: @autoclosure () -> StackConfiguration
    ) throws(StackError) -> UnsafeMutablePointer<fl_fiber> {
        if let fiber = fl_fiber_create_again(number) { return fiber }
        try initializeShim()
        var resolved = try configuration().resolved()
        var failure = fl_failure()
        guard let stack = fl_stack_create(&resolved, number, &failure) else {
            throw StackError(failure, for: .creation)
        }
        return UnsafeMutableRawPointer(stack).assumingMemoryBound(to: fl_fiber.self)
    }

    @usableFromInline
    static func start(
        _ number: UInt64, _ configuration: @autoclosure () -> StackConfiguration
    ) throws(StackError) -> UnsafeMutablePointer<fl_fiber> {
        let fiber = try make(number, configuration())
        do { try bindToThread(fiber) } catch {
            fl_fiber_destroy(fiber)
            throw error
        }
        return fiber
    }

    /// Lets the coroutine run the body in the mailbox at `space`.
    @inlinable
    static func prepare(_ fiber: UnsafeMutablePointer<fl_fiber>, _ space: UnsafeMutableRawPointer) {
        let frame = fiber.pointee.frame.unsafelyUnwrapped
        frame.pointee.body = fl_run_mailbox
        frame.pointee.argument = space
    }

    /// Ends the process, in release builds with its reason too: a rule that only the caller can keep is broken.
    @usableFromInline
    static func isBroken(_ rule: StaticString) -> Never { fatalError("\(rule)") }

    @usableFromInline
    static func isOnAnotherStack(_ call: StaticString) -> Never {
        fatalError(
            """
            \(call) was called on another stack than the coroutine's own; below withGrowableStack, or inside another \
            coroutine's body, only the innermost stack can be left
            """)
    }

    static func requireItsThread(_ fiber: UnsafeMutablePointer<fl_fiber>) {
        guard fiber.pointee.thread != fl_thread_id() else { return }
        isBroken(
            """
            a coroutine that was started is resumed, hibernated and destroyed on the thread that started it, because \
            compilers keep addresses of the thread in registers across a suspension; make it where it runs, or use a job \
            of FaultlineScheduler
            """)
    }

    static func requireItsThreadIfSuspended(_ fiber: UnsafeMutablePointer<fl_fiber>) {
        switch fiber.pointee.state {
        case .FL_FIBER_SUSPENDED, .FL_FIBER_IDLE, .FL_FIBER_HIBERNATED: requireItsThread(fiber)
        case .FL_FIBER_CREATED, .FL_FIBER_RUNNING, .FL_FIBER_FINISHED, .FL_FIBER_FAULTED: break
        }
    }

    static func hibernate(_ fiber: UnsafeMutablePointer<fl_fiber>, isUnshared: Bool) throws(StackError) {
        requireItsThreadIfSuspended(fiber)
        var failure = fl_failure()
        let result = fl_stack_hibernate(stack(fiber), isUnshared, &failure)
        if let error = StackError(result, failure) { throw error }
    }

    static func isHibernated(_ fiber: UnsafeMutablePointer<fl_fiber>) -> Bool {
        fl_stack_is_hibernated(stack(fiber))
    }

    static func cancel(_ fiber: UnsafeMutablePointer<fl_fiber>) {
        fiber.pointee.is_cancelled = 1
        switch fiber.pointee.state {
        case .FL_FIBER_SUSPENDED, .FL_FIBER_IDLE, .FL_FIBER_HIBERNATED:
            requireItsThread(fiber)
            let failure = fl_stack_wake(stack(fiber))
            // Only running its frames gives back what they own, and this function cannot throw.
            if failure.error != 0 {
                fatalError("a hibernated coroutine cannot be cancelled: \(StackError(failure, for: .restoration))")
            }
            // No input is handed over: `suspend` checks for cancellation before it takes one.
            _ = fl_resume(fiber)
        case .FL_FIBER_CREATED:
            fiber.pointee.state = .FL_FIBER_FINISHED
        case .FL_FIBER_RUNNING, .FL_FIBER_FINISHED, .FL_FIBER_FAULTED:
            break
        }
    }

    static func end(_ fiber: UnsafeMutablePointer<fl_fiber>) {
        // Most have finished, and their result was taken.
        if fl_fiber_status(fiber) == finished, let frame = fiber.pointee.frame, frame.pointee.argument == nil {
            fl_fiber_destroy(fiber)
        } else {
            endOtherwise(fiber)
        }
    }

    @inline(never)
    private static func endOtherwise(_ fiber: UnsafeMutablePointer<fl_fiber>) {
        if fiber.pointee.state != .FL_FIBER_FINISHED {
            if fiber.pointee.state == .FL_FIBER_RUNNING { isBroken("a coroutine was destroyed while it runs") }
            cancel(fiber)
            if fiber.pointee.state == .FL_FIBER_SUSPENDED {
                isBroken("a cancelled coroutine suspended instead of ending")
            }
        }
        // It is awake: a coroutine that hibernated was cancelled, and ran to its end. Where its thread was ended under
        // it, its frame has gone with what it held.
        guard let frame = fiber.pointee.frame else { return fl_fiber_destroy(fiber) }
        if let mailbox = frame.pointee.argument {
            fl_end_mailbox(fiber, mailbox)
            removeMailbox(fiber, mailbox, isOnStack: mailbox == UnsafeMutableRawPointer(frame + 1))
        }
        fl_fiber_destroy(fiber)
    }

    /// Ends a mailbox of which only the header is left. The frame forgets it first: what follows may overflow the stack
    /// that this runs on, and then nothing of it is done again.
    @inlinable
    static func removeMailbox(
        _ fiber: UnsafeMutablePointer<fl_fiber>, _ mailbox: UnsafeMutableRawPointer, isOnStack: Bool
    ) {
        fiber.pointee.frame.unsafelyUnwrapped.pointee.argument = nil
        if fl_mailbox_has_context(mailbox) {
            mailbox.assumingMemoryBound(to: MailboxHeader.self).deinitialize(count: 1)
        }
        if !isOnStack { mailbox.deallocate() }
    }

    @usableFromInline
    static func prepareToResume(_ fiber: UnsafeMutablePointer<fl_fiber>) throws(StackError) {
        switch fiber.pointee.state {
        case .FL_FIBER_SUSPENDED:
            requireItsThread(fiber)
        case .FL_FIBER_RUNNING:
            isBroken("a coroutine cannot be resumed while it runs")
        case .FL_FIBER_FINISHED, .FL_FIBER_FAULTED:
            throw StackError.finished
        case .FL_FIBER_CREATED:
            try bindToThread(fiber)
        case .FL_FIBER_IDLE, .FL_FIBER_HIBERNATED:
            requireItsThread(fiber)
            let failure = fl_stack_wake(stack(fiber))
            if failure.error != 0 { throw StackError(failure, for: .restoration) }
        }
    }

    @usableFromInline
    static func bindToThread(_ fiber: UnsafeMutablePointer<fl_fiber>) throws(StackError) {
        let failure = fl_thread_enter()
        if failure.error != 0 { throw StackError(failure, for: .creation) }
        fiber.pointee.thread = fl_thread_id()
    }

    /// The error of a suspension after the cancellation. A body that goes on all the same would keep its owner waiting
    /// for ever.
    @usableFromInline
    static func cancelled(_ fiber: UnsafeMutablePointer<fl_fiber>) -> CoroutineCancelled {
        guard let frame = fiber.pointee.frame else { return CoroutineCancelled() }
        frame.pointee.cancelled_suspensions += 1
        if frame.pointee.cancelled_suspensions > suspensionsAfterCancellation {
            isBroken(
                """
                a coroutine's body goes on after its cancellation: suspend has thrown CoroutineCancelled 1,000 times; let \
                that error pass, so that the body ends
                """)
        }
        return CoroutineCancelled()
    }

    /// Bodies may call `suspend` in a few places on their way out.
    private static let suspensionsAfterCancellation = 1000

    @usableFromInline
    static func fault(of fiber: UnsafeMutablePointer<fl_fiber>) -> StackFault { StackFault(of: stack(fiber)) }

    static func backtrace(of fiber: UnsafeMutablePointer<fl_fiber>) -> [StackFrame] {
        requireItsThreadIfSuspended(fiber)
        let maximum = 256
        let addresses = [UInt](unsafeUninitializedCapacity: maximum) { buffer, count in
            count = fl_stack_backtrace(stack(fiber), buffer.baseAddress.unsafelyUnwrapped, maximum)
        }
        return Symbolizer.frames(at: addresses, areCalls: true)
    }

    @usableFromInline
    static func statistics(of fiber: UnsafeMutablePointer<fl_fiber>) -> FaultStatistics {
        var counters = fl_counters()
        fl_stack_counters(stack(fiber), &counters)
        return FaultStatistics(counters)
    }
}

/// The part of a mailbox that does not depend on the coroutine's types. It comes first, and call.c of the shim's switch
/// reads it.
@frozen @usableFromInline struct MailboxHeader {
    @frozen @usableFromInline enum Operation { case run, deinitialize }
    @usableFromInline typealias Witness = (Operation, UnsafeMutablePointer<fl_fiber>, UnsafeMutableRawPointer) -> Void

    @usableFromInline let witness: Witness

    @inlinable init(witness: @escaping Witness) { self.witness = witness }
}
