// Programs whose stacks grow by faults behave as before, and their stacks grow where they did.

import Experiments
import Foundation
import Peers
import Processes
import TestNeeds
import Testing
import Workloads

@testable import GoBinary

@Suite("Growth by faults", .needs(.wrgsbase)) struct GrowthTests {
    private static let probes = StripOptions(growth: .fault)
    private static let everything = StripOptions(growth: .fault, keepsRuntime: false)
    private static let equal = StripOptions(growth: .fault, checks: .equal)

    /// What a copy counted, in all its runs.
    private func statistics(_ path: String) throws -> [String: Int] {
        let words = String(decoding: try content(path), as: UTF8.self).split { $0 == " " || $0 == "\n" }
        let pairs = zip(words, words.dropFirst()).compactMap { name, count in Int(count).map { (String(name), $0) } }
        return Dictionary(pairs) { $0 + $1 }
    }

    /// Runs `path` and a copy of it.
    @discardableResult private func expectEqualOutput(
        _ path: String, _ options: StripOptions, _ arguments: [String] = ["work"], _ variables: [String: String] = [:],
        runs: Int = 1, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> [String: Int] {
        let original = try run(path, arguments, seconds: 120)
        try #require(original.ending == .exited(0), "\(original)", sourceLocation: sourceLocation)
        let folder = try TemporaryFolder()
        let copy = try folder.executable(try GoExecutable(try content(path)).stripped(options).content)
        let counts = folder.path + "/counts"
        for index in 0..<runs {
            let patched = try run(
                copy, arguments, variables.merging(["FAULTLINE_STATISTICS": counts]) { $1 }, seconds: 120)
            try #require(
                patched.ending == .exited(0) && patched.output == original.output && patched.errors == original.errors,
                "run \(index): \(patched)", sourceLocation: sourceLocation)
        }
        return options.growth == .fault ? try statistics(counts) : [:]
    }

    @Test(arguments: GoInstallation.all) func programsOfEveryVersionBehaveAsBefore(_ go: GoInstallation) throws {
        let path = try go.program()
        let counts = try expectEqualOutput(path, Self.probes)
        // Each fault but those that yield to another goroutine grows a stack; the kept checks of the runtime grow some.
        #expect(counts["probe-faults"]! > 1000 && counts["growths"]! > 1000 && counts["stacks"]! > 100)
        try expectEqualOutput(path, Self.everything)
        let kept = try expectEqualOutput(path, Self.equal)
        #expect(kept["probe-faults"] == 0 && kept["growths"]! > 1000)
    }

    @Test(.long, .unoptimized, arguments: GoInstallation.thorough, [GoInstallation.Mode.small, .pie, .cgo, .cgoPie])
    func programsOfEveryModeBehaveAsBefore(_ go: GoInstallation, _ mode: GoInstallation.Mode) throws {
        let path = try go.program(mode)
        try expectEqualOutput(path, Self.probes, runs: 2)
        try expectEqualOutput(path, Self.everything, runs: 2)
    }

    /// Collections that stop the world and that never end.
    @Test(
        .long, .unoptimized, arguments: [GoInstallation.debian, .newest],
        [["GODEBUG": "gcstoptheworld=1"], ["GOGC": "1"]])
    func collectionsFindEveryPointer(_ go: GoInstallation, _ variables: [String: String]) throws {
        try expectEqualOutput(try go.program(), Self.everything, ["work"], variables, runs: 2)
    }

    private static let checkmarks = ["GODEBUG": "gccheckmark=1", "GOGC": "20"]

    /// Collections that check themselves. From Go 1.25 on that switches preemption by signals off, which a copy needs.
    @Test(.long, .unoptimized, arguments: [GoInstallation.debian, .lastWithCheckmarks])
    func collectionsThatCheckThemselvesFindEveryPointer(_ go: GoInstallation) throws {
        try expectEqualOutput(try go.program(), Self.everything, ["work"], Self.checkmarks, runs: 2)
    }

    /// What is rare in one run is seen in 200.
    @Test(
        .onDemand, arguments: [GoInstallation.debian, .lastWithCheckmarks, .newest],
        [
            ["GODEBUG": "gcstoptheworld=1"], ["GOGC": "1"], ["GODEBUG": "gcstoptheworld=1", "GOGC": "1"], checkmarks,
        ])
    func twoHundredRunsAreEqual(_ go: GoInstallation, _ variables: [String: String]) throws {
        if variables == Self.checkmarks, !go.hasCheckmarks { try Test.cancel("a copy refuses gccheckmark=1") }
        for options in [Self.probes, Self.everything] {
            try expectEqualOutput(try go.program(), options, ["work"], variables, runs: 200)
        }
    }

    /// User code is preempted by a signal and nothing else: a program that ignores it would wait for ever.
    @Test(arguments: GoInstallation.all) func aProgramThatIgnoresSignalsIsPreempted(_ go: GoInstallation) throws {
        try expectEqualOutput(try go.program(), Self.probes, ["ignored"])
        try expectEqualOutput(try go.program(), Self.everything, ["ignored"])
        try expectEqualOutput(try go.program(), StripOptions(), ["ignored"])
    }

    /// Go does not note that a signal arrived that found a thread outside of Go, and sends it no other: what a new call
    /// from there, and the signal, must make up for.
    @Test(.long, .unoptimized, arguments: GoInstallation.all, [probes, everything, StripOptions()])
    func aThreadOfCIsPreemptedWhereverASignalFoundItBefore(_ go: GoInstallation, _ options: StripOptions) throws {
        try expectEqualOutput(try go.program(.cgo), options, ["foreign-calls"])
    }

    /// What Go's compiler finds no point in at which a signal may preempt: the runtime and what it imports, as the
    /// compiler's own sources list it.
    private func packagesOfTheRuntime(_ go: GoInstallation) throws -> [String] {
        let root = try #require(GoToolchain(at: go.command)).root
        // From Go 1.22 on, and before.
        let lists = [
            ("cmd/internal/objabi/pkgspecial.go", "var runtimePkgs = "),
            ("cmd/go/internal/work/gc.go", "var runtimePackages = "),
        ]
        let (file, beginning) = try #require(
            lists.first { FileManager.default.fileExists(atPath: "\(root)/src/\($0.0)") })
        let lines = String(decoding: try content("\(root)/src/\(file)"), as: UTF8.self).split(separator: "\n")
        let list = lines.drop { !$0.hasPrefix(beginning) }.prefix { $0 != "}" }
        return list.compactMap { line in
            let parts = line.split(separator: "\"", omittingEmptySubsequences: false)
            return parts.count == 3 ? String(parts[1]) : nil
        }
    }

    @Test(arguments: GoInstallation.all, [probes, StripOptions(keepsRuntime: true)])
    func whatNoSignalPreemptsKeepsItsCheck(_ go: GoInstallation, _ options: StripOptions) throws {
        let program = try GoExecutable(try content(try go.program()))
        let packages = try packagesOfTheRuntime(go)
        #expect(packages.contains("runtime") && packages.contains("internal/bytealg"))
        let beginnings = packages.map { $0 + "." } + ["reflect.", "sync.(*Pool)."]
        let left = Set(try program.stripped(options).left.map(\.function))
        var seen: Set<String> = []
        for checked in program.functions where checked.check != nil {
            let name = checked.function.name
            guard let beginning = beginnings.first(where: name.hasPrefix) else { continue }
            seen.insert(beginning)
            // Some give way to a jump.
            #expect(left.contains(name) || Editor.replacedFunctions[name] != nil, "\(name)")
        }
        #expect(seen.isSuperset(of: ["runtime.", "internal/cpu.", "reflect.", "sync.(*Pool)."]))
        if packages.contains("internal/strconv") { #expect(seen.contains("internal/strconv.")) }
    }

    private static let refusalWithoutSignals =
        "fatal error: nothing but signals preempts a program with probes; it cannot run with "
        + "GODEBUG=asyncpreemptoff=1, nor with gccheckmark=1, which implies it from Go 1.25 on\n"

    /// Whatever sets it: it is the runtime's variable that counts.
    @Test(arguments: GoInstallation.all) func preemptionThatIsSwitchedOffIsRefused(_ go: GoInstallation) throws {
        let program = try GoExecutable(try content(try go.program()))
        let folder = try TemporaryFolder()
        let copy = try folder.executable(try program.stripped(Self.probes).content)
        let checkmark = "gccheckmark=1"
        for setting in ["gctrace=0,asyncpreemptoff=1", "asyncpreemptoff=2", "asyncpreemptoff=-1"]
            + (go.hasCheckmarks ? [] : [checkmark])
        {
            let refused = try run(copy, ["ignored"], ["GODEBUG": setting])
            #expect(refused.ending == .exited(2) && refused.output == "", "\(setting): \(refused)")
            #expect(refused.errors == Self.refusalWithoutSignals, "\(setting)")
        }
        for allowed in [
            "asyncpreemptoff=0", "", "asyncpreemptof", "asyncpreemptoff=", "asyncpreemptoff=1,asyncpreemptoff=0",
            "notasyncpreemptoff=1",
        ] + (go.hasCheckmarks ? [checkmark] : []) {
            let result = try run(copy, ["hash"], ["GODEBUG": allowed, "GODEBUGGING": "asyncpreemptoff=1"])
            #expect(result.ending == .exited(0) && result.output.hasPrefix("hash "), "\(allowed): \(result)")
        }
        // Checks stop goroutines where there is no signal.
        let equal = try folder.executable(try program.stripped(Self.equal).content, "equal")
        let result = try run(equal, ["ignored"], ["GODEBUG": "asyncpreemptoff=1"])
        #expect(result.ending == .exited(0) && result.output == "ignored true\n", "\(result)")
    }

    /// From Go 1.21 on a program has defaults of its own.
    @Test(.long, .unoptimized, .needs(GoInstallation.newest.need))
    func aProgramThatSwitchesPreemptionOffItselfIsRefused() throws {
        let folder = try TemporaryFolder()
        let main = "package main\n\nfunc main() {\n\tprintln(\"ran\")\n}\n"
        try Data(main.utf8).write(to: URL(fileURLWithPath: folder.path + "/main.go"))
        try GoInstallation.newest.build(
            in: folder.path, ["-ldflags=-X=runtime.godebugDefault=asyncpreemptoff=1", "-o", "original", "main.go"])
        let original = folder.path + "/original"
        #expect(try run(original, []).errors == "ran\n")
        let copy = try folder.executable(try GoExecutable(try content(original)).stripped(Self.probes).content)
        #expect(try run(copy, []).errors == Self.refusalWithoutSignals)
        #expect(try run(copy, [], ["GODEBUG": "asyncpreemptoff=0"]).errors == "ran\n")
    }

    /// A system that takes MADV_GUARD_INSTALL for advice to do nothing, as emulators do, gets guards by protections.
    @Test(arguments: GoInstallation.thorough) func guardsThatDoNothingAreNotTrusted(_ go: GoInstallation) throws {
        let path = try go.program()
        if try run(path, ["unguarded"]).ending == .exited(75) {
            try Test.cancel("system calls may not be filtered here")
        }
        try expectEqualOutput(path, Self.probes, ["unguarded"])
    }

    /// Go 1.24 and later check the code of a part of their cryptography when the program starts.
    @Test(arguments: GoInstallation.all) func certifiedCodeStaysAsItIs(_ go: GoInstallation) throws {
        let path = try go.program()
        for options in [StripOptions(), Self.probes, Self.everything, Self.equal] {
            try expectEqualOutput(path, options, ["hash"], ["GODEBUG": "fips140=on"])
        }
    }

    private static let pluginHost = """
        package main

        import (
        \t"fmt"
        \t"os"
        \t"plugin"
        )

        func main() {
        \tloaded, err := plugin.Open(os.Args[1])
        \tif err != nil {
        \t\tfmt.Println("not there")
        \t\treturn
        \t}
        \tfunction, _ := loaded.Lookup("Seven")
        \tfmt.Println(function.(func() int)())
        }

        """

    /// A plugin has checks, and copies of what makes and frees stacks.
    @Test(.long, .unoptimized, .needs(GoInstallation.newest.need)) func aPluginIsRefusedWhenItIsLoaded() throws {
        let go = GoInstallation.newest
        let folder = try TemporaryFolder()
        try Data(Self.pluginHost.utf8).write(to: URL(fileURLWithPath: folder.path + "/host.go"))
        let seven = "package main\n\nfunc Seven() int { return 7 }\n\nfunc main() {}\n"
        try Data(seven.utf8).write(to: URL(fileURLWithPath: folder.path + "/seven.go"))
        try go.build(in: folder.path, ["-o", "host", "host.go"])
        try go.build(in: folder.path, ["-buildmode=plugin", "-o", "seven.so", "seven.go"])
        let original = try run(folder.path + "/host", [folder.path + "/seven.so"])
        try #require(original.ending == .exited(0) && original.output == "7\n", "\(original)")
        let program = try GoExecutable(try content(folder.path + "/host"))
        for options in [Self.probes, Self.equal, StripOptions()] {
            let copy = try folder.executable(try program.stripped(options).content)
            let none = try run(copy, [folder.path + "/eight.so"])
            #expect(none.ending == .exited(0) && none.output == "not there\n", "\(none)")
            let ended = try run(copy, [folder.path + "/seven.so"])
            #expect(ended.ending == .exited(2) && ended.output == "", "\(ended)")
            #expect(
                ended.errors == "fatal error: a plugin brings checks and stacks of its own; "
                    + "a program without stack checks cannot load it\n")
        }
    }

    /// The compare of the original and the probe of the copy draw the same line: the depths are equal call by call, for
    /// every multiple of eight bytes at which a call can be.
    @Test(.long, .unoptimized, arguments: GoInstallation.all) func stacksGrowAtTheSameCall(_ go: GoInstallation) throws
    {
        let path = try go.program()
        let program = try GoExecutable(try content(path))
        let folder = try TemporaryFolder()
        let original = try run(path, ["thresholds"])
        try #require(original.ending == .exited(0), "\(original)")
        let numbers = original.output.split(separator: "\n").filter { $0.hasPrefix("step ") }.map { line in
            line.split(separator: " ").compactMap { Int($0) }
        }
        #expect(numbers.count == 4 && numbers.allSatisfy { $0[0] == 8 * $0[1] }, "\(numbers)")
        let content = try program.stripped(Self.probes).content
        let copy = try run(try folder.executable(content), ["thresholds"], ["FAULTLINE_STATISTICS": "1"])
        #expect(copy.ending == .exited(0) && copy.output == original.output, "\(copy)")
        let descents = numbers.reduce(0) { $0 + $1[1] }
        #expect(try #require(GrowthStatistics(copy.errors)).probeFaults >= 3 * descents)
        // What is wrong by one word is seen: in all probes, or in those of one frame.
        for error in [-8, 8] {
            var changed = content
            let base: Int32 = -808  // GS_BASE of growth.S
            let move: [UInt8] = [0x48, 0xc7, 0xc6]  // mov rsi, imm32: before each wrgsbase
            let places = changed.ranges(of: move + base.littleEndianBytes)
            try #require(places.count == 2)
            for place in places {
                changed.replaceSubrange(place, with: move + (base + Int32(error)).littleEndianBytes)
            }
            let result = try run(try folder.executable(changed, "base\(error)"), ["thresholds"])
            #expect(result.ending == .exited(0) && result.output != original.output, "\(error)")
        }
        for name in ["main.small", "main.middle", "main.medium", "main.broad"] {
            let check = try #require(program.functions.first { $0.function.name == name }?.check)
            let offset = try #require(program.file.offset(of: check.address, length: 9))
            // test gs:[rsp+d], al, where d has one byte or four.
            let code = content[offset..<offset + 9]
            try #require(code.starts(with: [0x65, 0x84, 0x44, 0x24]) || code.starts(with: [0x65, 0x84, 0x84, 0x24]))
            for error: Int8 in [-8, 8] {
                var changed = content
                // -128 in one byte has no neighbour below.
                if code[offset + 2] == 0x44, error < 0 { continue }
                if code[offset + 2] == 0x44 {
                    changed[offset + 4] &+= UInt8(bitPattern: error)
                } else {
                    let distance = try #require(Int32(littleEndianBytes: code[offset + 4..<offset + 8]))
                    changed.replaceSubrange(offset + 4..<offset + 8, with: (distance + Int32(error)).littleEndianBytes)
                }
                let result = try run(try folder.executable(changed, "\(name)\(error)"), ["thresholds"])
                #expect(result.ending == .exited(0) && result.output != original.output, "\(name) \(error)")
            }
        }
    }

    /// A signal that preempts needs room below the stack pointer: without it, a loop would hold up a collection for
    /// ever.
    @Test(.long, .unoptimized, arguments: GoInstallation.all) func aLoopAtAnyDepthIsPreempted(_ go: GoInstallation)
        throws
    {
        try expectLoopsArePreempted(go, step: 5)
    }

    @Test(.onDemand, arguments: GoInstallation.all) func aLoopAtEveryDepthIsPreempted(_ go: GoInstallation) throws {
        try expectLoopsArePreempted(go, step: 1)
    }

    private func expectLoopsArePreempted(_ go: GoInstallation, step: Int) throws {
        let path = try go.program()
        let program = try GoExecutable(try content(path))
        func hasCheck(_ name: String) -> Bool? {
            program.functions.first { $0.function.name == name }.map { $0.check != nil }
        }
        #expect(hasCheck("main.checkedLoop") == true && hasCheck("main.uncheckedLoop") == false)
        let folder = try TemporaryFolder()
        let copy = try folder.executable(try program.stripped(Self.probes).content)
        for path in [path, copy] {
            let result = try run(path, ["loops", String(step)], seconds: 120)
            let line = "loops \((511 / step) + 1)\n"
            #expect(result.ending == .exited(0) && result.output == line + line, "\(result)")
        }
    }

    /// With cgo also calls from threads that C started.
    @Test(.long, .unoptimized, arguments: GoInstallation.thorough, [GoInstallation.Mode.small, .cgo])
    func growthStandsProfilesDumpsPanicsAndSignals(_ go: GoInstallation, _ mode: GoInstallation.Mode) throws {
        let counts = try expectEqualOutput(try go.program(mode), Self.everything, ["storm", "100"])
        #expect(counts["probe-faults"]! > 100 && counts["growths"]! > 100)
    }

    @Test(arguments: GoInstallation.all) func stacksThatWereDeepShrinkAndGrowAgain(_ go: GoInstallation) throws {
        let counts = try expectEqualOutput(try go.program(), Self.probes, ["shrinking", "200"])
        #expect(counts["shrinks"]! >= 200 && counts["growths"]! >= 800)
    }

    @Test(.long, .unoptimized, .needs(GoInstallation.newest.need)) func aHundredThousandStacksGrowAtOnce() throws {
        let counts = try expectEqualOutput(try GoInstallation.newest.program(), Self.probes, ["herd", "100000"])
        #expect(counts["growths"]! >= 100_000)
    }

    @Test(.long, .unoptimized, .needs(GoInstallation.newest.need)) func aRecursionTakesFiveHundredMebibytes() throws {
        let counts = try expectEqualOutput(try GoInstallation.newest.program(), Self.probes, ["deep", "500"])
        #expect(counts["growths"]! >= 17)
    }

    /// Go's own limit, with Go's own message.
    @Test(.long, .unoptimized, arguments: GoInstallation.thorough) func anEndlessRecursionEndsAsBefore(
        _ go: GoInstallation
    ) throws {
        let path = try go.program()
        let folder = try TemporaryFolder()
        let copy = try folder.executable(try GoExecutable(try content(path)).stripped(Self.probes).content)
        let result = try run(copy, ["overflow"], seconds: 120)
        #expect(result.ending == .exited(2) && result.output == "ready\n")
        #expect(result.errors.hasPrefix("runtime: goroutine stack exceeds 1000000000-byte limit\n"))
        #expect(result.errors.contains("fatal error: stack overflow"))
    }

    /// A stack that C uses up, or faults on near its end, ends as in the original.
    @Test(.long, .unoptimized, arguments: GoInstallation.thorough, ["go", "c", "c-own"])
    func anOverflowOfAThreadIsNamedAsBefore(_ go: GoInstallation, _ place: String) throws {
        let path = try go.program(.cgo)
        let folder = try TemporaryFolder()
        let copy = try folder.executable(try GoExecutable(try content(path)).stripped(Self.probes).content)
        let original = try run(path, ["overflow-foreign", place])
        let patched = try run(copy, ["overflow-foreign", place])
        #expect(original.ending != .exited(0) && original.ending == patched.ending, "\(original) \(patched)")
        #expect(original.errors.split(separator: "\n").first == patched.errors.split(separator: "\n").first)
    }

    /// Locked memory takes no guard by MADV_GUARD_INSTALL: what Linux before 6.13 lacks. Each guard is a mapping then,
    /// and the end of those is named.
    @Test(.long, .unoptimized, .needs(GoInstallation.newest.need)) func guardsFallBackToProtections() throws {
        let path = try GoInstallation.newest.program()
        let folder = try TemporaryFolder()
        let copy = try folder.executable(try GoExecutable(try content(path)).stripped(Self.probes).content)
        let original = try run(path, ["locked", "2000"])
        if original.ending == .exited(75) { try Test.cancel("memory may not be locked here") }
        let patched = try run(copy, ["locked", "2000"])
        #expect(patched.ending == .exited(0) && patched.output == original.output, "\(patched)")
        let ended = try run(copy, ["locked", "100000"], seconds: 120)
        #expect(ended.ending == .exited(2))
        #expect(
            ended.errors
                == "fatal error: a goroutine's stack cannot be guarded; with Linux before 6.13 raise vm.max_map_count\n"
        )
    }

    @Test(arguments: GoInstallation.thorough) func anAccessThatIsNoProbeEndsTheProgram(_ go: GoInstallation) throws {
        let folder = try TemporaryFolder()
        let copy = try folder.executable(
            try GoExecutable(try content(try go.program())).stripped(Self.probes).content)
        let result = try run(copy, ["below"])
        #expect(result.ending == .exited(2) && result.output == "ready\n")
        #expect(
            result.errors == "fatal error: an access below the low end of a goroutine's stack was made by no probe\n")
    }

    /// A loop over assembly has no other places to stop than the checks of what calls it.
    @Test(arguments: GoInstallation.thorough) func aLoopOverAssemblyIsPreempted(_ go: GoInstallation) throws {
        try expectEqualOutput(try go.program(), Self.probes, ["assembly"])
    }

    /// A goroutine that may not be preempted is asked to stop all the time: it does not fault until that ends.
    @Test(arguments: GoInstallation.all) func aStackGrowsWhereItsGoroutineMayNotStop(_ go: GoInstallation) throws {
        let starts = 100
        let counts = try expectEqualOutput(try go.program(), Self.probes, ["pinned", String(starts)])
        let growths = try #require(counts["growths"])
        // Each takes two faults, unless it is asked again right before it grows.
        #expect(growths >= 4 * starts && counts["probe-faults"]! < 4 * growths, "\(counts)")
    }

    /// Neighbours go back together, and what is made of them again has its guards.
    @Test(arguments: GoInstallation.thorough) func collectionsGiveFreeStacksBack(_ go: GoInstallation) throws {
        let folder = try TemporaryFolder()
        let copy = try folder.executable(
            try GoExecutable(try content(try go.program())).stripped(Self.probes).content)
        let counts = folder.path + "/counts"
        let result = try run(copy, ["released", "20000"], ["FAULTLINE_STATISTICS": counts])
        let words = result.output.split { $0 == " " || $0 == "\n" }
        let (before, after) = (try #require(Int(words[0]), "\(result)"), try #require(Int(words[1])))
        #expect(before > 20000 * 8192 && after < before / 4 && words[2] == "true")
        let found = try statistics(counts)
        #expect(found["dropped"]! >= 20000 && found["growths"]! >= 40000 && found["probe-faults"]! >= 40000)
    }

    /// Whoever may write where the user names a file could have left a link there.
    @Test(arguments: GoInstallation.thorough) func statisticsAreNotWrittenThroughALink(_ go: GoInstallation) throws {
        let folder = try TemporaryFolder()
        let copy = try folder.executable(
            try GoExecutable(try content(try go.program())).stripped(Self.probes).content)
        let (file, link) = (folder.path + "/file", folder.path + "/link")
        try Files.write([], to: file)
        try #require(symlink(file, link) == 0)
        #expect(try run(copy, ["hash"], ["FAULTLINE_STATISTICS": link]).ending == .exited(0))
        #expect(try content(file).isEmpty)
        #expect(try run(copy, ["hash"], ["FAULTLINE_STATISTICS": file]).ending == .exited(0))
        #expect(try statistics(file)["growths"] != nil)
    }

    @Test(.needs(.root), arguments: GoInstallation.thorough)
    func aProgramWithMoreRightsThanItsUserWritesNoStatistics(_ go: GoInstallation) throws {
        let folder = try TemporaryFolder()
        let copy = try folder.executable(
            try GoExecutable(try content(try go.program())).stripped(Self.probes).content)
        try #require(chmod(folder.path, 0o755) == 0)
        for (mode, isSaid) in [(mode_t(0o755), true), (0o4755, false)] {
            try #require(chmod(copy, mode) == 0)
            let result = try run(
                Need.path(of: "setpriv")!, ["--reuid=65534", "--clear-groups", copy, "hash"],
                ["FAULTLINE_STATISTICS": "1"])
            #expect(result.ending == .exited(0), "\(result)")
            #expect(result.errors.contains("growths") == isSaid, "\(result)")
        }
    }

    /// Stacks take addresses as they need them, and leave the rest to the heap.
    @Test(arguments: GoInstallation.thorough) func addressesMayBeFew(_ go: GoInstallation) throws {
        try expectEqualOutput(try go.program(), Self.probes, ["address-space", "1024"])
    }

    /// One stack takes what is there: a herd's heap may be what gets none, which Go names by itself.
    @Test(arguments: GoInstallation.thorough) func withoutAddressesTheEndIsNamed(_ go: GoInstallation) throws {
        let folder = try TemporaryFolder()
        let copy = try folder.executable(
            try GoExecutable(try content(try go.program())).stripped(Self.probes).content)
        let result = try run(copy, ["address-space-deep", "128"])
        #expect(result.ending == .exited(2) && result.output == "limited\n")
        #expect(result.errors == "fatal error: no memory for a goroutine's stack\n")
    }

    private static let denials: [(what: String, message: String?)] = [
        ("1", nil), ("2", nil), ("4", nil), ("8", "fatal error: no memory for a goroutine's stack\n"), ("17", nil),
        (
            "25",
            "fatal error: a goroutine's stack cannot be guarded: the system allows neither way to do it\n"
        ),
    ]

    /// Each system call on stacks, where a filter denies it: guards by either way, pages that go back, unmapping, and
    /// opening a region.
    @Test(arguments: GoInstallation.thorough, denials) func deniedCallsAreStoodOrNamed(
        _ go: GoInstallation, _ denial: (what: String, message: String?)
    ) throws {
        let path = try go.program()
        let folder = try TemporaryFolder()
        let copy = try folder.executable(try GoExecutable(try content(path)).stripped(Self.probes).content)
        let original = try run(path, ["denied", denial.what])
        if original.ending == .exited(75) { try Test.cancel("system calls may not be filtered here") }
        let patched = try run(copy, ["denied", denial.what])
        if let message = denial.message {
            #expect(patched.ending == .exited(2) && patched.output == "denied\n" && patched.errors == message)
        } else {
            #expect(patched.ending == .exited(0) && patched.output == original.output, "\(patched)")
        }
    }

    /// A page and what Go has of each goroutine.
    @Test(arguments: GoInstallation.thorough) func aParkedGoroutineTakesOnePage(_ go: GoInstallation) throws {
        let folder = try TemporaryFolder()
        let copy = try folder.executable(
            try GoExecutable(try content(try go.program())).stripped(Self.probes).content)
        let result = try run(copy, ["parked", "20000"])
        let bytes = try #require(Int(result.output.dropLast()), "\(result)")
        #expect(bytes > 4096 && bytes < 6144)
    }
}
