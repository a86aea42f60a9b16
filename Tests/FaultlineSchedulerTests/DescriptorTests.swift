// Descriptors: data, ends, resets, closing, and the jobs that wait meanwhile.
import CScheduler
import Faultline
import FaultlineScheduler
import Glibc
import TestNeeds
import Testing

private let anyPort = try! SocketAddress.ipv4("127.0.0.1", port: 0)

/// Reads until the end of the stream.
private func readAll(_ descriptor: Descriptor) throws -> [UInt8] {
    var all: [UInt8] = []
    while true {
        let part = try descriptor.read(upTo: 1000)
        if part.isEmpty { return all }
        all += part
    }
}

extension Schedulers {
    @Suite struct Descriptors {
        @Test(arguments: [1, 2, 4]) func bytesOfAPipeArriveInOrder(threads: Int) throws {
            let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let received = try Scheduler.run(threads: threads) {
                let (reader, writer) = try Descriptor.pipe()
                try Scheduler.spawn {
                    try writer.write(bytes)
                    try writer.close()
                }
                return try readAll(reader)
            }
            #expect(received == bytes)
        }

        @Test func bothDirectionsOfASocketAreUsedAtOnce() throws {
            let bytes = (0..<500_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            try Scheduler.run(threads: 3) {
                let (one, other) = try Descriptor.socketPair()
                let readers = try [one, other].map { socket in try Scheduler.spawn { try readAll(socket) } }
                for socket in [one, other] {
                    try Scheduler.spawn {
                        try socket.write(bytes)
                        try socket.shutDownWriting()
                    }
                }
                for reader in readers { #expect(try reader.join() == bytes) }
            }
        }

        @Test(arguments: ["ipv4", "ipv6", "unix"]) func connectionsEchoOverEachFamily(family: String) throws {
            let path = "/tmp/faultline-\(getpid()).socket"
            unlink(path)
            defer { unlink(path) }
            let address =
                switch family {
                case "ipv4": anyPort
                case "ipv6": try SocketAddress.ipv6("::1", port: 0)
                default: try SocketAddress.unix(path: path)
                }
            if family == "ipv6" { try Need.ipv6.check() }
            let descriptors = openDescriptors()
            try Scheduler.run(threads: 2) {
                let listener = try Descriptor.listening(at: address)
                let bound = try listener.localAddress
                #expect(family == "unix" || bound.port != 0)
                try Scheduler.spawn {
                    for _ in 0..<50 {
                        let connection = try listener.accept()
                        try Scheduler.spawn {
                            try connection.write(try readAll(connection))
                            try connection.close()
                        }
                    }
                }
                let clients = try (0..<50).map { number in
                    try Scheduler.spawn {
                        let connection = try Descriptor.connected(to: bound)
                        if family != "unix" { try connection.setNoDelay(true) }
                        try connection.write([UInt8(number), 1, 2, 3])
                        try connection.shutDownWriting()
                        return try readAll(connection)
                    }
                }
                for (number, client) in clients.enumerated() {
                    #expect(try client.join() == [UInt8(number), 1, 2, 3])
                }
            }
            #expect(openDescriptors() == descriptors)
        }

        @Test func severalJobsAcceptFromOneListener() throws {
            let accepted = Counter()
            try Scheduler.run(threads: 4) {
                let listener = try Descriptor.listening(at: anyPort)
                let address = try listener.localAddress
                for _ in 0..<5 {
                    try Scheduler.spawn {
                        while let connection = try? listener.accept() {
                            accepted.increase()
                            try connection.write([9])
                        }
                    }
                }
                let clients = try (0..<200).map { _ in
                    try Scheduler.spawn { try Descriptor.connected(to: address).read(upTo: 1) }
                }
                for client in clients { #expect(try client.join() == [9]) }
                try listener.close()
            }
            #expect(accepted.value == 200)
        }

        @Test func halfCloseIsTheEndForTheReaderOnly() throws {
            try Scheduler.run(threads: 2) {
                let (one, other) = try Descriptor.socketPair()
                let reading = try Scheduler.spawn { try readAll(other) }
                try one.write([1, 2])
                try waitUntilDrained(other, by: reading)
                try one.shutDownWriting()
                #expect(try reading.join() == [1, 2])
                try other.write([3])
                #expect(try one.read(upTo: 10) == [3])
                #expect(throws: SchedulerError.system(call: "write", errno: EPIPE)) { try one.write([4]) }
            }
        }

        @Test func endingTheReadingWakesTheReaderAndLeavesWriting() throws {
            try Scheduler.run(threads: 2) {
                let (one, other) = try Descriptor.socketPair()
                try other.write([1])
                let reading = try Scheduler.spawn { try readAll(one) }
                try waitUntilDrained(one, by: reading)
                try one.shutDownReading()
                #expect(try reading.join() == [1])
                try one.write([2])
                #expect(try other.read(upTo: 2) == [2])
            }
        }

        @Test func writingToAClosedPipeIsAnErrorAndNoSignal() throws {
            try Scheduler.run(threads: 1) {
                let (reader, writer) = try Descriptor.pipe()
                try reader.close()
                for _ in 0..<3 {
                    #expect(throws: SchedulerError.system(call: "write", errno: EPIPE)) { try writer.write([1]) }
                }
            }
        }

        @Test func writerThatWaitsHearsThatTheReaderIsGone() throws {
            try Scheduler.run(threads: 2) {
                let (reader, writer) = try Descriptor.pipe()
                let writing = try Scheduler.spawn { try writer.write([UInt8](repeating: 1, count: 1 << 20)) }
                try waitUntil("the writer waits") { writing.isWaiting }
                try reader.close()
                #expect(throws: SchedulerError.system(call: "write", errno: EPIPE)) { try writing.join() }
            }
        }

        @Test func resetIsAnErrorOfTheReaderThatWaits() throws {
            try Scheduler.run(threads: 2) {
                let listener = try Descriptor.listening(at: anyPort)
                let client = try Descriptor.connected(to: try listener.localAddress)
                let server = try listener.accept()
                let reading = try Scheduler.spawn { try client.read(upTo: 1) }
                try waitUntil("the reader waits") { reading.isWaiting }
                // What is closed with a linger time of 0 is reset.
                var linger = linger(l_onoff: 1, l_linger: 0)
                setsockopt(
                    server.number, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
                try server.close()
                #expect(throws: SchedulerError.system(call: "read", errno: ECONNRESET)) { try reading.join() }
            }
        }

        @Test func refusedConnectionIsAnError() throws {
            try Scheduler.run(threads: 1) {
                let listener = try Descriptor.listening(at: anyPort)
                let address = try listener.localAddress
                try listener.close()
                #expect(throws: SchedulerError.system(call: "connect", errno: ECONNREFUSED)) {
                    _ = try Descriptor.connected(to: address)
                }
                #expect(throws: SchedulerError.system(call: "connect", errno: ENOENT)) {
                    _ = try Descriptor.connected(to: try .unix(path: "/tmp/faultline-has-no-such.socket"))
                }
            }
        }

        @Test func connectingWaitsWhileAUnixListenerIsFull() throws {
            let path = "/tmp/faultline-\(getpid())-full.socket"
            unlink(path)
            defer { unlink(path) }
            try Scheduler.run(threads: 2) {
                let listener = try Descriptor.listening(at: try .unix(path: path), backlog: 1)
                let clients = try (0..<20).map { _ in
                    try Scheduler.spawn { try Descriptor.connected(to: try .unix(path: path)).read(upTo: 1) }
                }
                try waitUntil("every client waits") { clients.allSatisfy(\.isWaiting) }
                for _ in 0..<20 { try listener.accept().write([1]) }
                for client in clients { #expect(try client.join() == [1]) }
            }
        }

        @Test func connectionsComeFromTheSourceThatWasAskedFor() throws {
            try Scheduler.run(threads: 1) {
                let listener = try Descriptor.listening(at: anyPort)
                let source = try SocketAddress.ipv4("127.0.0.77", port: 0)
                let client = try Descriptor.connected(to: try listener.localAddress, from: source)
                #expect(try client.localAddress.description.hasPrefix("127.0.0.77:"))
            }
        }

        @Test func closingEndsEveryWait() throws {
            try Scheduler.run(threads: 3) {
                let (one, other) = try Descriptor.socketPair()
                let readers = try (0..<5).map { _ in try Scheduler.spawn { try one.read(upTo: 1) } }
                let writer = try Scheduler.spawn { try one.write([UInt8](repeating: 0, count: 1 << 22)) }
                try waitUntil("all wait") { writer.isWaiting && readers.allSatisfy(\.isWaiting) }
                try one.close()
                try one.close()
                for reader in readers {
                    #expect(throws: SchedulerError.descriptorClosed) { try reader.join() }
                }
                #expect(throws: SchedulerError.descriptorClosed) { try writer.join() }
                #expect(throws: SchedulerError.descriptorClosed) { try one.read(upTo: 1) }
                #expect(throws: SchedulerError.descriptorClosed) { try one.shutDownWriting() }
                #expect(throws: SchedulerError.descriptorClosed) { _ = try one.localAddress }
                withExtendedLifetime(other) {}
            }
        }

        @Test func readerWithMoreThanItTakesLeavesTheRestToTheOthers() throws {
            let received = Counter()
            try Scheduler.run(threads: 4) {
                let (reader, writer) = try Descriptor.pipe()
                for _ in 0..<8 {
                    try Scheduler.spawn {
                        while try reader.read(upTo: 1).count == 1 {
                            received.increase()
                            try Scheduler.yield()
                        }
                    }
                }
                for _ in 0..<100 {
                    try writer.write([UInt8](repeating: 0, count: 20))
                    try Scheduler.yield()
                }
                try writer.close()
            }
            #expect(received.value == 2000)
        }

        @Test func signalsAreRead() throws {
            let number = try Thread.result { () -> UInt8 in
                // In a thread of its own, whose mask ends with it.
                let signals = try Descriptor.signals([SIGUSR1, SIGUSR2])
                return try Scheduler.run(threads: 1) {
                    pthread_kill(pthread_self(), SIGUSR2)
                    let bytes = try signals.read(upTo: 1024)
                    #expect(bytes.count == 128)
                    return bytes[0]
                }
            }
            #expect(Int32(number) == SIGUSR2)
            #expect(throws: SchedulerError.system(call: "signalfd", errno: EINVAL)) {
                _ = try Descriptor.signals([1000])
            }
        }

        @Test func regularFilesNeedNoEvents() throws {
            let number = open("/proc/self/status", O_RDONLY)
            let file = try Descriptor(adopting: number)
            let text = try Scheduler.run(threads: 1) { String(decoding: try readAll(file), as: UTF8.self) }
            #expect(text.contains("VmRSS"))
        }

        @Test func overflowWhileReadingKeepsTheDescriptorUsable() throws {
            @Sendable func deepRead(_ descriptor: Descriptor) throws -> Int {
                var byte: UInt8 = 0
                let count = try withUnsafeMutableBytes(of: &byte) { try descriptor.read(into: $0) }
                return count + keep(try deepRead(descriptor))
            }
            let zeros = open("/dev/zero", O_RDONLY)
            let source = try Descriptor(adopting: zeros)
            let descriptors = openDescriptors()
            try Scheduler.run(threads: 2) {
                let small = StackConfiguration(maximum: 32 << 10, isIsolated: true)
                for _ in 0..<30 {
                    let job = try Scheduler.spawn(stack: small) { try deepRead(source) }
                    #expect(throws: StackFault.self) { try job.join() }
                }
                #expect(try source.read(upTo: 3) == [0, 0, 0])
                try source.close()
            }
            #expect(openDescriptors() == descriptors - 1)
        }

        @Test func writingNothingIsRefusedWhereWritingIs() throws {
            let (reader, writer) = try Descriptor.pipe()
            #expect(throws: SchedulerError.outsideJob) { try writer.write([]) }
            try Scheduler.run(threads: 1) {
                let cancelled = try Scheduler.spawn {
                    while !Scheduler.isCancelled { try? Scheduler.yield() }
                    try writer.write([])
                }
                try Scheduler.yield()
                cancelled.cancel()
                #expect(throws: CancellationError.self) { try cancelled.join() }
                let writes = fls_debug_calls(.FLS_SITE_WRITE)
                try writer.write([])
                #expect(fls_debug_calls(.FLS_SITE_WRITE) == writes)
                try writer.close()
                #expect(throws: SchedulerError.descriptorClosed) { try writer.write([]) }
            }
            withExtendedLifetime(reader) {}
        }

        @Test func wrongArgumentsAreErrors() throws {
            #expect(throws: SchedulerError.system(call: "fcntl(F_SETFL)", errno: EBADF)) {
                _ = try Descriptor(adopting: -1)
            }
            #expect(throws: SchedulerError.self) { _ = try SocketAddress.ipv4("localhost", port: 1) }
            #expect(throws: SchedulerError.self) { _ = try SocketAddress.ipv6("127.0.0.1", port: 1) }
            #expect(throws: SchedulerError.self) {
                _ = try SocketAddress.unix(path: String(repeating: "x", count: 108))
            }
            #expect(throws: SchedulerError.self) { _ = try SocketAddress.unix(path: "") }
            #expect(try SocketAddress.ipv6("::1", port: 80).description == "[::1]:80")
            #expect(try SocketAddress.unix(path: "/x/y").description == "/x/y")
            try Scheduler.run(threads: 1) {
                let pipe = try Descriptor.pipe()
                #expect(throws: SchedulerError.invalid("cannot read 0 bytes at a time; ask for 1 or more")) {
                    try pipe.reading.read(upTo: 0)
                }
                #expect(throws: SchedulerError.invalid("cannot read 0 bytes at a time; ask for 1 or more")) {
                    try pipe.reading.read(into: UnsafeMutableRawBufferPointer(start: nil, count: 0))
                }
                #expect(throws: SchedulerError.system(call: "shutdown", errno: ENOTSOCK)) {
                    try pipe.writing.shutDownWriting()
                }
                #expect(throws: SchedulerError.system(call: "accept4", errno: ENOTSOCK)) {
                    _ = try pipe.reading.accept()
                }
            }
        }
    }
}
