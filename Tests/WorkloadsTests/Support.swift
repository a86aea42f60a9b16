// What several tests share.

import Glibc
import Processes

@testable import Workloads

private final class Box<Value: Sendable>: @unchecked Sendable {
    // Written by the thread, read after it has been joined.
    private let body: @Sendable () -> Value
    private(set) var result: Value?

    init(_ body: @escaping @Sendable () -> Value) {
        self.body = body
    }

    func work() {
        result = body()
    }
}

private final class Work {
    let run: () -> Void

    init(_ run: @escaping () -> Void) {
        self.run = run
    }
}

/// Runs `body` on a thread with a stack of 512 MiB and returns its result.
func onLargeStack<Result: Sendable>(_ body: @escaping @Sendable () -> Result) -> Result {
    let box = Box(body)
    let work = Work { box.work() }
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setstacksize(&attributes, 512 << 20)
    var thread = pthread_t()
    let failure = pthread_create(
        &thread, &attributes,
        { argument in
            Unmanaged<Work>.fromOpaque(argument!).takeUnretainedValue().run()
            return nil
        }, Unmanaged.passUnretained(work).toOpaque())
    precondition(failure == 0, "no thread")
    pthread_join(thread, nil)
    pthread_attr_destroy(&attributes)
    return box.result!
}

/// What one call of a workload's code comes to.
struct CodeOutcomeCopy: Equatable, Sendable {
    var checksum: UInt64
    var isFailure: Bool
    var counts: [UInt64]
    var message: String
}

typealias SwiftCode = @Sendable (UnsafePointer<UInt8>?, Int, UInt64, UnsafeMutableRawPointer) -> UInt64

/// Calls code that is compiled into this program, on a large stack.
func call(_ code: @escaping SwiftCode, _ input: [UInt8], parameter: UInt64 = 0) -> CodeOutcomeCopy {
    onLargeStack {
        let outcome = UnsafeMutableRawPointer.allocate(byteCount: 256, alignment: 8)
        defer { outcome.deallocate() }
        outcome.initializeMemory(as: UInt8.self, repeating: 0, count: 256)
        let checksum = input.withUnsafeBufferPointer { code($0.baseAddress, $0.count, parameter, outcome) }
        return CodeOutcomeCopy(
            checksum: checksum, isFailure: outcome.load(as: UInt64.self) != 0,
            counts: (1...4).map { outcome.load(fromByteOffset: 8 * $0, as: UInt64.self) },
            message: OutcomeMessage.read(outcome))
    }
}

/// The result of `body`, or the line that its error shows.
func line<Result>(_ body: () throws -> Result) -> String {
    do { return "no error: \(try body())" } catch { return "\(error)" }
}
