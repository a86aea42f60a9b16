// What one of many that wait takes, in bytes: samples from processes of their own, for coroutines, tasks, threads and
// goroutines alike.

import GoBinary
import Measurement
import Peers
import Processes
import Report
import Workloads

extension Metric {
    /// The kernel's own stacks.
    package static let kernel = Metric("kernel", .bytes)
    /// Of the whole program, for a collection.
    package static let pause = Metric("pause", .nanoseconds)
}

/// Something of which many wait.
package struct WaitingSubject {
    /// The case of its records.
    package let name: String
    /// Their parameters.
    package let parameters: [ParameterName: ParameterValue]
    /// How many wait.
    package let count: Int
    /// Whether the others are measured without it where its process fails.
    var mayFail = false
    /// Makes them in a new process.
    package let sample: (_ laboratory: Laboratory) throws -> WaitingSample

    /// Those of the experiment "waiting".
    package static func own(
        _ name: String, kind: WaitingExperiment.Kind, count: Int, _ options: [String] = [],
        parameters: [ParameterName: ParameterValue] = [:]
    ) -> WaitingSubject {
        WaitingSubject(name: name, parameters: parameters, count: count) { laboratory in
            let findings = try laboratory.experiment(
                "waiting", ["kind=\(kind.rawValue)", "count=\(count)"] + options, seconds: 300)
            guard findings.succeeded else { throw findings.failure("not all of them wait") }
            let kernel = kind == .thread ? try findings.number(.kernelStacks) : 0
            return WaitingSample(
                resident: try findings.number(.resident), pageTables: try findings.number(.pageTables),
                kernel: kernel, count: count)
        }
    }

    /// What each is called.
    package static let coroutine = "coroutine"
    package static let task = "task"
    package static let thread = "thread"
    package static let goroutine = "goroutine"
    package static let coroutine20 = "coroutine of C++20"
    /// Of a program without stack checks; the parameter ``ParameterName/initial`` has the bytes of their stacks.
    package static let unchecked = "goroutine without checks"

    /// Goroutines; those of a copy without checks where `initial` is the size of their stacks.
    package static func go(_ program: PeerProgram, count: Int, initial: Int? = nil) -> WaitingSubject {
        var parameters: [ParameterName: ParameterValue] = [.peer: .string(program.version)]
        parameters[.initial] = initial.map { .int($0) }
        return WaitingSubject(
            name: initial == nil ? goroutine : unchecked, parameters: parameters, count: count,
            // Before Linux 6.13 each guard takes a mapping, of which there are some 65,000.
            mayFail: initial != nil
        ) { laboratory in
            try laboratory.step("\(count) goroutines wait, \(program.version)")
            let conversation = try program.converse()
            defer { conversation.end() }
            let answer = try conversation.numbers("suspend \(count)", atLeast: 5, seconds: 300)
            return WaitingSample(
                resident: Double(answer[1]), pageTables: Double(answer[2]), kernel: 0, addressSpace: Double(answer[3]),
                pageFaults: Double(answer[4]), count: count)
        }
    }

    /// Goroutines that did something before they wait.
    ///
    /// - Parameters:
    ///   - frames: Of 256 bytes, which each descended once and returned from.
    ///   - handler: Where each parses the document of a request, the frames of its handler in which it waits.
    ///   - collections: Afterwards; each halves a stack of which less than a quarter is in use.
    ///   - areRecords: Whether no goroutine waits, but what a program keeps of a connection instead.
    package static func parked(
        _ name: String, _ program: PeerProgram, count: Int, frames: Int = 0, handler: Int? = nil, collections: Int,
        areRecords: Bool = false,
        parameters: [ParameterName: ParameterValue] = [:], mayFail: Bool = false
    ) -> WaitingSubject {
        WaitingSubject(
            name: name, parameters: parameters.merging([.peer: .string(program.version)]) { own, _ in own },
            count: count, mayFail: mayFail
        ) { laboratory in
            try laboratory.step("\(count) \(name)s wait, \(program.version)")
            let conversation = try program.converse()
            defer { conversation.end() }
            let request =
                "park \(count) \(frames) \(handler == nil ? 0 : 1) \(handler ?? 0) \(collections) "
                + (areRecords ? "1" : "0")
            let answer = try conversation.numbers(request, atLeast: 7, seconds: 300)
            return WaitingSample(
                resident: Double(answer[1]), pageTables: Double(answer[2]), kernel: 0, addressSpace: Double(answer[3]),
                pageFaults: Double(answer[4]), pause: collections > 0 ? Double(answer[5]) : nil, count: count)
        }
    }

    /// Coroutines of C++20 that wait in the frames of a handler. What a request's parser takes is on the stack of the
    /// thread that runs them, and gone when they wait.
    package static func stackless20(
        _ program: PeerProgram, count: Int, isDeep: Bool, parameters: [ParameterName: ParameterValue] = [:]
    ) -> WaitingSubject {
        WaitingSubject(
            name: coroutine20, parameters: parameters.merging([.peer: .string(program.version)]) { own, _ in own },
            count: count, mayFail: true
        ) { laboratory in
            try laboratory.step("\(count) coroutines of C++20 wait")
            let conversation = try program.converse()
            defer { conversation.end() }
            let answer = try conversation.numbers(
                "\(isDeep ? "suspend-deep" : "suspend") \(count)", atLeast: 2, seconds: 300)
            guard answer[1] == UInt64(count) else {
                throw MeasurementFailure("\(program.version): \(answer[1]) of \(count) coroutines waited")
            }
            return WaitingSample(resident: Double(answer[0]), pageTables: 0, kernel: 0, count: count)
        }
    }

    /// The records of `samples`: what one takes in all, and of what that is made.
    package func records(suite: String, _ samples: [WaitingSample], seed: UInt64) throws -> [Record] {
        var shared = parameters
        shared[.count] = .int(count)
        let parts: [(Metric, (WaitingSample) -> Double?)] = [
            (.memory, \.memory), (.resident, \.resident), (.pageTables, \.pageTables), (.kernel, \.kernel),
            (.addressSpace, \.addressSpace), (.pageFaults, \.pageFaults), (.pause, \.pause),
        ]
        return try parts.compactMap { metric, part in
            let values = samples.compactMap(part)
            if values.isEmpty || metric == .kernel && values.allSatisfy({ $0 == 0 }) { return nil }
            return Record(
                suite: suite, case: name, metric: metric, estimate: try Estimate.median(of: values),
                parameters: shared)
        }
    }
}

/// What one took in one sample, in bytes.
package struct WaitingSample {
    package let resident: Double
    package let pageTables: Double
    /// The kernel's own stacks.
    package let kernel: Double
    /// Nil where it was not asked.
    package let addressSpace: Double?
    /// Page faults of one; nil where they were not asked.
    package let pageFaults: Double?
    /// The longest time, in nanoseconds, that the world stood still for a collection; nil where there was none.
    package let pause: Double?
    package var memory: Double { resident + pageTables + kernel }

    package init(
        resident: Double, pageTables: Double, kernel: Double, addressSpace: Double? = nil, pageFaults: Double? = nil,
        pause: Double? = nil, count: Int
    ) {
        self.resident = resident / Double(count)
        self.pageTables = pageTables / Double(count)
        self.kernel = kernel / Double(count)
        self.addressSpace = addressSpace.map { $0 / Double(count) }
        self.pageFaults = pageFaults.map { $0 / Double(count) }
        self.pause = pause
    }
}

extension Laboratory {
    /// Bytes of available memory that are left to others.
    private static let spared = 4 << 30

    /// Whether `count` of `subject`, which take at most `each` bytes, have room here; says so where they have not.
    package func hasRoom(for count: Int, _ subject: String, ofBytes each: Int) -> Bool {
        let needed = count * each + Self.spared
        if SystemFiles().availableMemory >= needed { return true }
        missing("\(count) of '\(subject)' are not made: they need \(needed >> 20) MiB of free memory")
        return false
    }

    /// Samples of every subject, one of each in a round, the order drawn anew for each round; without those that failed
    /// and are allowed to.
    package func samples(_ subjects: [WaitingSubject], rounds: Int) throws -> [[WaitingSample]] {
        var random = SeededGenerator(seed: seed)
        var samples = Array(repeating: [WaitingSample](), count: subjects.count)
        var failed: Set<Int> = []
        for _ in 0..<rounds {
            for index in random.permutation(of: subjects.count) where !failed.contains(index) {
                do {
                    samples[index].append(try subjects[index].sample(self))
                } catch let error as PeerFailure where subjects[index].mayFail {
                    missing("\(subjects[index].count) of '\(subjects[index].name)' are not measured: \(error)")
                    failed.insert(index)
                    samples[index] = []
                }
            }
        }
        return samples
    }

    /// The program that makes many goroutines, of each version of Go that has it.
    package func goStackPrograms() throws -> [PeerProgram] { try go.compactMap(goStackProgram) }

    /// That of the newest version alone.
    package func newestGoStackProgram() throws -> PeerProgram? { try go.last.flatMap(goStackProgram) }

    /// That of the newest version, started.
    package func newestGoroutines() throws -> (program: Conversation, version: String)? {
        guard let program = try newestGoStackProgram() else { return nil }
        do throws(PeerFailure) {
            return (try program.converse(), program.version)
        } catch {
            missing("\(program.version) is not measured: \(error)")
            return nil
        }
    }

    private func goStackProgram(_ toolchain: GoToolchain) throws -> PeerProgram? {
        try step("building with \(toolchain.version)")
        do throws(PeerUnavailable) {
            return try toolchain.program(.stacks)
        } catch {
            missing("\(toolchain.version) is not measured: \(error)")
            return nil
        }
    }

    /// A copy of `program` without stack checks, whose goroutines have stacks of `initial` bytes; nil where it cannot
    /// be patched.
    package func unchecked(_ program: PeerProgram, initial: Int) throws -> PeerProgram? {
        try step("taking the checks out of a program of \(program.version)")
        do throws(ProcessError) {
            return program.copy(at: try PatchedPrograms().copy(of: program.path, StripOptions(initial: initial)))
        } catch {
            missing("\(program.version) without stack checks is not measured: \(error)")
            return nil
        }
    }
}
