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
            let grown = try driver.numbers("contend 3 2 100", atLeast: 3)
            #expect(grown[1] > 0 && grown[2] < 2 * grown[0])
            let collected = try driver.numbers("shrink 50 65536 6", atLeast: 3)
            #expect(collected[2] < collected[1])
            let waiting = try driver.numbers("suspend 1000", atLeast: 3)
            #expect(waiting[1] > 1000 * 2048)
            #expect(try driver.numbers("stackpair 10 8192")[0] > 0)
            // A batch that makes the allocator fill its free stacks; reading the clock is not in its times.
            let allocated = try driver.numbers("stackalloc 10 8192 64 64", atLeast: 2)
            #expect(allocated[0] > 0 && allocated[1] > 0)
            // One growth from 4 KiB, two from 2 KiB.
            let served = try driver.numbers("requests 28 2048 1", atLeast: 14)
            #expect(served[6...].reduce(0, +) == served[1] && served[6] == 28)
            let again = try driver.numbers("again 3 119 0", atLeast: 5)
            let regrown = try driver.numbers("again 3 119 0 1", atLeast: 5)
            // Each of two collections halves each stack, which then grows again.
            #expect(regrown[4] == 6)
            #expect(again[1] > again[3] && again[4] == 0)
            let waste = try driver.numbers("waste 400", atLeast: 3)
            #expect(waste[1] > 0 && waste[2] > waste[1])
            let parked = try toolchain.program(.stacks).converse().numbers("park 500 119 1 8 2", atLeast: 7)
            #expect(parked[1] > 500 * 2048 && parked[5] >= parked[6] && parked[6] > 0)
        }
    }

    @Test(.needs(.go))
    func whatArticlesSayOfGoroutinesIsCountedAndTimed() throws {
        for toolchain in Self.toolchains {
            let driver = try toolchain.program(.articles).converse()
            let dumps = try driver.numbers("dump 2 16 2", atLeast: 3)
            #expect(dumps.allSatisfy { $0 > 0 }, "\(toolchain.version)")
            let (started, called) = (
                try driver.numbers("closures 50 0", atLeast: 3), try driver.numbers("closures 50 1", atLeast: 3)
            )
            #expect(started[2] >= 50 && called[2] == 0)
            let scanned = try driver.numbers("scan 3 10", atLeast: 3)
            #expect(scanned[1] > 0 && scanned[2] > 0)
            let crowded = try driver.numbers("scan 3 1 1000 1", atLeast: 5)
            #expect(crowded[1] > 0 && crowded[3] > 0)
            let records = try toolchain.program(.stacks).converse().numbers("park 10000 0 0 0 2 1", atLeast: 7)
            #expect(records[1] > 10_000 * 400 && records[5] > 0)
            #expect(try driver.numbers("storm 50 2 80", atLeast: 7).count == 7)
            #expect(try driver.numbers("heads 100 1 2")[0] > 0)
            let kernels = try toolchain.program(.kernels, compilerFlags: ["-l"]).converse()
            for call in ["direct", "closure", "interface"] {
                #expect(try kernels.numbers("\(call) 110 10") == [100])
            }
        }
    }

    @Test(.needs(.go))
    func eachGoroutineIsMarkedByHowDeepItWas() throws {
        let toolchain = try #require(Self.toolchains.last)
        let driver = try toolchain.program(.servers).converse()
        // One after the other on the same stacks: those that do nothing count each by itself, however deep the others.
        #expect(try driver.numbers("shallow 10 1", atLeast: 6)[1...] == [20, 10, 0, 10, 0])
        #expect(try driver.numbers("shallow 10 100", atLeast: 6)[1...] == [20, 10, 0, 0, 10])
        let marks = try driver.numbers("marks 10 10", atLeast: 6)
        #expect(marks[1] >= 10 && marks[2...].reduce(0, +) == marks[1])
        #expect(try driver.numbers("crowd 100 1 1", atLeast: 1)[0] > 0)
    }

    @Test func coroutinesWithoutStacksWaitAndTakeTurns() throws {
        let program = try PeerProgram.coroutines20().converse()
        let waiting = try program.numbers("suspend 1000", atLeast: 2)
        #expect(waiting[0] > 0 && waiting[1] == 1000)
        #expect(try program.numbers("suspend-deep 2", atLeast: 2)[1] == 2)
        for task in ["spawn", "switch"] { #expect(try program.numbers("\(task) 100", atLeast: 2)[1] >= 100) }
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
