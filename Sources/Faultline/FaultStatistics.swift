internal import CShim

/// What the fault handler and the checks have done: for the process or for one coroutine.
///
/// Each counter is read atomically and without locks, but the counters are not read at one instant.
public struct FaultStatistics: Sendable, Equatable {
    /// Faults by verdict; the keys are ``verdicts``.
    public let traps: [String: Int]
    /// Times that room was made, in place, by a move or by a segment.
    public let growths: Int
    /// Bytes that growth made usable; for a stack of `demand` or `check-fixed`, which the kernel pages in, the bytes
    /// that are in memory now.
    public let bytesCommitted: Int
    /// Moves, by the mover that finished them.
    public let moves: [PageMover: Int]
    /// Bytes of live stack that moved.
    public let bytesMoved: Int
    /// Words that moves compared with the old range.
    public let wordsScanned: Int
    /// Words and registers that were adjusted.
    public let wordsRelocated: Int
    /// Stale accesses that were redirected.
    public let forwards: Int
    /// Prologue checks that failed.
    public let checksFailed: Int
    /// Segments that `check-segment` added.
    public let segments: Int
    /// Overflows, contained or not.
    public let overflows: Int
    /// The largest number of bytes of one stack in use at a trap, failed check or overflow. Between traps a stack may
    /// have used more of what was already committed. For a stack of `demand` or `check-fixed` the lowest page in memory
    /// tells, and a pooled stack's former use counts until its memory is given back.
    public let highWaterMark: Int
    /// Times that a coroutine hibernated. This and the next five are counted for the process only, because a
    /// coroutine's own counters would cost more memory than its hibernation saves.
    public let hibernations: Int
    /// Bytes that hibernations put into the store.
    public let bytesStored: Int
    /// Hibernated coroutines that a resume, a cancellation or their end restored.
    public let wakeUpsByResume: Int
    /// Hibernated coroutines that an access restored.
    public let wakeUpsByFault: Int
    /// Times that shrinking gave pages back or moved a stack.
    public let shrinks: Int
    /// Bytes that shrinking gave back.
    public let bytesReleased: Int
    /// Time in the handler in nanoseconds; percentiles are upper bounds of buckets of a quarter octave.
    public let handlerTime: HandlerTime

    /// How long faults took in the handler.
    public struct HandlerTime: Sendable, Equatable {
        /// Faults that were timed.
        public let count: Int
        /// Nanoseconds within which half of them were answered; 0 where there were none.
        public let p50: Int
        /// Nanoseconds within which 99 % of them were answered; 0 where there were none.
        public let p99: Int
        /// Nanoseconds of the longest; 0 where there were none.
        public let max: Int
    }

    /// All verdicts, in the order of the classifier.
    public static let verdicts: [String] = (0..<fl_verdict.FL_VERDICT_COUNT.rawValue).compactMap {
        fl_verdict(rawValue: $0).map { String(cString: fl_verdict_name($0)) }
    }

    /// The counters of the process since its start or the last ``resetProcess()``.
    public static var process: FaultStatistics {
        var counters = fl_counters()
        fl_statistics_process(&counters)
        return FaultStatistics(counters)
    }

    /// Sets the counters of the process to zero. Counts that are made at the same time may be lost.
    public static func resetProcess() { fl_statistics_reset() }

    init(_ counters: fl_counters) {
        let traps = withUnsafeBytes(of: counters.traps) { Array($0.bindMemory(to: UInt64.self)) }
        self.traps = Dictionary(uniqueKeysWithValues: zip(Self.verdicts, traps.map { Int($0) }))
        growths = Int(counters.growths)
        bytesCommitted = Int(counters.bytes_committed)
        moves = [
            .copy: Int(counters.moves.0), .uffdioMove: Int(counters.moves.1), .mremap: Int(counters.moves.2),
        ]
        bytesMoved = Int(counters.bytes_moved)
        wordsScanned = Int(counters.words_scanned)
        wordsRelocated = Int(counters.words_relocated)
        forwards = Int(counters.forwards)
        checksFailed = Int(counters.checks_failed)
        segments = Int(counters.segments)
        overflows = Int(counters.overflows)
        highWaterMark = Int(counters.high_water)
        hibernations = Int(counters.hibernations)
        bytesStored = Int(counters.bytes_stored)
        wakeUpsByResume = Int(counters.wakes_by_resume)
        wakeUpsByFault = Int(counters.wakes_by_fault)
        shrinks = Int(counters.shrinks)
        bytesReleased = Int(counters.bytes_released)
        let buckets = withUnsafeBytes(of: counters.handler_time) { Array($0.bindMemory(to: UInt32.self)) }
        let count = buckets.reduce(0) { $0 + Int($1) }
        let longest = Int(counters.handler_max)
        func percentile(_ share: Double) -> Int {
            var left = Int((Double(count) * share).rounded(.up))
            for (index, bucket) in buckets.enumerated() {
                left -= Int(bucket)
                if left <= 0 { return Swift.min(Int(fl_histogram_bound(UInt32(index))), longest) }
            }
            return longest
        }
        handlerTime = HandlerTime(
            count: count, p50: count == 0 ? 0 : percentile(0.5), p99: count == 0 ? 0 : percentile(0.99), max: longest)
    }
}
