// What tests in this process and in children need of a frame whose words they may look at.
import TestSupport

/// Calls `body` with `count` words of a frame on this stack.
package func withStackWords(_ count: Int, _ body: (UnsafeMutableBufferPointer<UInt64>) throws -> Void) throws {
    typealias Call = (UnsafeMutableBufferPointer<UInt64>) -> Void
    var failure: (any Error)?
    withoutActuallyEscaping(body) { body in
        var call: Call = { words in
            do { try body(words) } catch { failure = error }
        }
        withUnsafeMutablePointer(to: &call) { pointer in
            var context = (pointer, count)
            withUnsafeMutablePointer(to: &context) {
                ts_with_words(
                    count,
                    { words, context in
                        let (call, count) = context!.assumingMemoryBound(
                            to: (UnsafeMutablePointer<Call>, Int).self
                        ).pointee
                        call.pointee(UnsafeMutableBufferPointer(start: words, count: count))
                    }, $0)
            }
        }
    }
    if let failure { throw failure }
}
