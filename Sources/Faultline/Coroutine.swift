public import CSwitch

/// A computation with a stack of its own that can stop in the middle, at any depth of calls, and be continued.
///
///     let squares = try Coroutine<Void, Int, String> { (co: borrowing _, _) in
///         for n in 1...3 { try co.suspend(n * n) }
///         return "done"
///     }
///     while case .suspended(let square) = try squares.resume() { print(square) }
///
/// A coroutine starts at its first ``resume(_:)`` and from then on belongs to the thread that started it: resuming or
/// destroying it elsewhere is a precondition failure, because compilers keep thread-specific addresses in registers
/// across a suspension. The type is not `Sendable`.
///
/// Destroying a suspended coroutine cancels it and runs it to its end on the spot.
///
/// A coroutine starts with the values that `TaskLocal` had bound where it was made, as a task does. It is no part of
/// the task that resumes it: inside it `Task.isCancelled` is false and `withUnsafeCurrentTask` has none.
@_fixed_layout  // inlinable code sets up its one field, also in library evolution mode
public final class Coroutine<Input, Output, Result> {
    /// What a coroutine did until control came back.
    public enum Step {
        /// It called ``Suspender/suspend(_:)``.
        case suspended(Output)
        /// Its body returned.
        case finished(Result)
    }

    /// A coroutine's body: what it is given to suspend with, and the first input.
    public typealias Body = (borrowing Suspender, Input) throws -> Result

    @frozen @usableFromInline struct Mailbox {
        @usableFromInline var header: MailboxHeader
        @usableFromInline var body: Body?
        @usableFromInline var result: Swift.Result<Result, any Error>?

        @inlinable init(body: @escaping Body) {
            header = MailboxHeader(witness: Coroutine.witness)
            self.body = body
            result = nil
        }
    }

    /// Where mailbox and cell stand. Behind the mailbox stands one cell for the value that is being handed over: an
    /// input from `resume` until the body goes on, an output from `suspend` until the resumer does. Which of them it
    /// holds, if any, follows from which side runs, so it is not stored.
    ///
    /// One function computes all of it: in a debug build each call takes some of a small stack's page.
    @frozen @usableFromInline struct Layout {
        @usableFromInline let cellOffset, size, alignment: Int
        /// The mailbox stands above the outermost frame where it fits there, else on the heap. On the stack it moves
        /// and hibernates with it, so its address is read anew after each switch, and only while the coroutine is
        /// awake.
        @usableFromInline let isOnStack: Bool

        @inlinable init() {
            let cellAlignment = max(MemoryLayout<Input>.alignment, MemoryLayout<Output>.alignment)
            cellOffset = (MemoryLayout<Mailbox>.size + cellAlignment - 1) & ~(cellAlignment - 1)
            size = cellOffset + max(MemoryLayout<Input>.size, MemoryLayout<Output>.size)
            alignment = max(MemoryLayout<Mailbox>.alignment, cellAlignment)
            isOnStack = size <= Int(FL_MAILBOX_SIZE) && alignment <= 16
        }

        @inlinable func space(_ frame: UnsafeMutablePointer<fl_outermost_frame>) -> UnsafeMutableRawPointer {
            isOnStack ? UnsafeMutableRawPointer(frame + 1) : frame.pointee.argument.unsafelyUnwrapped
        }
    }

    @inlinable static func mailbox(_ fiber: UnsafeMutablePointer<fl_fiber>) -> UnsafeMutablePointer<Mailbox> {
        Layout().space(fiber.pointee.frame.unsafelyUnwrapped).assumingMemoryBound(to: Mailbox.self)
    }

    @inlinable static func cell<Value>(_ frame: UnsafeMutablePointer<fl_outermost_frame>) -> UnsafeMutablePointer<Value>
    {
        let layout = Layout()
        return (layout.space(frame) + layout.cellOffset).assumingMemoryBound(to: Value.self)
    }

    /// What the body suspends with. It cannot be copied or kept beyond the body.
    @frozen public struct Suspender: ~Copyable {
        @usableFromInline let fiber: UnsafeMutablePointer<fl_fiber>

        @inlinable init(fiber: UnsafeMutablePointer<fl_fiber>) { self.fiber = fiber }

        /// Hands `output` to the resumer and waits to be resumed.
        /// - Returns: the input of the next ``Coroutine/resume(_:)``.
        /// - Throws: ``CoroutineCancelled`` once the coroutine is cancelled, at this call and at every further one.
        ///   After 1,000 of them the process ends with a message: the body would never end.
        @available(*, noasync, message: "an async function cannot suspend a coroutine, which has a stack of its own")
        @inlinable @discardableResult
        public func suspend(_ output: consuming Output) throws(CoroutineCancelled) -> Input {
            // The thread's word has the address of the running fiber earlier than this frame.
            guard let running = fl_fiber_running(), running == fiber else { FiberSupport.isOnAnotherStack("suspend") }
            let isPlain = fl_fiber_status(running) == FiberSupport.running
            if !isPlain, running.pointee.is_cancelled != 0 { throw FiberSupport.cancelled(running) }
            let frame = running.pointee.frame.unsafelyUnwrapped
            (Coroutine.cell(frame) as UnsafeMutablePointer<Output>).initialize(to: consume output)
            let resumed = isPlain ? fl_suspend_plain(running, frame) : fl_suspend(running)
            fl_fiber_note_running(resumed.fiber)
            // Cancelling resumes without an input.
            if resumed.fiber.pointee.is_cancelled != 0 { throw FiberSupport.cancelled(resumed.fiber) }
            return (Coroutine.cell(resumed.frame) as UnsafeMutablePointer<Input>).move()
        }

        /// Hands over to another coroutine without going back to the resumer: symmetric transfer.
        ///
        /// `other` starts or continues with `input`, and the resumer of this coroutine becomes its resumer. So
        /// ``Coroutine/resume(_:)`` of this one returns when whichever coroutine runs then suspends or ends, with that
        /// one's output or result, and throws that one's error or stack fault. Meanwhile this coroutine is suspended:
        /// it may be resumed, handed over to, hibernated and cancelled like any other.
        ///
        /// - Returns: the input of the next ``Coroutine/resume(_:)`` of this coroutine, or of the next transfer to it.
        /// - Throws: ``CoroutineCancelled`` as ``suspend(_:)`` does, before or after the transfer;
        ///   ``StackError/finished`` when `other` had ended, ``StackError/unavailable(_:)`` when it hibernates and the
        ///   kernel refuses to restore it. Then this coroutine goes on.
        ///
        /// `other` must not run, and a started one belongs to this thread: anything else ends the process with the
        /// rule. It must be kept alive while it runs; a reference in this coroutine's frame does that.
        @available(*, noasync, message: "an async function cannot suspend a coroutine, which has a stack of its own")
        @inlinable @discardableResult
        public func transfer(to other: Coroutine, _ input: consuming Input) throws -> Input {
            guard let running = fl_fiber_running(), running == fiber else { FiberSupport.isOnAnotherStack("transfer") }
            let isPlain = fl_fiber_status(running) == FiberSupport.running
            if !isPlain, running.pointee.is_cancelled != 0 { throw FiberSupport.cancelled(running) }
            let target = other.fiber
            let resumed: fl_resumed
            if isPlain, fl_fiber_status(target) == FiberSupport.suspended,
                target.pointee.thread == fl_plain_thread_id()
            {
                let frame = target.pointee.frame.unsafelyUnwrapped
                (Coroutine.cell(frame) as UnsafeMutablePointer<Input>).initialize(to: consume input)
                resumed = fl_transfer_plain(running, running.pointee.frame.unsafelyUnwrapped, target)
            } else {
                resumed = try Suspender.transferOtherwise(running, target, input)
            }
            fl_fiber_note_running(resumed.fiber)
            if resumed.fiber.pointee.is_cancelled != 0 { throw FiberSupport.cancelled(resumed.fiber) }
            return (Coroutine.cell(resumed.frame) as UnsafeMutablePointer<Input>).move()
        }

        /// Where one of the two is not plain, or the other is not suspended and awake.
        @inlinable @inline(never)
        static func transferOtherwise(
            _ running: UnsafeMutablePointer<fl_fiber>, _ target: UnsafeMutablePointer<fl_fiber>,
            _ input: consuming Input
        ) throws(StackError) -> fl_resumed {
            try FiberSupport.prepareToResume(target)
            (Coroutine.cell(target.pointee.frame.unsafelyUnwrapped) as UnsafeMutablePointer<Input>)
                .initialize(to: consume input)
            return fl_transfer(running, target)
        }

        /// Whether the coroutine was cancelled.
        @inlinable public var isCancelled: Bool { fiber.pointee.is_cancelled != 0 }
    }

    @usableFromInline let fiber: UnsafeMutablePointer<fl_fiber>

    /// Makes a coroutine with a stack from this thread's pool, or a new one.
    /// - Throws: ``StackError`` when the configuration cannot be met or the kernel refuses memory.
    @inlinable
    public init(configuration: StackConfiguration = .init(), body: @escaping Body) throws {
        fiber = try FiberSupport.makeBound(configuration)
        let layout = Layout()
        let space =
            layout.isOnStack
            ? layout.space(fiber.pointee.frame.unsafelyUnwrapped)
            : UnsafeMutableRawPointer.allocate(byteCount: layout.size, alignment: layout.alignment)
        space.initializeMemory(as: Mailbox.self, to: Mailbox(body: body))
        FiberSupport.prepare(fiber, space)
    }

    /// Does with a mailbox what callers need that do not know its types. A function of this class that is called
    /// through its metadata would not be specialized; this one is specialized where the coroutine is made.
    @inlinable static func witness(
        _ operation: MailboxHeader.Operation, _ fiber: UnsafeMutablePointer<fl_fiber>, _ space: UnsafeMutableRawPointer
    ) {
        let mailbox = space.assumingMemoryBound(to: Mailbox.self)
        switch operation {
        case .run: runBody(mailbox: mailbox, fiber: fiber)
        case .deinitialize:
            // Field by field is specialized; destroying the whole would go through its metadata. The caller destroys
            // the header, whose function has a context on the heap where nothing is specialized.
            mailbox.pointee.body = nil
            mailbox.pointee.result = nil
        }
    }

    /// Whether ``resume(_:)`` may be called: the coroutine has not ended.
    public var isResumable: Bool {
        switch fiber.pointee.state {
        case .FL_FIBER_CREATED, .FL_FIBER_SUSPENDED, .FL_FIBER_IDLE, .FL_FIBER_HIBERNATED: true
        case .FL_FIBER_RUNNING, .FL_FIBER_FINISHED, .FL_FIBER_FAULTED: false
        }
    }

    /// Continues the coroutine with `input` until it suspends or ends.
    ///
    /// Where the body hands over to another coroutine, the step is that one's (``Suspender/transfer(to:_:)``).
    ///
    /// - Throws: what the body throws; ``StackFault`` when a stack fault ended the coroutine; ``StackError/finished``
    ///   when it had ended before; ``StackError/unavailable(_:)`` when it hibernates and the kernel refuses to restore
    ///   it. Then nothing is lost, and it may be resumed again.
    /// - Complexity: a few instructions beyond the switch itself (`faultline bench switch`).
    @available(*, noasync, message: "a coroutine stays on its thread, and an async function does not")
    @inlinable @inline(__always) public func resume(_ input: consuming Input) throws -> Step {
        try Coroutine.resume(fiber, input)
    }

    /// The same for an owner that keeps the coroutine alive, without counting it.
    @inlinable @inline(__always)
    static func resume(_ fiber: UnsafeMutablePointer<fl_fiber>, _ input: consuming Input) throws -> Step {
        let running = fl_fiber_running()
        let resumed: fl_resumed
        if fl_fiber_status(fiber) == FiberSupport.suspended, fiber.pointee.thread == fl_plain_thread_id() {
            let frame = fiber.pointee.frame.unsafelyUnwrapped
            (Coroutine.cell(frame) as UnsafeMutablePointer<Input>).initialize(to: consume input)
            resumed = fl_resume_plain(fiber, frame)
        } else {
            resumed = try Coroutine.resumeOtherwise(fiber, input)
        }
        fl_fiber_note_running(running)
        if resumed.fiber.pointee.state == .FL_FIBER_SUSPENDED {
            return .suspended((Coroutine.cell(resumed.frame) as UnsafeMutablePointer<Output>).move())
        }
        return .finished(try Coroutine.takeResult(resumed.fiber))
    }

    /// Resumes a coroutine that is not plain, or not suspended and awake.
    @inlinable @inline(never)
    static func resumeOtherwise(
        _ fiber: UnsafeMutablePointer<fl_fiber>, _ input: consuming Input
    ) throws(StackError) -> fl_resumed {
        if fl_fiber_status(fiber) != FiberSupport.created || !fl_fiber_bind_at_once(fiber) {
            try FiberSupport.prepareToResume(fiber)
        }
        let frame = fiber.pointee.frame.unsafelyUnwrapped
        (Coroutine.cell(frame) as UnsafeMutablePointer<Input>).initialize(to: consume input)
        // Like a plain one that is suspended, one that starts may have no words of its own.
        guard fl_fiber_status(fiber) == FiberSupport.created, fiber.pointee.thread == fl_plain_thread_id() else {
            return fl_resume(fiber)
        }
        // Noted here and not by the caller alone, so that nothing comes between.
        let running = fl_fiber_running()
        let resumed = fl_resume_plain(fiber, frame)
        fl_fiber_note_running(running)
        return resumed
    }

    /// Asks the body to end: from now on every ``Suspender/suspend(_:)`` throws. A suspended coroutine is resumed and
    /// runs to its end before this returns; one that never started never runs.
    ///
    /// What the body returns or throws meanwhile is discarded. A hibernated coroutine is restored first. Where the
    /// kernel refuses that, the process ends with a message, because the frames could never be unwound.
    public func cancel() { FiberSupport.cancel(fiber) }

    /// The frames of a coroutine that is suspended or hibernated, innermost first, at most 256; empty in any other
    /// state. A hibernated one goes on hibernating. Asked for on the coroutine's thread.
    ///
    /// Where code has no unwind tables and keeps no frame pointer, the frames end there.
    /// - Complexity: symbols are looked up now, by reading the files of the images.
    public var backtrace: [StackFrame] { FiberSupport.backtrace(of: fiber) }

    /// The statistics of this coroutine's stack so far.
    public var statistics: FaultStatistics { FiberSupport.statistics(of: fiber) }

    @inlinable static func takeResult(_ fiber: UnsafeMutablePointer<fl_fiber>) throws -> Result {
        if fiber.pointee.state == .FL_FIBER_FAULTED { throw FiberSupport.fault(of: fiber) }
        let mailbox = Coroutine.mailbox(fiber)
        guard let result = mailbox.pointee.result.take() else {
            preconditionFailure("a finished coroutine has a result")
        }
        // Of the mailbox only the header is left. What is ended here, specialized, the end of the object need not end.
        FiberSupport.removeMailbox(fiber, UnsafeMutableRawPointer(mailbox), isOnStack: Layout().isOnStack)
        return try result.get()
    }

    @inlinable
    static func runBody(mailbox: UnsafeMutablePointer<Mailbox>, fiber: UnsafeMutablePointer<fl_fiber>) {
        guard let body = mailbox.pointee.body.take() else { return }
        let input = (cell(fiber.pointee.frame.unsafelyUnwrapped) as UnsafeMutablePointer<Input>).move()
        // There is no result yet, so that none is ended. No further frames stand below the body: they would hibernate.
        let result: Swift.Result<Result, any Error>
        do { result = .success(try body(Suspender(fiber: fiber), input)) } catch { result = .failure(error) }
        withUnsafeMutablePointer(to: &mailbox.pointee.result) { $0.initialize(to: result) }
    }

    deinit { FiberSupport.end(fiber) }
}

extension Coroutine where Input == Void {
    /// Continues the coroutine until it suspends or ends. Throws as ``resume(_:)`` does.
    @available(*, noasync, message: "a coroutine stays on its thread, and an async function does not")
    @inlinable public func resume() throws -> Step { try resume(()) }
}

/// Thrown by `suspend` in a coroutine that is cancelled. Bodies must let it pass, so that they unwind.
@frozen public struct CoroutineCancelled: Error, CustomStringConvertible {
    /// The error that ``Coroutine/Suspender/suspend(_:)`` throws; a body may throw it on its own, too.
    @inlinable public init() {}
    public var description: String { "the coroutine was cancelled" }
}
