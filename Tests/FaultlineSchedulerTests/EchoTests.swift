// The echo server under its load: every answer is counted, nothing is timed.
import CScheduler
import FaultlineScheduler
import Foundation
import TestNeeds
import Testing

@testable import echo_server

extension Schedulers {
    // Their locks are of the standard library, which are not known to ThreadSanitizer.
    @Suite(.timeLimit(.minutes(3)), .needs(.noThreadSanitizer)) struct EchoServers {
        /// Connects, sends `text`, says that nothing follows, and returns what comes back.
        private func exchange(_ text: String, with server: Server) throws -> String {
            try Scheduler.run(threads: 1) { [port = server.port] in
                let connection = try Descriptor.connected(to: try .ipv4("127.0.0.1", port: port))
                try Scheduler.spawn {
                    try connection.write(Array(text.utf8))
                    try connection.shutDownWriting()
                }
                var answer: [UInt8] = []
                while true {
                    let part = try connection.read(upTo: 4096)
                    if part.isEmpty { return String(decoding: answer, as: UTF8.self) }
                    answer += part
                }
            }
        }

        @Test func aThousandConnectionsGetEveryAnswer() throws {
            let server = try Server()
            let load = try Running(
                "echo-load", ["--port", "\(server.port)", "--connections", "1000", "--lines", "5", "--depth", "50"])
            #expect(load.end() == 0)
            #expect(load.output.hasPrefix("connected 1000 of 1000\ncorrect 5000, wrong 0, failed 0\n"))
            #expect(try server.end() == "accepted 1000, answered 5000, refused 0, broken 0")
        }

        @Test func twoServersShareAPort() throws {
            let first = try Server(["--shared"])
            let second = try Server(["--shared", "--port", "\(first.port)"])
            let load = try Running("echo-load", ["--port", "\(first.port)", "--connections", "400", "--lines", "2"])
            #expect(load.end() == 0)
            #expect(load.output.hasPrefix("connected 400 of 400\ncorrect 800, wrong 0, failed 0\n"))
            let accepted = try [first, second].map { server in
                let summary = try server.end()
                #expect(summary.hasSuffix("refused 0, broken 0"))
                return try #require(Int(summary.dropFirst("accepted ".count).prefix { $0.isNumber }))
            }
            #expect(accepted.reduce(0, +) == 400 && accepted.allSatisfy { $0 > 0 })
        }

        @Test func loadWithARateSendsTheSameLines() throws {
            let server = try Server(["--threads", "1"])
            let load = try Running(
                "echo-load",
                ["--port", "\(server.port)", "--connections", "50", "--lines", "4", "--rate", "500", "--threads", "1"])
            #expect(load.end() == 0)
            #expect(load.output.contains("correct 200, wrong 0, failed 0"))
            #expect(try server.end() == "accepted 50, answered 200, refused 0, broken 0")
        }

        @Test func expressionsAreEvaluatedAndMistakesExplained() throws {
            let server = try Server()
            let answers = try exchange("2*(3+4)\n\n-(1-10)*2\n(1\n1)\n9223372036854775807+1\n7", with: server)
            #expect(
                answers == """
                    14
                    error: expected a number, '-' or '(' at offset 0
                    18
                    error: expected ')' at offset 2
                    error: expected an operator or the end at offset 1
                    -9223372036854775808

                    """)
            #expect(try server.end() == "accepted 1, answered 3, refused 3, broken 0")
        }

        @Test func deepLinesAreAnsweredAndTooDeepOnesRefused() throws {
            let server = try Server(["--stack", "16"])
            let depth = isSanitized ? 1000 : 10_000
            let deep = String(repeating: "(", count: depth) + "1" + String(repeating: "+1)", count: depth)
            let tooDeep = String(repeating: "(", count: 1_000_000)
            #expect(
                try exchange("\(deep)\n\(tooDeep)\n\(deep)\n", with: server) == """
                    \(depth + 1)
                    error: nested too deeply for a stack of 16777216 bytes
                    \(depth + 1)

                    """)
            #expect(try server.end() == "accepted 1, answered 2, refused 1, broken 0")
        }

        @Test func lineThatIsTooLongEndsItsConnection() throws {
            let server = try Server(["--longest-line", "100"])
            let answer = try exchange("1+1\n" + String(repeating: "1", count: 101), with: server)
            #expect(answer == "2\nerror: the line is longer than 100 bytes\n")
            #expect(try server.end() == "accepted 1, answered 1, refused 1, broken 0")
        }

        @Test func connectionsBeyondTheLimitOfDescriptorsAreServedInTurn() throws {
            let server = try Server(descriptors: 64)
            let load = try Running("echo-load", ["--port", "\(server.port)", "--connections", "200", "--lines", "2"])
            #expect(load.end() == 0)
            #expect(load.output.contains("correct 400, wrong 0, failed 0"))
            #expect(try server.end() == "accepted 200, answered 400, refused 0, broken 0")
        }

        @Test func interruptedServerAnswersWhatItHasAndLetsIdleConnectionsGo() throws {
            let server = try Server()
            let received = try Scheduler.run(threads: 2) {
                [port = server.port, process = server.running.process.processIdentifier] in
                let connections = try (0..<20).map { _ in
                    try Descriptor.connected(to: try .ipv4("127.0.0.1", port: port))
                }
                for connection in connections {
                    try connection.write(Array("1+2\n4".utf8))
                    #expect(try connection.read(upTo: 10) == Array("3\n".utf8))
                }
                kill(process, SIGINT)
                return try connections.map { try $0.read(upTo: 10).count }
            }
            #expect(received == [Int](repeating: 0, count: 20))
            #expect(server.running.end() == 0)
            #expect(server.running.output.hasSuffix("ending\naccepted 20, answered 20, refused 0, broken 0\n"))
        }

        @Test func wrongArgumentsAreRefused() throws {
            for arguments in [["--stack", "0"], ["--longest-line", "0"], ["--grace", "-1"], ["--port", "70000"]] {
                #expect(try Running("echo-server", arguments).end() == 64, "\(arguments)")
            }
            for arguments in [["--port", "1", "--connections", "0"], ["--port", "1", "--sources", "251"], []] {
                #expect(try Running("echo-load", arguments).end() == 64, "\(arguments)")
            }
        }

        @Test func refusedAcceptsAreTriedAgain() throws {
            try Scheduler.run(threads: 1) {
                let listener = try Descriptor.listening(at: try .ipv4("127.0.0.1", port: 0))
                let connections = Connections(longestLine: 100, largestStack: 1 << 20)
                fls_debug_fail(.FLS_SITE_ACCEPT, EPROTO, 0, 2)
                defer { fls_debug_fail(.FLS_SITE_ACCEPT, 0, 0, 0) }
                let accepting = try Scheduler.spawn {
                    // Should it give up, the client hears of it.
                    defer { try? listener.close() }
                    try acceptAll(from: listener, connections)
                }
                let client = try Descriptor.connected(to: try listener.localAddress)
                try client.write(Array("1+2\n".utf8))
                #expect(try client.read(upTo: 10) == Array("3\n".utf8))
                try client.close()
                try listener.close()
                try accepting.join()
                #expect(connections.summary == "accepted 1, answered 1, refused 0, broken 0")
            }
        }

        @Test(.needs(.noSanitizer)) func jobsWithoutAStackCountAsFailed() throws {
            let server = try Server()
            // Stacks of 8 MiB take four times the address space that there is.
            let load = try Running(
                "echo-load", ["--port", "\(server.port)", "--connections", "2000", "--lines", "1"],
                addressSpace: 4 << 20)
            #expect(load.end() == 1)
            let numbers = load.output.split { !$0.isNumber }.prefix(5).compactMap { Int($0) }
            #expect(load.output.hasPrefix("connected \(numbers[0]) of 2000\n"))
            #expect(numbers[0] > 0 && numbers == [numbers[0], 2000, numbers[0], 0, 2000 - numbers[0]])
            #expect(load.output.contains("\(2000 - numbers[0]) times: no stack: "))
            _ = try server.end()
        }

        @Test func portInUseAndMissingServerAreErrors() throws {
            let server = try Server()
            let second = try Running("echo-server", ["--port", "\(server.port)"])
            #expect(second.end() == 1)
            #expect(second.output.contains("bind failed with errno \(EADDRINUSE)"))
            _ = try server.end()
            let load = try Running("echo-load", ["--port", "\(server.port)", "--connections", "3", "--lines", "1"])
            #expect(load.end() == 1)
            #expect(load.output.contains("correct 0, wrong 0, failed 3"))
            #expect(load.output.contains("3 times: connect failed with errno \(ECONNREFUSED)"))
        }
    }
}
