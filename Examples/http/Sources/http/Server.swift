// The server: each request's expression is evaluated on its event loop, on a small growable stack of its own.
import Faultline
import NIOCore
import NIOHTTP1
import NIOPosix

/// Answers the body of each request with the value of its expression.
final class Answers: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// Bytes of stack that a request may use. A hostile one costs the time to fill them, and no memory that stays.
    private static let stack = 128 << 10
    private static let largestBody = 1 << 20
    private let containsOverflows: Bool
    private var body = ByteBuffer()

    /// - Parameter containsOverflows: nothing looks at the stack, and an overflow is contained: the same answers, but
    ///   what the abandoned frames owned leaks.
    init(containsOverflows: Bool) { self.containsOverflows = containsOverflows }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: body.clear()
        case .body(var part):
            if body.readableBytes <= Self.largestBody { body.writeBuffer(&part) }
        case .end:
            let (status, text) = answer()
            let head = HTTPResponseHead(
                version: .http1_1, status: status, headers: ["content-length": "\(text.utf8.count)"])
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }

    private func answer() -> (HTTPResponseStatus, String) {
        guard body.readableBytes <= Self.largestBody else { return (.payloadTooLarge, "too long") }
        do {
            let value = try withGrowableStack(maximum: Self.stack) {
                try Evaluator.evaluate(Array(body.readableBytesView), looksAtStack: !containsOverflows)
            }
            return (.ok, "\(value)")
        } catch is InsufficientStack {
            return (.payloadTooLarge, "nested too deep")
        } catch StackFault.overflow {
            return (.payloadTooLarge, "nested too deep")
        } catch is NotAnExpression {
            return (.badRequest, "not an expression")
        } catch {
            return (.internalServerError, "\(error)")
        }
    }
}

func serve(on port: Int, loops: any EventLoopGroup, containsOverflows: Bool = false) async throws -> any Channel {
    try await ServerBootstrap(group: loops)
        .serverChannelOption(.backlog, value: 256)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                try channel.pipeline.syncOperations.addHandler(Answers(containsOverflows: containsOverflows))
            }
        }
        .bind(host: "127.0.0.1", port: port).get()
}
