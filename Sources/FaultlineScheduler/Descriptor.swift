internal import CScheduler
internal import Glibc
internal import Synchronization

/// A file descriptor whose reading, writing, accepting and connecting suspend the job instead of blocking the thread: a
/// socket, a pipe, or anything else that epoll takes. Several jobs, also on several threads, may use one.
///
/// The open file is made nonblocking, also for other processes that share it. The number is closed by ``close()``, else
/// when the last reference goes. Closing it by other means while a job waits leaves that job waiting. A write to a
/// closed connection or pipe is an error (EPIPE), because SIGPIPE is blocked on the scheduler's threads and in programs
/// that they start.
///
/// Every method that may suspend throws `CancellationError` in a cancelled job, ``SchedulerError/timedOut`` after its
/// deadline, ``SchedulerError/descriptorClosed`` when the descriptor is closed before or meanwhile,
/// ``SchedulerError/outsideJob`` outside jobs, and otherwise ``SchedulerError/system(call:errno:)``, for instance with
/// ECONNRESET, EPIPE, EMFILE, or ENOSPC where `fs.epoll.max_user_watches` is reached. Complexity: one system call where
/// the job need not wait.
public final class Descriptor: Sendable {
    let core: DescriptorCore

    /// Takes over an open descriptor.
    /// - Throws: ``SchedulerError/system(call:errno:)``; then the caller keeps the descriptor.
    public init(adopting number: Int32) throws {
        try SchedulerError.check(.FLS_SITE_NONBLOCK, fls_set_nonblocking(number))
        core = DescriptorCore(number)
    }

    /// A descriptor that is nonblocking already.
    init(opened number: Int32) { core = DescriptorCore(number) }

    deinit { _ = Descriptor.close(core) }

    /// A pipe: what is written to the second is read from the first.
    /// - Throws: ``SchedulerError/system(call:errno:)``.
    public static func pipe() throws -> (reading: Descriptor, writing: Descriptor) {
        var numbers: [Int32] = [-1, -1]
        try SchedulerError.check(.FLS_SITE_PIPE, fls_pipe(&numbers))
        return (Descriptor(opened: numbers[0]), Descriptor(opened: numbers[1]))
    }

    /// Two connected stream sockets.
    /// - Throws: ``SchedulerError/system(call:errno:)``.
    public static func socketPair() throws -> (Descriptor, Descriptor) {
        var numbers: [Int32] = [-1, -1]
        try SchedulerError.check(.FLS_SITE_SOCKET, fls_socket_pair(&numbers))
        return (Descriptor(opened: numbers[0]), Descriptor(opened: numbers[1]))
    }

    /// A descriptor that signals are read from: each is one `struct signalfd_siginfo` of 128 bytes that begins with the
    /// signal's number in four bytes.
    ///
    /// Blocks the signals in the calling thread and in the threads that it starts later. Call it before
    /// `Scheduler.run` and before anything else that starts threads, because threads
    /// that do not block the signals would take them.
    /// - Throws: ``SchedulerError/system(call:errno:)``, EINVAL for a number that is not a signal's.
    public static func signals(_ numbers: [Int32]) throws -> Descriptor {
        Descriptor(opened: try SchedulerError.check(.FLS_SITE_SIGNALFD, fls_signals(numbers, numbers.count)))
    }

    /// The number, valid until ``close()``.
    public var number: Int32 { core.number }

    /// Reads available bytes, at most the buffer's size, and waits while there are none. The buffer stays in use while
    /// the job waits.
    /// - Returns: bytes read; 0 at the end of the stream.
    /// - Throws: also ``SchedulerError/invalid(_:)`` for an empty buffer, with which 0 would not mean the end.
    public func read(
        into buffer: UnsafeMutableRawBufferPointer, deadline: SuspendingClock.Instant? = nil
    ) throws -> Int {
        try Descriptor.checkCount(buffer.count)
        return try perform(.reading, .FLS_SITE_READ, deadline: deadline) {
            fls_read($0, buffer.baseAddress, buffer.count)
        }
    }

    /// Reads at most `count` bytes, as ``read(into:deadline:)`` does. A job that waits holds no memory for them.
    /// - Returns: no bytes at the end of the stream.
    /// - Parameters:
    ///   - count: 1 or more; of more than 16 MiB one call reads 16 MiB at most.
    ///   - deadline: when this gives up; nil for never.
    /// - Throws: also ``SchedulerError/invalid(_:)`` unless `count` is 1 or more.
    public func read(upTo count: Int, deadline: SuspendingClock.Instant? = nil) throws -> [UInt8] {
        try Descriptor.checkCount(count)
        let count = min(count, 16 << 20)
        var bytes: [UInt8] = []
        _ = try perform(.reading, .FLS_SITE_READ, deadline: deadline) { number in
            var result = 0
            bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
                result = fls_read(number, buffer.baseAddress, count)
                initialized = max(result, 0)
            }
            if result < 0 { bytes = [] }
            return result
        }
        return bytes
    }

    static func checkCount(_ count: Int) throws(SchedulerError) {
        guard count > 0 else { throw SchedulerError.invalid("cannot read \(count) bytes at a time; ask for 1 or more") }
    }

    /// Writes all of `bytes`. When it throws, a part may have been written. Without bytes it writes nothing, and still
    /// throws in a cancelled job, on a closed descriptor and outside jobs.
    public func write(_ bytes: UnsafeRawBufferPointer, deadline: SuspendingClock.Instant? = nil) throws {
        var rest = bytes
        repeat {
            let part = rest
            let count = try perform(.writing, .FLS_SITE_WRITE, deadline: deadline) { number in
                part.isEmpty ? 0 : fls_write(number, part.baseAddress, part.count)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        } while !rest.isEmpty
    }

    /// Writes all of `bytes`. When it throws, a part may have been written.
    public func write(_ bytes: [UInt8], deadline: SuspendingClock.Instant? = nil) throws {
        try bytes.withUnsafeBytes { try write($0, deadline: deadline) }
    }

    /// Ends the stream that is written; reading goes on. Does not suspend.
    /// - Throws: ``SchedulerError/system(call:errno:)``, ENOTSOCK where the descriptor is not a socket.
    public func shutDownWriting() throws {
        try SchedulerError.check(.FLS_SITE_SHUTDOWN, try using { fls_shutdown($0, 1) })  // SHUT_WR
    }

    /// Ends the stream that is read: what has arrived can still be read, and then all readers find the end, those that
    /// wait included. Writing goes on. May be called on any thread; does not suspend.
    /// - Throws: ``SchedulerError/system(call:errno:)``, ENOTSOCK where the descriptor is not a socket.
    public func shutDownReading() throws {
        try SchedulerError.check(.FLS_SITE_SHUTDOWN, try using { fls_shutdown($0, 0) })  // SHUT_RD
    }

    /// Makes a call that never waits. The number is not closed meanwhile.
    func using<R>(_ call: (Int32) -> R) throws(SchedulerError) -> R {
        let core = core
        let result: R? = onWorkerIfAny {
            guard core.beginUse(.writing) != nil else { return nil }
            defer { core.endUse() }
            return call(core.number)
        }
        guard let result else { throw SchedulerError.descriptorClosed }
        return result
    }

    /// Closes the descriptor; every job that waits for it throws ``SchedulerError/descriptorClosed``. May be called on
    /// any thread; does not suspend, and does nothing the second time.
    /// - Throws: ``SchedulerError/system(call:errno:)`` with the error of close(2); the number is closed all the same.
    public func close() throws { try SchedulerError.check(.FLS_SITE_CLOSE, Descriptor.close(core)) }

    private static func close(_ core: DescriptorCore) -> Int32 { onWorkerIfAny { core.close() } }

    private enum Attempt {
        case done(Int)
        case waits(Waiter)
        case again, isClosed
        case interrupted(WakeReason)
        case failed(SchedulerError)
    }

    /// Repeats `call`, which returns a negated errno value when it fails, until it need not wait.
    func perform(
        _ direction: Direction, _ site: fls_site, deadline: SuspendingClock.Instant?, _ call: (Int32) -> Int
    ) throws -> Int {
        let job = try AnyJob.current()
        return try job.limited(by: deadline) { try perform(direction, site, job, call) }
    }

    private func perform(
        _ direction: Direction, _ site: fls_site, _ job: AnyJob, _ call: (Int32) -> Int
    ) throws -> Int {
        let core = core
        while true {
            var attempt = Attempt.again
            job.onWorker {
                attempt = Descriptor.attempt(core, job, direction, call)
                guard case .waits(let waiter) = attempt else { return .proceed }
                return job.park(waiter.number, at: direction.wait(core.number), isOutside: true)
            }
            switch attempt {
            case .again: continue
            case .interrupted(let reason): throw AnyJob.error(reason)
            case .isClosed: throw SchedulerError.descriptorClosed
            case .failed(let error): throw error
            case .done(let result):
                if result < 0 { throw SchedulerError(site, result) }
                return result
            case .waits(let waiter):
                switch job.reason {
                case .event: continue
                case .closed: throw SchedulerError.descriptorClosed
                case .cancelled, .timedOut:
                    job.onWorkerBriefly { core.stopWaiting(waiter, direction) }
                    throw AnyJob.error(job.reason)
                }
            }
        }
    }

    /// On the worker's stack.
    private static func attempt(
        _ core: DescriptorCore, _ job: AnyJob, _ direction: Direction, _ call: (Int32) -> Int
    ) -> Attempt {
        if let reason = job.interruption { return .interrupted(reason) }
        guard let edges = core.beginUse(direction) else { return .isClosed }
        defer { core.endUse() }
        let result = call(core.number)
        guard result == -EAGAIN || result == -EINPROGRESS else { return .done(result) }
        switch core.wait(job, direction, since: edges) {
        case .waits(let waiter): return .waits(waiter)
        case .isClosed: return .isClosed
        case .hasNews: return .again
        case .failed(let error): return .failed(error)
        }
    }
}
