import CShim
import Faultline
import Glibc
import TestSupport

typealias Scenario = @Sendable ([String]) throws -> Void

let scenarios: [String: Scenario] =
    faultScenarios
    .merging(containmentScenarios) { $1 }.merging(handlerScenarios) { $1 }.merging(injectionScenarios) { $1 }
    .merging(hibernationScenarios) { $1 }.merging(idleScenarios) { $1 }
    .merging(shrinkingScenarios) { $1 }.merging(mappingScenarios) { $1 }.merging(limitScenarios) { $1 }
    .merging(coreScenarios) { $1 }.merging(hostScenarios) { $1 }.merging(foreignCodeScenarios) { $1 }
    .merging(windowScenarios) { $1 }.merging(debuggerScenarios) { $1 }

func say(_ text: String) { _ = (text + "\n").withCString { write(2, $0, strlen($0)) } }

/// Keeps a value from being computed away or a frame from being removed.
@inline(never) @_optimize(none) func keep<T>(_ value: T) -> T { value }

@inline(never) func sum(to depth: Int) -> Int {
    if depth == 0 { return 0 }
    let below = sum(to: depth - 1)
    return below &+ keep(depth)
}

/// User code alone: recurses until something stops it.
@inline(never) func recurseForever(_ depth: Int = 0) -> Int {
    if keep(depth) == .max { return 0 }
    return recurseForever(depth + 1) &+ keep(1)
}

/// Ends the process when something that must hold does not.
func require(_ condition: Bool, _ text: @autoclosure () -> String, line: Int = #line) {
    if condition { return }
    say("failed at line \(line): \(text())")
    exit(9)
}

/// What a file of /proc says now.
func kernelText(_ path: String) -> String {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    require(file >= 0, "cannot read \(path)")
    defer { close(file) }
    var (bytes, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 1 << 12))
    while case let length = read(file, &buffer, buffer.count), length > 0 { bytes += buffer[..<length] }
    return String(decoding: bytes, as: UTF8.self)
}

/// The words of each line of such a file; a colon ends a word, too.
func kernelFields(_ path: String) -> [[Substring]] {
    kernelText(path).split(separator: "\n").map { $0.split { $0 == ":" || $0 == "\t" || $0 == " " } }
}

/// The mappings of this process.
func mappingCount() -> Int { kernelText("/proc/self/maps").utf8.count { $0 == UInt8(ascii: "\n") } }

private final class ThreadEntry {
    let run: () -> Void
    init(_ run: @escaping () -> Void) { self.run = run }
}

/// Runs `body` on a new thread and waits for its end.
func onThread(_ body: @escaping () -> Void) {
    var thread = pthread_t()
    let entry = ThreadEntry(body)
    let error = pthread_create(
        &thread, nil,
        { argument in
            Unmanaged<ThreadEntry>.fromOpaque(argument!).takeUnretainedValue().run()
            return nil
        }, Unmanaged.passUnretained(entry).toOpaque())
    require(error == 0, "no thread")
    withExtendedLifetime(entry) { _ = pthread_join(thread, nil) }
}

/// Runs `body` on a stack and says how it ended.
func outcome(_ configuration: StackConfiguration, _ body: () throws -> Void) -> String {
    do {
        try withStack(configuration, body)
        return "returned"
    } catch let fault as StackFault {
        return "fault: \(fault)"
    } catch { return "error: \(error)" }
}

func usablePages() -> Int {
    let stack = ts_running_stack()!
    return Int(stack.pointee.base - stack.pointee.low) / 4096
}
