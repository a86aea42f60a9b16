// Feeds damaged programs to GoBinary: `FuzzGoBinary --seconds N --seed S [--save FOLDER] CORPUS`. Each input is in a
// file before it is read, so that a crash, or an input that takes more than a second of processor time, leaves it
// behind and fails. An input with an outcome that no other had becomes one to start from.

import Glibc
import GoBinary
import Measurement
import ObjectCode

/// The file with the input at hand.
let candidate = "fuzz-go-binary.input"

func end(_ text: String, _ status: Int32) -> Never {
    let line = Array("FuzzGoBinary: \(text)\n".utf8)
    _ = Glibc.write(2, line, line.count)
    exit(status)
}

/// Everything that is asked about stacks.
func ask(_ analysis: StackAnalysis) {
    for number in analysis.functions.indices.prefix(50) {
        let path = analysis.deepestPath(from: number)
        guard path.count <= analysis.functions.count, analysis.functions[number].need >= 0 else {
            end("a path that does not end; the input is \(candidate)", 1)
        }
        _ = analysis.findings(from: number)
    }
    _ = analysis.names(like: "main.leaf")
}

/// What came of an input, without the numbers and names that differ from input to input.
func outcome(_ input: [UInt8]) -> String {
    _ = try? ElfFile(input).functions()
    if let native = try? StackAnalysis(of: input) { ask(native) }
    do throws(GoBinaryError) {
        let program = try GoExecutable(input)
        let census = GoCensus(program)
        ask(StackAnalysis(program))
        let checks = input.count % 2 == 0 ? StripOptions.Checks.removed : .equal
        let growing = Result { () throws(GoBinaryError) in
            try program.stripped(StripOptions(growth: .fault, checks: checks)).replaced
        }
        let stripped = try program.stripped(StripOptions(checks: checks))
        return "\(stripped.replaced) of \(census.total.functions), \((try? growing.get()) ?? 0) grow"
    } catch {
        let text = error.description
        guard !text.isEmpty, !text.utf8.contains(where: { $0 < 32 || $0 == 127 }) else {
            end("not one line: '\(text)'; the input is \(candidate)", 1)
        }
        // Text of the file in a message would make each an outcome of its own.
        for (start, shape) in [
            ("built by '", "built by another version"), ("built with -buildmode", "built as a library"),
            ("the check of ", "a check"),
        ] where text.hasPrefix(start) {
            let reason = text.split(separator: ":").last.map(String.init) ?? ""
            return start == "the check of " ? shape + String(reason.prefix { !$0.isNumber && $0 != "," }) : shape
        }
        var shape = text
        shape.removeAll { $0.isNumber || $0 == "x" }
        return shape
    }
}

func read(_ path: String) -> [UInt8]? {
    guard let file = fopen(path, "rb") else { return nil }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: Mutation.longest)
    let count = fread(&bytes, 1, bytes.count, file)
    return Array(bytes[..<count])
}

func write(_ bytes: [UInt8], _ path: String) {
    guard let file = fopen(path, "wb"), fwrite(bytes, 1, bytes.count, file) == bytes.count, fclose(file) == 0 else {
        end("cannot write \(path)", 1)
    }
}

var seconds = 60.0
var seed: UInt64 = 1
var save: String?
var corpus: String?
var arguments = CommandLine.arguments.dropFirst()
while let argument = arguments.popFirst() {
    switch argument {
    case "--seconds": seconds = arguments.popFirst().flatMap(Double.init) ?? -1
    case "--seed":
        guard let number = arguments.popFirst().flatMap(UInt64.init) else { end("--seed needs a number", 64) }
        seed = number
    case "--save": save = arguments.popFirst()
    default: corpus = argument
    }
}
guard seconds >= 0, let corpus else { end("usage: FuzzGoBinary --seconds N --seed S [--save FOLDER] CORPUS", 64) }
guard let folder = opendir(corpus) else { end("cannot read the folder \(corpus)", 66) }
var names: [String] = []
while let entry = readdir(folder) {
    let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    if !name.hasPrefix(".") { names.append(name) }
}
closedir(folder)
var inputs = names.sorted().compactMap { read("\(corpus)/\($0)") }
guard !inputs.isEmpty else { end("no file in \(corpus)", 66) }

// Processor time: a machine that is busy with something else is no fault of the input.
signal(SIGVTALRM) { _ in
    let message: StaticString = "FuzzGoBinary: an input takes more than a second; it is fuzz-go-binary.input\n"
    _ = Glibc.write(2, message.utf8Start, message.utf8CodeUnitCount)
    _exit(3)
}
for number in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGABRT, SIGFPE] {
    signal(number) { number in
        let message: StaticString = "FuzzGoBinary: crashed; the input is fuzz-go-binary.input\n"
        _ = Glibc.write(2, message.utf8Start, message.utf8CodeUnitCount)
        signal(number, SIG_DFL)
        raise(number)
    }
}
let descriptor = open(candidate, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
guard descriptor >= 0 else { end("cannot write \(candidate)", 73) }

func examine(_ input: [UInt8]) -> String {
    guard pwrite(descriptor, input, input.count, 0) == input.count, ftruncate(descriptor, off_t(input.count)) == 0
    else {
        end("cannot write \(candidate)", 73)
    }
    var timer = itimerval(it_interval: timeval(), it_value: timeval(tv_sec: 1, tv_usec: 0))
    setitimer(__itimer_which_t(ITIMER_VIRTUAL.rawValue), &timer, nil)
    return outcome(input)
}

func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

var random = SeededGenerator(seed: seed)
var outcomes = Set(inputs.map(examine))
var count = 0
let began = now()
while now() - began < seconds {
    for _ in 0..<100 {
        let input = Mutation.mutate(
            inputs.randomElement(using: &random)!, with: inputs.randomElement(using: &random)!, &random)
        count += 1
        let (isNew, outcome) = outcomes.insert(examine(input))
        guard isNew, inputs.count < 1000 else { continue }
        inputs.append(input)
        if let save {
            let words = outcome.prefix(60).map { $0.isLetter && $0.isASCII ? $0 : "-" }
            write(input, "\(save)/\(String(words))")
        }
    }
}
unlink(candidate)
print("\(count) inputs, \(outcomes.count) outcomes, no crash")
