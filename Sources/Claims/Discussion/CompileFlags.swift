// "Compiled with -l, -s and -live, a frame shrinks from 128 to 96 to 64 bytes."
//
// As written: Go's compiler is given the flags, one more each time, and says how large the frame of a function is
// (`-S`). What the flags do is in its help: -l turns inlining off, -live prints what the analysis of liveness found;
// -s, where there is one, looks for literals that may be written shorter.

import Experiments
import Measurement
import Peers
import Processes
import Report

extension Metric {
    static let frame = Metric("frame", .bytes)
}

extension ParameterName {
    static let flags = ParameterName("flags")
}

extension Figure {
    static func frame(_ flags: String) -> Figure { Figure("frame compiled with \(flags)", .bytes) }
    static let smallestFrame = Figure("smallest frame of those, to the one without flags", .ratio)
}

public struct CompileFlags: Claim {
    public init() {}

    public let identifier = "compile-flags"
    public let saidBy = "an article on start-up and the loading of stacks"
    public let statement = "Compiled with -l, -s and -live, a frame of Go shrinks from 128 to 96 to 64 bytes."
    public let claimed = [ClaimedFigure(.smallestFrame, low: nil, high: 0.5)]
    public let experiments = [
        "compile functions of Go without flags, with -l, with -l -live, and with -l -s -live; the sizes of "
            + "their frames, which "
            + "the compiler says, or that it refuses the flags (every version that is installed)"
    ]

    public let plotted = PlottedNames(
        [.frame], [.flags, .peer], cases: [Self.function], figures: [.smallestFrame])

    static let flags = [[], ["-l"], ["-l", "-live"], ["-l", "-s", "-live"]]
    /// Functions whose frames hold an array, what they call, and what that could be inlined to.
    static let program = """
        package main

        //go:noinline
        func work(n int) int {
        	var own [8]int
        	own[n&7] = square(n) + square(n+1)
        	return own[(n+1)&7] + rest(own[:])
        }

        func square(n int) int { return n * n }

        //go:noinline
        func rest(values []int) int {
        	sum := 0
        	for _, value := range values {
        		sum += square(value)
        	}
        	return sum
        }

        func main() { println(work(3)) }

        """
    private static let function = "main.work"

    static func name(_ flags: [String]) -> String { flags.isEmpty ? "no flags" : flags.joined(separator: " ") }

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        let cache = try ContentCache(preferring: CodeEnvironment().cacheFolder)
        var records: [Record] = []
        for toolchain in laboratory.isQuick ? laboratory.go : laboratory.everyGo {
            for flags in Self.flags {
                try laboratory.step("\(identifier): \(toolchain.version) \(Self.name(flags))")
                let answer = try cache.withWorkFolder { folder throws(ProcessError) -> Result<String, ProcessError> in
                    let (source, object) = ("\(folder)/work.go", "\(folder)/work.o")
                    try Files.write(Self.program.utf8, to: source)
                    do throws(ProcessError) {
                        return .success(
                            try toolchain.ask(["tool", "compile", "-p", "main", "-S", "-o", object] + flags + [source]))
                    } catch {
                        return .failure(error)
                    }
                }
                let shared: [ParameterName: ParameterValue] = [
                    .peer: .string(toolchain.version), .flags: .string(Self.name(flags)),
                ]
                switch answer {
                case .success(let text):
                    guard let bytes = Self.frame(of: Self.function, in: text) else {
                        throw MeasurementFailure("\(toolchain.version) does not say how large a frame is")
                    }
                    records.append(record(Self.function, .frame, exactly: Double(bytes), shared))
                case .failure(let error):
                    laboratory.note("\(identifier): \(Self.name(flags)) is refused: \(error)")
                }
            }
        }
        return records
    }

    /// The frame of a function in what `-S` writes: "main.work STEXT … size=0x96 args=0x8 locals=0x60 …".
    static func frame(of function: String, in text: String) -> Int? {
        for line in text.split(separator: "\n") where line.hasPrefix("\(function) STEXT") {
            guard let word = line.split(separator: " ").first(where: { $0.hasPrefix("locals=0x") }) else { continue }
            return Int(word.dropFirst(9), radix: 16)
        }
        return nil
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let frames = evidence.all(metric: .frame).ofNewestGo
        func bytes(_ flags: [String]) -> Double? {
            frames.first { $0.parameters[.flags] == .string(Self.name(flags)) }?.median
        }
        guard let plain = bytes([]), let version = frames.first?.goVersion else {
            throw MissingEvidence("no frame compiled without flags")
        }
        let others = Self.flags.dropFirst().compactMap { flags in bytes(flags).map { (Self.name(flags), $0) } }
        guard let least = others.map(\.1).min() else { throw MissingEvidence("no frame compiled with flags") }
        let ratio = Estimate(exactly: least / plain)
        let measured =
            [MeasuredFigure(.smallestFrame, ratio)]
            + ([(Self.name([]), plain)] + others).map { MeasuredFigure(.frame($0), Estimate(exactly: $1)) }
        let refused = Self.flags.filter { bytes($0) == nil }.map(Self.name)
        let reason =
            "\(version): \(Int(plain)) bytes without flags"
            + others.map { ", \(Int($1)) with \($0)" }.joined()
            + (refused.isEmpty ? "" : "; refused: \(refused.joined(separator: ", "))")
        let holds = ratio.relation(to: claimed(.smallestFrame)) == .within
        return Judgement(holds ? .confirmed : .refuted, measured: measured, reason: reason)
    }
}
