internal import CScheduler
internal import Glibc

extension SocketAddress {
    /// The addresses of a host, as the system's resolver orders them (getaddrinfo(3)), on a thread of
    /// ``Scheduler/blocking(_:)``.
    /// - Parameters:
    ///   - host: a name, or an address in numbers.
    ///   - port: given to each of the addresses.
    ///   - deadline: when this gives up; nil for never. The look-up itself goes on and ends with the run.
    /// - Throws: ``SchedulerError/unresolved(host:reason:)`` where there is none; as ``Scheduler/blocking(_:)`` does.
    public static func resolve(
        _ host: String, port: UInt16, deadline: SuspendingClock.Instant? = nil
    ) throws -> [SocketAddress] {
        let job = try AnyJob.current()
        return try job.limited(by: deadline) {
            try Scheduler.blocking { try lookUp(host, port) }
        }
    }

    private static func lookUp(_ host: String, _ port: UInt16) throws -> [SocketAddress] {
        var list: UnsafeMutablePointer<addrinfo>?
        var error: Int32 = 0
        let result = fls_resolve(host, &list, &error)
        if result == EAI_SYSTEM { throw SchedulerError(.FLS_SITE_RESOLVE, -Int(error)) }
        guard result == 0 else {
            throw SchedulerError.unresolved(host: host, reason: String(cString: gai_strerror(result)))
        }
        defer { freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = list
        while let entry = next.map(\.pointee) {
            var storage = sockaddr_storage()
            let length = min(Int(entry.ai_addrlen), MemoryLayout<sockaddr_storage>.size)
            withUnsafeMutableBytes(of: &storage) { $0.copyMemory(from: .init(start: entry.ai_addr, count: length)) }
            if let address = SocketAddress(storage: storage, length: length) { addresses.append(address.at(port)) }
            next = entry.ai_next
        }
        return addresses
    }
}

extension Descriptor {
    /// Connects to the first of the host's addresses that accepts.
    /// - Parameters:
    ///   - host: a name, or an address in numbers.
    ///   - port: where the host listens.
    ///   - deadline: when this gives up, for the look-up and all attempts together; nil for never.
    /// - Throws: ``SchedulerError/unresolved(host:reason:)``, or else what connecting to the last one threw; as
    ///   ``connected(to:from:deadline:)``.
    public static func connected(
        toHost host: String, port: UInt16, deadline: SuspendingClock.Instant? = nil
    ) throws -> Descriptor {
        var failure: any Error = SchedulerError.unresolved(host: host, reason: "no address of a known kind")
        for address in try SocketAddress.resolve(host, port: port, deadline: deadline) {
            do { return try connected(to: address, deadline: deadline) } catch let error as SchedulerError {
                if error == .timedOut { throw error }
                failure = error
            }
        }
        throw failure
    }
}
