internal import Glibc

/// Where a socket listens, connects or sends to.
public struct SocketAddress: Sendable, Equatable, CustomStringConvertible {
    private enum Kind: Equatable { case ipv4, ipv6, unix }
    private let kind: Kind
    private let bytes: [UInt8]

    /// - Parameters:
    ///   - host: four decimal numbers with dots. ``resolve(_:port:deadline:)`` looks names up.
    ///   - port: 0 lets the kernel choose one when listening.
    /// - Throws: ``SchedulerError/invalid(_:)``.
    public static func ipv4(_ host: String, port: UInt16) throws -> SocketAddress {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else {
            throw SchedulerError.invalid("'\(host)' is no IPv4 address; give one like 127.0.0.1")
        }
        return withUnsafeBytes(of: address) { SocketAddress(kind: .ipv4, bytes: Array($0)) }
    }

    /// As ``ipv4(_:port:)``, with an address like `::1`. Scopes are not supported.
    public static func ipv6(_ host: String, port: UInt16) throws -> SocketAddress {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        guard inet_pton(AF_INET6, host, &address.sin6_addr) == 1 else {
            throw SchedulerError.invalid("'\(host)' is no IPv6 address; give one like ::1")
        }
        return withUnsafeBytes(of: address) { SocketAddress(kind: .ipv6, bytes: Array($0)) }
    }

    /// A socket in the file system.
    /// - Throws: ``SchedulerError/invalid(_:)`` unless the path has 1 to 107 bytes (`sun_path` of unix(7)), none of
    ///   them 0.
    public static func unix(path: String) throws -> SocketAddress {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let fits = withUnsafeMutableBytes(of: &address.sun_path) { room in
            guard path.utf8.count < room.count, !path.isEmpty, !path.utf8.contains(0) else { return false }
            room.copyBytes(from: path.utf8)
            return true
        }
        guard fits else {
            throw SchedulerError.invalid("'\(path)' is no path of a socket; give 1 to 107 bytes, none of them 0")
        }
        return withUnsafeBytes(of: address) { SocketAddress(kind: .unix, bytes: Array($0)) }
    }

    /// The same with another port; a Unix socket has none.
    func at(_ port: UInt16) -> SocketAddress {
        var bytes = bytes
        if kind != .unix { (bytes[2], bytes[3]) = (UInt8(port >> 8), UInt8(port & 0xff)) }
        return SocketAddress(kind: kind, bytes: bytes)
    }

    private init(kind: Kind, bytes: [UInt8]) {
        self.kind = kind
        self.bytes = bytes
    }

    /// An address from getsockname(2); nil for other families.
    init?(storage: sockaddr_storage, length: Int) {
        let kind: Kind
        switch Int32(storage.ss_family) {
        case AF_INET: kind = .ipv4
        case AF_INET6: kind = .ipv6
        case AF_UNIX: kind = .unix
        default: return nil
        }
        self.kind = kind
        // The address of a Unix socket may be shorter; the rest is zeros.
        bytes = withUnsafeBytes(of: storage) {
            Array($0.prefix(kind == .unix ? MemoryLayout<sockaddr_un>.size : length))
        }
    }

    /// - Throws: ``SchedulerError/invalid(_:)`` for other families.
    init(known storage: sockaddr_storage, length: Int) throws(SchedulerError) {
        guard let address = SocketAddress(storage: storage, length: length) else {
            throw .invalid("a socket of family \(storage.ss_family) has no address of a known kind")
        }
        self = address
    }

    var family: Int32 {
        switch kind {
        case .ipv4: AF_INET
        case .ipv6: AF_INET6
        case .unix: AF_UNIX
        }
    }
    var isUnix: Bool { kind == .unix }

    func with<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        bytes.withUnsafeBytes { buffer in
            // Never empty.
            body(buffer.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(buffer.count))
        }
    }

    /// The port, 0 for a Unix socket.
    public var port: UInt16 { kind == .unix ? 0 : UInt16(bytes[2]) << 8 | UInt16(bytes[3]) }

    public var description: String {
        switch kind {
        case .ipv4: return "\(text(AF_INET, at: 4)):\(port)"
        case .ipv6: return "[\(text(AF_INET6, at: 8))]:\(port)"
        case .unix: return String(decoding: bytes.dropFirst(2).prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    private func text(_ family: Int32, at offset: Int) -> String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let written = bytes.withUnsafeBytes {
            inet_ntop(family, $0.baseAddress! + offset, &text, socklen_t(INET6_ADDRSTRLEN)) != nil
        }
        return written ? String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) : "?"
    }
}
