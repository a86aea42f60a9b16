// A server that evaluates expressions by recursion, and what happens to it under hostile ones.
//
//     http                    serves on port 8080
//     http --load             serves, and sends itself 20,000 requests that are nested 5,000 deep, beside ordinary ones
//     http --load --contain   2,000 of them where nothing looks at the stack: the same answers, but memory leaks
import FoundationEssentials
import NIOCore
import NIOPosix

/// Bytes of memory of this process.
func residentBytes() throws -> Int {
    let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
    return Int(fields[1])! * 4096
}

let containsOverflows = CommandLine.arguments.contains("--contain")
let loops = MultiThreadedEventLoopGroup(numberOfThreads: 2)

if CommandLine.arguments.contains("--load") {
    let server = try await serve(on: 0, loops: loops, containsOverflows: containsOverflows)
    guard let port = server.localAddress?.port else { fatalError("a listening socket has a port") }
    let alone = try await Client.with(port: port) { client in
        var waits = Waits()
        for _ in 0..<2_000 { try await waits.ask(&client) }
        return waits
    }
    print("alone: \(alone)")

    let hostile = containsOverflows ? 2_000 : 20_000
    // The first ones fill pools and caches, of the allocator as well.
    let warmUp = try await attack(port: port, count: 2_000)
    let before = try residentBytes()
    let (waits, refused) = try await askBesideAttack(port: port, count: hostile)
    let grown = (try residentBytes() - before) / (1 << 20)
    print("beside \(hostile) hostile requests: \(waits)")
    print("memory: \(before >> 20) MiB before them, \(grown) MiB more afterwards")
    print("answered with 413: \(warmUp + refused) of \(2_000 + hostile)")
    print("wrong answers to others: \(alone.wrongAnswers + waits.wrongAnswers)")
    server.close(promise: nil)
} else {
    let server = try await serve(on: 8080, loops: loops, containsOverflows: containsOverflows)
    print("try: curl --data '(+ 1 (* 2 3))' http://localhost:8080")
    try await server.closeFuture.get()
}
