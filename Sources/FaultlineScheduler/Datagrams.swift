internal import CScheduler
internal import Glibc

/// What a datagram socket receives.
public struct Datagram: Sendable, Equatable {
    /// What was sent, or its beginning.
    public let bytes: [UInt8]
    /// Where it came from.
    public let source: SocketAddress
    /// Whether there were more bytes than were asked for; they are lost.
    public let isTruncated: Bool
}

extension Descriptor {
    /// A datagram socket (UDP for IPv4 and IPv6) at `address`. Does not suspend.
    /// - Throws: ``SchedulerError/system(call:errno:)``, for instance bind with EADDRINUSE.
    public static func datagrams(at address: SocketAddress) throws -> Descriptor {
        let type = Int32(SOCK_DGRAM.rawValue)
        let number = try SchedulerError.check(.FLS_SITE_SOCKET, fls_socket(address.family, type))
        let socket = Descriptor(opened: number)
        try SchedulerError.check(.FLS_SITE_BIND, address.with { fls_bind(number, $0, $1) })
        return socket
    }

    /// Sends `bytes` as one datagram, and waits while the socket has no room. It may be lost on its way.
    /// - Throws: as the methods of ``Descriptor`` that may suspend, for instance sendto with EMSGSIZE for more than
    ///   65,507 bytes (udp(7), IPv4).
    public func send(_ bytes: [UInt8], to address: SocketAddress, deadline: SuspendingClock.Instant? = nil) throws {
        _ = try perform(.writing, .FLS_SITE_SEND_TO, deadline: deadline) { number in
            bytes.withUnsafeBytes { buffer in
                address.with { fls_send_to(number, buffer.baseAddress, buffer.count, $0, $1) }
            }
        }
    }

    /// Receives the next datagram, and waits while there is none. A job that waits holds no memory for it.
    /// - Parameters:
    ///   - count: bytes that are kept of it at most: 1 or more.
    ///   - deadline: when this gives up; nil for never.
    /// - Throws: as the methods of ``Descriptor`` that may suspend; ``SchedulerError/invalid(_:)`` for another count,
    ///   and where the sender has no address of a known kind, as a Unix socket that is not bound.
    public func receive(upTo count: Int = 65_535, deadline: SuspendingClock.Instant? = nil) throws -> Datagram {
        try Descriptor.checkCount(count)
        let count = min(count, 65_535)  // no datagram is larger
        var bytes: [UInt8] = []
        var storage = sockaddr_storage()
        var length = socklen_t(0)
        let whole = try perform(.reading, .FLS_SITE_RECEIVE_FROM, deadline: deadline) { number in
            var result = 0
            bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
                length = socklen_t(MemoryLayout<sockaddr_storage>.size)
                result = fls_receive_from(number, buffer.baseAddress!, count, &storage, &length)
                initialized = min(max(result, 0), count)
            }
            if result < 0 { bytes = [] }
            return result
        }
        return Datagram(
            bytes: bytes, source: try SocketAddress(known: storage, length: Int(length)), isTruncated: whole > count)
    }
}
