import Testing

@testable import Peers

@Suite("Conversations with programs") struct ConversationTests {
    @Test func anAnswerBelongsToItsRequest() throws {
        let cat = try Conversation("/bin/cat", name: "cat")
        #expect(try cat.ask("one") == "one")
        #expect(try cat.numbers("2 3") == [2, 3])
    }

    @Test func whatIsNoNumberIsAnError() throws {
        let cat = try Conversation("/bin/cat", name: "cat")
        #expect(throws: PeerFailure.self) { try cat.numbers("1 x") }
        #expect(throws: PeerFailure.self) { try cat.numbers("1", atLeast: 2) }
    }

    @Test func aTimeBelowZeroIsAskedForAgain() throws {
        let rising = ["-c", "n=-3; while read line; do echo \"$n 7\"; n=$((n + 1)); done"]
        let program = try Conversation("/bin/sh", rising, name: "rising")
        #expect(try program.numbers("x", attempts: 10) == [0, 7])
        let other = try Conversation("/bin/sh", rising, name: "rising")
        #expect { try other.numbers("x", attempts: 3) } throws: { "\($0)" == "rising answered '-1 7' to 'x'" }
    }

    @Test func aReportedErrorIsThrown() throws {
        let cat = try Conversation("/bin/cat", name: "cat")
        #expect { try cat.ask("error: no such thing") } throws: { "\($0)" == "cat: no such thing" }
        #expect(try cat.ask("still here") == "still here")
    }

    @Test func aProgramThatEndsIsReported() throws {
        let program = try Conversation("/bin/false", name: "false")
        #expect { try program.ask("hello") } throws: { "\($0)".contains("exited with 1") }
        #expect(throws: PeerFailure.self) { try program.ask("again") }
    }

    @Test func aProgramThatIsSilentIsKilled() throws {
        let program = try Conversation("/bin/sh", ["-c", "exec sleep 600"], name: "sleep")
        #expect { try program.ask("hello", seconds: 0.2) } throws: { "\($0)".contains("did not answer") }
    }
}
