// How often this very program misses a first-level data cache, by cachegrind. The cache is indexed within a page, so
// that where the kernel puts pages makes no difference to it; the levels below it are not simulated.

import Glibc
import Processes

extension ExecutionCounter {
    /// Runs this program with each of these arguments and returns the misses of each process, start and all.
    ///
    /// - Throws: `ProcessError` when valgrind fails or the program does not end well.
    public func dataMisses(
        of runs: [[String]], isUnwanted: @escaping () -> Bool = { false }
    ) throws(ProcessError) -> [Double] {
        try cache.withWorkFolder { folder throws(ProcessError) in
            guard let program = realpath("/proc/self/exe", nil) else {
                throw ProcessError("this program's file is not found: \(Files.reason())")
            }
            defer { free(program) }
            // What debuggers need is more than valgrind understands of a Swift program.
            try Subprocess.run(
                toolchain.objcopy, ["--strip-debug", String(cString: program), "\(folder)/program"], in: folder)
            try Files.makeExecutable("\(folder)/program")
            let simulations = ConcurrentPrograms(isUnwanted: isUnwanted)
            for (number, arguments) in runs.enumerated() {
                let options =
                    Self.options + [
                        "--cachegrind-out-file=\(folder)/misses-\(number)", "--", "\(folder)/program",
                    ]
                try simulations.start(
                    command.executable, command.arguments + options + arguments, errors: "\(folder)/errors-\(number)")
            }
            try simulations.finish(seconds: Self.longestRun)
            var misses: [Double] = []
            for number in runs.indices {
                let text = String(decoding: try Files.read("\(folder)/misses-\(number)"), as: UTF8.self)
                misses.append(try Totals.sum(of: ["D1mr", "D1mw"], in: text))
            }
            return misses
        }
    }
}

extension Totals {
    /// The sum of these events in a file that cachegrind wrote.
    static func sum(of events: Set<Substring>, in text: String) throws(ProcessError) -> Double {
        func fields(_ prefix: String) -> [Substring] {
            text.split(separator: "\n").first { $0.hasPrefix(prefix) }?
                .dropFirst(prefix.count).split(separator: " ") ?? []
        }
        let counted = zip(fields("events:"), fields("summary:")).filter { events.contains($0.0) }
        let values = counted.compactMap { Double($0.1) }
        guard values.count == events.count else { throw ProcessError("cachegrind wrote no totals") }
        return values.reduce(0, +)
    }
}
