internal import CScheduler
internal import Glibc

extension Descriptor {
    /// A stream socket that listens at `address`, with SO_REUSEADDR set. Does not suspend.
    /// - Parameters:
    ///   - address: the end that others connect to.
    ///   - backlog: connections that may wait to be accepted; the kernel allows at most `net.core.somaxconn`.
    ///   - isShared: other sockets, also of other processes, may listen at the same address if theirs is true too; the
    ///     kernel spreads connections over them (SO_REUSEPORT). Ignored for Unix sockets, which cannot share an
    ///     address.
    /// - Throws: ``SchedulerError/system(call:errno:)``, for instance bind with EADDRINUSE.
    public static func listening(
        at address: SocketAddress, backlog: Int32 = 4096, isShared: Bool = false
    ) throws -> Descriptor {
        let socket = try open(address.family)
        for option in address.isUnix ? [] : isShared ? [SO_REUSEADDR, SO_REUSEPORT] : [SO_REUSEADDR] {
            try SchedulerError.check(.FLS_SITE_OPTION, fls_set_option(socket.number, SOL_SOCKET, option, true))
        }
        try SchedulerError.check(.FLS_SITE_BIND, address.with { fls_bind(socket.number, $0, $1) })
        try SchedulerError.check(.FLS_SITE_LISTEN, fls_listen(socket.number, backlog))
        return socket
    }

    /// Connects a stream socket to `address`, and waits until it is connected.
    /// - Parameters:
    ///   - address: the other end.
    ///   - source: the local address; nil lets the kernel choose. With port 0 the kernel chooses a port that is free
    ///     for this destination, so that each source address has some 28,000 of them (`net.ipv4.ip_local_port_range`).
    ///   - deadline: when this gives up; nil for never.
    /// - Throws: as the methods of ``Descriptor`` that may suspend, for instance connect with ECONNREFUSED.
    public static func connected(
        to address: SocketAddress, from source: SocketAddress? = nil, deadline: SuspendingClock.Instant? = nil
    ) throws -> Descriptor {
        let job = try AnyJob.current()
        return try job.limited(by: deadline) { try connected(to: address, from: source) }
    }

    private static func connected(to address: SocketAddress, from source: SocketAddress?) throws -> Descriptor {
        let socket = try open(address.family)
        if let source {
            if !source.isUnix && source.port == 0 {
                try SchedulerError.check(
                    .FLS_SITE_OPTION, fls_set_option(socket.number, Int32(IPPROTO_IP), IP_BIND_ADDRESS_NO_PORT, true))
            }
            try SchedulerError.check(.FLS_SITE_BIND, source.with { fls_bind(socket.number, $0, $1) })
        }
        while try !socket.connect(to: address) {
            // The listener of a Unix socket has no room, and epoll does not report when it has.
            try Scheduler.sleep(for: .milliseconds(1))
        }
        return socket
    }

    private static func open(_ family: Int32) throws -> Descriptor {
        let type = Int32(SOCK_STREAM.rawValue)
        return Descriptor(opened: try SchedulerError.check(.FLS_SITE_SOCKET, fls_socket(family, type)))
    }

    /// Returns false where it must be tried again later.
    private func connect(to address: SocketAddress) throws -> Bool {
        var isFull = false
        do {
            _ = try perform(.writing, .FLS_SITE_CONNECT, deadline: nil) { number in
                let result = Int(address.with { fls_connect(number, $0, $1) })
                isFull = address.isUnix && result == -Int(EAGAIN)
                if isFull { return -Int(ENOBUFS) }
                // An attempt that was in progress has succeeded.
                return result == -Int(EISCONN) ? 0 : result
            }
        } catch  where isFull {
            return false
        }
        return true
    }

    /// Takes the next connection, and waits until there is one. Connections that were reset meanwhile are skipped.
    /// - Throws: as the methods of ``Descriptor`` that may suspend. With EMFILE or ENFILE the connection stays in the
    ///   queue: close a descriptor, or wait a moment, before the next try.
    public func accept(deadline: SuspendingClock.Instant? = nil) throws -> Descriptor {
        Descriptor(opened: Int32(try perform(.reading, .FLS_SITE_ACCEPT, deadline: deadline) { Int(fls_accept($0)) }))
    }

    /// Whether small writes are sent at once (TCP_NODELAY) instead of waiting for the answer to earlier ones.
    /// - Throws: ``SchedulerError/system(call:errno:)``, ``SchedulerError/descriptorClosed``.
    public func setNoDelay(_ isOn: Bool) throws {
        let result = try using { fls_set_option($0, Int32(IPPROTO_TCP), TCP_NODELAY, isOn) }
        try SchedulerError.check(.FLS_SITE_OPTION, result)
    }

    /// The address that a socket is bound to.
    /// - Throws: ``SchedulerError/system(call:errno:)``, ``SchedulerError/descriptorClosed``,
    ///   ``SchedulerError/invalid(_:)`` where its family is neither IPv4, IPv6 nor Unix.
    public var localAddress: SocketAddress {
        get throws { try address(.FLS_SITE_ADDRESS, fls_local_address) }
    }

    /// The address of the other end of a connection.
    /// - Throws: as ``localAddress``, ENOTCONN where there is no connection.
    public var peerAddress: SocketAddress {
        get throws { try address(.FLS_SITE_PEER_ADDRESS, fls_peer_address) }
    }

    private func address(
        _ site: fls_site,
        _ ask: (Int32, UnsafeMutablePointer<sockaddr_storage>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) throws -> SocketAddress {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = try using { ask($0, &storage, &length) }
        try SchedulerError.check(site, result)
        return try SocketAddress(known: storage, length: Int(length))
    }
}
