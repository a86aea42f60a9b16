// Runs FaultChild as what it is: a plain executable, with Swift's backtracer on or off.
import Glibc
import Processes
import TestNeeds
import Testing

typealias Ending = Spawn.Ending

struct ChildResult {
    let ending: Ending
    /// Standard output and standard error in one.
    let output: String
    /// The value behind `name=` in the output.
    func number(_ name: String) -> Int? {
        guard let range = output.firstRange(of: name + "=") else { return nil }
        return Int(output[range.upperBound...].prefix { $0.isNumber })
    }
}

enum ChildProcess {
    static var faultChild: String { get throws { try BuiltPrograms.path(of: "FaultChild") } }

    /// Runs a program, or FaultChild, to its end, or kills it after `seconds`. `whileRunning` sees what was written so
    /// far.
    static func run(
        program: String? = nil, _ arguments: [String], backtrace: Bool = false, seconds: Int = 60,
        environment: [String: String] = [:],
        whileRunning: (pid_t, String) -> Void = { _, _ in }
    ) throws -> ChildResult {
        let path = try program ?? faultChild
        var ends: [Int32] = [0, 0]
        // A pipe that no other child, started at the same moment, inherits.
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        try #require(socketpair(AF_UNIX, kind, 0, &ends) == 0)
        defer { close(ends[0]) }
        let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
        try #require(nothing >= 0)
        let settings = backtrace ? "enable=yes,interactive=no,color=no" : "enable=no"
        let started = Result { () throws(ProcessError) in
            try Spawn.start(
                path, arguments,
                environment: Spawn.environment(
                    changing: environment.merging(["SWIFT_BACKTRACE": settings]) { own, _ in own }),
                streams: Spawn.Streams(input: nothing, output: ends[1], errors: ends[1]))
        }
        close(nothing)
        close(ends[1])
        let process = try started.get()

        var output: [UInt8] = []
        var timedOut = false
        let deadline = time(nil) + seconds
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            var ready = pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)
            if poll(&ready, 1, 200) > 0 {
                let length = read(ends[0], &buffer, buffer.count)
                if length <= 0 { break }
                output += buffer.prefix(length)
                whileRunning(process, String(decoding: output, as: UTF8.self))
            }
            if time(nil) > deadline {
                timedOut = true
                kill(-process, SIGKILL)
                break
            }
        }
        let ending = try Spawn.wait(for: process, seconds: Double(max(1, deadline - time(nil))))
        return ChildResult(
            ending: timedOut ? .timedOut : ending, output: String(decoding: output, as: UTF8.self))
    }
}

/// Runs a scenario and records an issue unless it ended so, having written each of `texts`.
@discardableResult
func expectChild(
    _ arguments: String, ends ending: Ending, writes texts: [String] = [], never absent: [String] = ["survived"],
    backtrace: Bool = false, seconds: Int = 60, environment: [String: String] = [:],
    sourceLocation: SourceLocation = #_sourceLocation
) throws -> ChildResult {
    let result = try ChildProcess.run(
        arguments.split(separator: " ").map(String.init), backtrace: backtrace, seconds: seconds,
        environment: environment)
    #expect(result.ending == ending, "\(arguments): \(result.output.suffix(2000))", sourceLocation: sourceLocation)
    for text in texts {
        #expect(
            result.output.contains(text), "\(arguments) wrote: \(result.output.suffix(2000))",
            sourceLocation: sourceLocation)
    }
    for text in absent {
        #expect(
            !result.output.contains(text), "\(arguments) wrote: \(result.output.suffix(2000))",
            sourceLocation: sourceLocation)
    }
    return result
}
