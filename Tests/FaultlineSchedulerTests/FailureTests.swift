// Every system call of the scheduler fails once, and what that does: to the job that asked, or to the run.
import CScheduler
import Faultline
import FaultlineScheduler
import Glibc
import Testing

/// Lets the calls at `site` fail while `body` runs.
@discardableResult private func failing<R>(
    _ site: fls_site, _ error: Int32, after: UInt32 = 0, times: UInt32 = 1, _ body: () throws -> R
) rethrows -> R {
    fls_debug_fail(site, error, after, times)
    defer { fls_debug_fail(site, 0, 0, 0) }
    return try body()
}

private let anyPort = try! SocketAddress.ipv4("127.0.0.1", port: 0)

extension Schedulers {
    @Suite struct SystemCallFailures {
        struct Start: Sendable, CustomTestStringConvertible {
            let site: fls_site
            let call: String
            let after: UInt32
            var testDescription: String { "\(call) after \(after)" }
        }

        @Test(arguments: [
            Start(site: .FLS_SITE_EPOLL_CREATE, call: "epoll_create1", after: 0),
            Start(site: .FLS_SITE_EPOLL_CREATE, call: "epoll_create1", after: 2),
            Start(site: .FLS_SITE_EVENTFD, call: "eventfd", after: 0),
            Start(site: .FLS_SITE_EVENTFD, call: "eventfd", after: 2),
            Start(site: .FLS_SITE_EPOLL_ADD, call: "epoll_ctl(ADD)", after: 1),
            Start(site: .FLS_SITE_THREAD_START, call: "pthread_create", after: 0),
            Start(site: .FLS_SITE_THREAD_START, call: "pthread_create", after: 2),
        ]) func aRunThatLacksWhatItNeedsAtItsStartThrows(start: Start) throws {
            let descriptors = openDescriptors()
            let owned = Tracked()
            #expect(throws: SchedulerError.system(call: start.call, errno: EMFILE)) {
                try failing(start.site, EMFILE, after: start.after) {
                    try Scheduler.run(threads: 3) {
                        withExtendedLifetime(owned) {}
                        try Scheduler.sleep(for: .seconds(1000))
                    }
                }
            }
            #expect(openDescriptors() == descriptors)
            #expect(Tracked.alive == 1)
            withExtendedLifetime(owned) {}
        }

        @Test func aWaitForEventsThatFailsEndsTheRun() throws {
            let ended = Counter()
            #expect(throws: SchedulerError.system(call: "epoll_wait", errno: EBADF)) {
                try failing(.FLS_SITE_EPOLL_WAIT, EBADF, after: 3, times: 2) {
                    try Scheduler.run(threads: 2) {
                        for _ in 0..<10 {
                            try Scheduler.spawn {
                                defer { ended.increase() }
                                while true { try Scheduler.sleep(for: .milliseconds(1)) }
                            }
                        }
                    }
                }
            }
            // Those that had not started never did.
            #expect(ended.value <= 10)
        }

        @Test func anInterruptedWaitGoesOn() throws {
            try failing(.FLS_SITE_EPOLL_WAIT, EINTR, times: 5) {
                try Scheduler.run(threads: 1) { try Scheduler.sleep(for: .milliseconds(5)) }
            }
        }

        @Test func anotherWorkerThatCannotBeWokenEndsTheRun() throws {
            #expect(throws: SchedulerError.system(call: "write(eventfd)", errno: EBADF)) {
                try failing(.FLS_SITE_WAKE, EBADF) {
                    try Scheduler.run(threads: 2) {
                        for _ in 0..<50 {
                            let job = try Scheduler.spawn { try Scheduler.sleep(for: .milliseconds(1)) }
                            try job.join()
                        }
                    }
                }
            }
        }

        @Test func aDescriptorThatCannotBeRegisteredFailsTheJobThatAsked() throws {
            try Scheduler.run(threads: 1) {
                let (reader, writer) = try Descriptor.pipe()
                failing(.FLS_SITE_EPOLL_ADD, ENOSPC) {
                    #expect(throws: SchedulerError.system(call: "epoll_ctl(ADD)", errno: ENOSPC)) {
                        try reader.read(upTo: 1)
                    }
                }
                let reading = try Scheduler.spawn { try reader.read(upTo: 1) }
                try Scheduler.yield()
                try writer.write([1])
                #expect(try reading.join() == [1])
            }
        }

        @Test func aDescriptorThatCannotBeUnregisteredIsKeptUntilTheEnd() throws {
            let descriptors = openDescriptors()
            try Scheduler.run(threads: 1) {
                let (reader, writer) = try Descriptor.pipe()
                let reading = try Scheduler.spawn { try reader.read(upTo: 1) }
                try Scheduler.yield()
                failing(.FLS_SITE_EPOLL_REMOVE, ENOENT) {
                    #expect(throws: Never.self) { try reader.close() }
                }
                #expect(throws: SchedulerError.descriptorClosed) { try reading.join() }
                #expect(throws: SchedulerError.self) { try writer.write([1]) }
            }
            #expect(openDescriptors() == descriptors)
        }

        @Test func closingReportsAnErrorAndClosesAllTheSame() throws {
            try Scheduler.run(threads: 1) {
                let descriptors = openDescriptors()
                let pipe = try Descriptor.pipe()
                failing(.FLS_SITE_CLOSE, EIO) {
                    #expect(throws: SchedulerError.system(call: "close", errno: EIO)) { try pipe.writing.close() }
                }
                try pipe.reading.close()
                #expect(openDescriptors() == descriptors)
            }
        }

        struct Call: Sendable, CustomTestStringConvertible {
            let site: fls_site
            let call: String
            let make: @Sendable (Descriptor, Descriptor) throws -> Void
            var testDescription: String { call }
        }

        @Test(arguments: [
            Call(site: .FLS_SITE_NONBLOCK, call: "fcntl(F_SETFL)") { one, _ in
                _ = try Descriptor(adopting: one.number)
            },
            Call(site: .FLS_SITE_READ, call: "read") { one, _ in _ = try one.read(upTo: 1) },
            Call(site: .FLS_SITE_WRITE, call: "write") { _, other in try other.write([1]) },
            Call(site: .FLS_SITE_SHUTDOWN, call: "shutdown") { one, _ in try one.shutDownWriting() },
            Call(site: .FLS_SITE_OPTION, call: "setsockopt") { one, _ in try one.setNoDelay(true) },
            Call(site: .FLS_SITE_ADDRESS, call: "getsockname") { one, _ in _ = try one.localAddress },
            Call(site: .FLS_SITE_PEER_ADDRESS, call: "getpeername") { one, _ in _ = try one.peerAddress },
            Call(site: .FLS_SITE_SOCKET, call: "socket") { _, _ in _ = try Descriptor.datagrams(at: anyPort) },
            Call(site: .FLS_SITE_BIND, call: "bind") { _, _ in _ = try Descriptor.datagrams(at: anyPort) },
            Call(site: .FLS_SITE_SEND_TO, call: "sendto") { _, other in try other.send([1], to: anyPort) },
            Call(site: .FLS_SITE_RECEIVE_FROM, call: "recvfrom") { one, _ in _ = try one.receive(upTo: 1) },
            Call(site: .FLS_SITE_RESOLVE, call: "getaddrinfo") { _, _ in
                _ = try SocketAddress.resolve("127.0.0.1", port: 1)
            },
            Call(site: .FLS_SITE_THREAD_START, call: "pthread_create") { _, _ in try Scheduler.blocking {} },
            Call(site: .FLS_SITE_ACCEPT, call: "accept4") { one, _ in _ = try one.accept() },
            Call(site: .FLS_SITE_SIGNALFD, call: "signalfd") { _, _ in _ = try Descriptor.signals([SIGUSR1]) },
            Call(site: .FLS_SITE_PIPE, call: "pipe2") { _, _ in _ = try Descriptor.pipe() },
            Call(site: .FLS_SITE_SOCKET, call: "socket") { _, _ in _ = try Descriptor.socketPair() },
            Call(site: .FLS_SITE_SOCKET, call: "socket") { _, _ in _ = try Descriptor.listening(at: anyPort) },
            Call(site: .FLS_SITE_OPTION, call: "setsockopt") { _, _ in _ = try Descriptor.listening(at: anyPort) },
            Call(site: .FLS_SITE_BIND, call: "bind") { _, _ in _ = try Descriptor.listening(at: anyPort) },
            Call(site: .FLS_SITE_LISTEN, call: "listen") { _, _ in _ = try Descriptor.listening(at: anyPort) },
            Call(site: .FLS_SITE_SOCKET, call: "socket") { _, _ in _ = try Descriptor.connected(to: anyPort) },
            Call(site: .FLS_SITE_BIND, call: "bind") { _, _ in
                _ = try Descriptor.connected(to: anyPort, from: anyPort)
            },
            Call(site: .FLS_SITE_CONNECT, call: "connect") { _, _ in _ = try Descriptor.connected(to: anyPort) },
        ]) func aRefusedCallOfADescriptorIsAnErrorOfTheJobThatAsked(call: Call) throws {
            let descriptors = openDescriptors()
            try Scheduler.run(threads: 1) {
                let (one, other) = try Descriptor.socketPair()
                failing(call.site, ENOBUFS) {
                    #expect(throws: SchedulerError.system(call: call.call, errno: ENOBUFS)) {
                        try call.make(one, other)
                    }
                }
                try other.write([7])
                #expect(try one.read(upTo: 1) == [7])
            }
            #expect(openDescriptors() == descriptors)
        }

        // In a process of its own, because the limit is the process's.
        @Test func acceptWithoutDescriptorsLeftIsAnErrorAndTheConnectionWaits() async throws {
            await #expect(processExitsWith: .success) {
                let address = try SocketAddress.ipv4("127.0.0.1", port: 0)
                try await Scheduler.run(threads: 2) {
                    let listener = try Descriptor.listening(at: address)
                    let client = try Descriptor.connected(to: try listener.localAddress)
                    let connection = try Scheduler.spawn {
                        // The limit is the lowest number that cannot be opened.
                        let limit = try limitDescriptors(to: 1)
                        #expect(throws: SchedulerError.system(call: "accept4", errno: EMFILE)) {
                            _ = try listener.accept()
                        }
                        #expect(throws: SchedulerError.system(call: "pipe2", errno: EMFILE)) {
                            _ = try Descriptor.pipe()
                        }
                        #expect(throws: SchedulerError.system(call: "socket", errno: EMFILE)) {
                            _ = try Descriptor.connected(to: try listener.localAddress)
                        }
                        _ = try limitDescriptors(to: limit)
                        return try listener.accept()
                    }
                    try connection.join().write([3])
                    #expect(try client.read(upTo: 1) == [3])
                }
                _ = try limitDescriptors(to: 8)
                // Standard streams, what the test needs itself, and not enough for 20 threads.
                #expect {
                    _ = try Scheduler.run(threads: 20) { 1 }
                } throws: { error in
                    // Whichever comes when none is left.
                    guard case SchedulerError.system(let call, EMFILE) = error else { return false }
                    return call == "epoll_create1" || call == "eventfd"
                }
            }
        }
    }
}

/// Sets RLIMIT_NOFILE and returns what it was.
private func limitDescriptors(to count: UInt) throws -> UInt {
    let resource = __rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue))
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0 else { throw Failure(code: Int(errno)) }
    var changed = rlimit(rlim_cur: count, rlim_max: limit.rlim_max)
    guard setrlimit(resource, &changed) == 0 else { throw Failure(code: Int(errno)) }
    return limit.rlim_cur
}
