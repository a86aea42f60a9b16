// The load: hostile requests from four connections, and beside them those of a client that means well.
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// One connection that sends requests one after the other.
struct Client {
    typealias Connection = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>
    private var responses: NIOAsyncChannelInboundStream<HTTPClientResponsePart>.AsyncIterator
    private let requests: NIOAsyncChannelOutboundWriter<HTTPClientRequestPart>

    static func with<R: Sendable>(port: Int, _ body: @Sendable (inout Client) async throws -> R) async throws -> R {
        let connection: Connection = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    return try Connection(wrappingChannelSynchronously: channel)
                }
            }
        return try await connection.executeThenClose { responses, requests in
            var client = Client(responses: responses.makeAsyncIterator(), requests: requests)
            return try await body(&client)
        }
    }

    mutating func post(_ text: ByteBuffer) async throws -> (status: HTTPResponseStatus, text: String) {
        let head = HTTPRequestHead(
            version: .http1_1, method: .POST, uri: "/",
            headers: ["host": "localhost", "content-length": "\(text.readableBytes)"])
        try await requests.write(contentsOf: [.head(head), .body(.byteBuffer(text)), .end(nil)])
        var status = HTTPResponseStatus.noContent
        var answer = ""
        while let part = try await responses.next() {
            switch part {
            case .head(let head): status = head.status
            case .body(let body): answer += String(buffer: body)
            case .end: return (status, answer)
            }
        }
        throw ChannelError.eof
    }
}

/// What a client that means well waited for its answers, and how many there were that it did not expect.
struct Waits: CustomStringConvertible {
    private var times: [Duration] = []
    private(set) var wrongAnswers = 0
    var count: Int { times.count }

    mutating func ask(_ client: inout Client) async throws {
        let clock = ContinuousClock()
        let begin = clock.now
        let answer = try await client.post(ByteBuffer(string: "(+ 1 (* 2 3) 4)"))
        times.append(clock.now - begin)
        if answer != (.ok, "11") { wrongAnswers += 1 }
    }

    var description: String {
        let sorted = times.sorted()
        func share(_ percent: Int) -> String { "\(sorted[sorted.count * percent / 100].microseconds) µs" }
        return "half of \(count) within \(share(50)), 99 % within \(share(99))"
    }
}

/// Sends `count` hostile requests on four connections.
/// - Returns: how many were answered with 413.
func attack(port: Int, count: Int) async throws -> Int {
    let hostile = ByteBuffer(string: String(repeating: "(+ ", count: 5_000))
    return try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<4 {
            group.addTask {
                try await Client.with(port: port) { client in
                    var refused = 0
                    for _ in 0..<count / 4 where try await client.post(hostile).status == .payloadTooLarge {
                        refused += 1
                    }
                    return refused
                }
            }
        }
        return try await group.reduce(0, +)
    }
}

/// - Returns: how long the client waited while `count` hostile requests were answered, and how many got a 413.
func askBesideAttack(port: Int, count: Int) async throws -> (waits: Waits, refused: Int) {
    final class Attack: Sendable { let isOver = Atomic(false) }
    let attacked = Attack()
    return try await withThrowingTaskGroup(of: Waits.self) { group in
        group.addTask {
            try await Client.with(port: port) { client in
                var waits = Waits()
                while !attacked.isOver.load(ordering: .relaxed) { try await waits.ask(&client) }
                return waits
            }
        }
        let refused = try await attack(port: port, count: count)
        attacked.isOver.store(true, ordering: .relaxed)
        return (try await group.next() ?? Waits(), refused)
    }
}

extension Duration {
    fileprivate var microseconds: Int64 { components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000 }
}
