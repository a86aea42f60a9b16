internal import CShim

/// The stacks that the calling thread keeps for reuse: at most 64 of each size of slot.
///
/// A pooled stack keeps at most its upper 64 KiB of memory where it had grown, and what was touched of it where it
/// cannot grow (`fixed`, `demand`, `check-fixed`). Taking a stack from the pool makes no system call and allocates
/// nothing; a `Coroutine` allocates its object besides.
///
/// What a thread did not need for the quiet time it gives back by itself: the pages first, the slot when nobody needed it
/// for another quiet time. A thread looks at the clock at every 64th stack that it keeps or makes anew; the workers of
/// `FaultlineScheduler` look before they wait. A thread that does neither for long keeps what it has until it calls
/// ``trim(quiet:)`` or ends.
public enum StackPool {
    /// How long stacks wait unneeded before the pool gives their memory back, in each thread's pool; 10 s at first. Zero is
    /// no wait: what was not needed between one look and the next goes.
    ///
    /// A stack that returns after its memory went pays for each page again, about 1.2 µs. If every stack that a thread may
    /// keep (6 sizes × 64 stacks × 16 pages) did so once in each quiet time, 10 s would cost it 7 ms: less than
    /// 0.1 % of its time, whatever it does. Much longer keeps memory without saving time.
    public static var quietTime: Duration {
        get { .nanoseconds(Int64(clamping: fl_pool_quiet())) }
        set { fl_pool_set_quiet(newValue.wholeNanoseconds) }
    }

    /// Gives back what this thread's pool did not need since its last look, unless that was less than `quiet` ago. A pool's
    /// first look only notes what is there.
    ///
    /// What the kernel refuses to take stays, and is offered again at the next look.
    /// - Complexity: two system calls at most for each stack that was not needed; without one that is due, a reading of the
    ///   clock.
    public static func trim(quiet: Duration = quietTime) { trim(quiet: quiet, now: fl_pool_now()) }

    /// The same at a given time, in nanoseconds of a clock that starts at any moment.
    package static func trim(quiet: Duration, now: UInt64) { fl_pool_trim(now, quiet.wholeNanoseconds) }

    /// Gives the pooled stacks' memory and address space back, so that the next stack of this thread begins without a
    /// page; the store of hibernated coroutines gives back what it keeps for the next one. Running, suspended and
    /// hibernated coroutines are not affected.
    /// - Complexity: two system calls at most for each pooled stack.
    public static func drain() {
        fl_pool_drain()
        fl_store_drain()
    }

    /// Bytes of the tables that one stack costs the library itself: its control block and its slot's entry.
    package static var controlBytes: Int { Int(fl_stack_bookkeeping()) }
}

extension Duration {
    /// From none to some centuries.
    fileprivate var wholeNanoseconds: UInt64 {
        // Parts are 64 bits wide, a duration is not.
        guard self > .zero else { return 0 }
        guard self < .seconds(UInt64.max / 1_000_000_000) else { return .max }
        let (seconds, attoseconds) = components
        return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds) / 1_000_000_000
    }
}
