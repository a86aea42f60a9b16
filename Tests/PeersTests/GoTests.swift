import Peers
import Processes
import TestNeeds
import Testing
import Workloads

@Suite("Go peers") struct GoTests {
    private static let toolchains = GoToolchain.installed()

    @Test(.needs(.go))
    func everyVersionIsListedOnce() {
        #expect(!Self.toolchains.isEmpty)
        #expect(Set(Self.toolchains.map(\.version)).count == Self.toolchains.count)
    }

    @Test(.needs(.go))
    func everyVersionBuildsAndAnswers() throws {
        for toolchain in Self.toolchains {
            let driver = try toolchain.program(.growth).converse()
            let times = try driver.numbers("growth 4 4096 0 0", atLeast: 4)
            #expect(times[1] > 2048 && times[1] < 4096 && times[2] == 0, "\(toolchain.version)")
        }
    }

    @Test(.needs(.go))
    func goroutinesBeginAndGrowAsAsked() throws {
        for toolchain in Self.toolchains {
            let driver = try toolchain.program(.stacks).converse()
            let few = try driver.numbers("requests 28 65536", atLeast: 5)
            let many = try driver.numbers("requests 28 2048", atLeast: 5)
            #expect(few[1] == 0 && many[1] > 28, "\(toolchain.version): \(few[1]) and \(many[1]) growths")
            #expect(many[2] <= many[3] && many[3] <= many[4])
            let copies = try driver.numbers("copy 10 4096", atLeast: 2)
            #expect(copies[1] == 10)
            let grown = try driver.numbers("contend 3 2 100", atLeast: 2)
            #expect(grown[1] > 0)
            let collected = try driver.numbers("shrink 50 65536 6", atLeast: 3)
            #expect(collected[2] < collected[1])
            let waiting = try driver.numbers("suspend 1000", atLeast: 3)
            #expect(waiting[1] > 1000 * 2048)
            #expect(try driver.numbers("stackalloc 10 8192")[0] > 0)
        }
    }

    @Test(.needs(.go))
    func anUnknownOperationIsAnError() throws {
        let driver = try Self.toolchains[0].program(.growth).converse()
        #expect(throws: PeerFailure.self) { try driver.ask("dance 1") }
        #expect(throws: PeerFailure.self) { try driver.ask("growth x 1") }
    }

    @Test func aFolderWithoutGoHasNone() {
        let environment = CodeEnvironment(searchPath: "/nonexistent", cacheFolder: "/nonexistent")
        for toolchain in GoToolchain.installed(environment: environment) {
            // Debian's and the one of go.dev's archive are found wherever the search path leads.
            #expect(toolchain.command.hasPrefix("/usr/"))
        }
    }
}

@Suite("Recursions of peers") struct RecursionTests {
    @Test(.needs(.go))
    func aGoroutineEndsItsProcessAtItsLimit() throws {
        let toolchains = GoToolchain.installed()
        #expect(!toolchains.isEmpty)
        for toolchain in toolchains {
            let program = try toolchain.program(.growth)
            let overflow = try program.run(["ackermann", "1", "4", "5", "65536"], seconds: 60)
            #expect(overflow.ending == .exited(2))
            #expect(overflow.errors.contains("goroutine stack exceeds 65536-byte limit"))
            #expect(overflow.output.contains("depth=512\n"))
            let finished = try program.run(["ackermann", "1", "2", "3", "65536"], seconds: 60)
            #expect(finished.ending == .exited(0))
            #expect(finished.output.split(separator: "\n").last?.hasSuffix(" 9") == true)
        }
    }

    @Test func aThreadDiesOfTheSignalAfterItHasSaidHowDeepItWas() throws {
        let program = try PeerProgram.thread()
        for arguments in [["65536", "runaway"], ["65536", "4", "5"]] {
            let overflow = try program.run(arguments, seconds: 60)
            #expect(overflow.ending == .signalled(11))
            let line = try #require(overflow.output.split(separator: "\n").first { $0.hasPrefix("depth=") })
            #expect(try #require(Int(line.dropFirst(6))) > 100)
        }
        let finished = try program.run(["65536", "2", "3"], seconds: 60)
        #expect(finished.ending == .exited(0))
        #expect(finished.output.contains("value=9\n"))
    }
}
