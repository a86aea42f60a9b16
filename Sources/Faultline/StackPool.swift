internal import CShim

/// The stacks that the calling thread keeps for reuse: at most 1,024 of each size of slot, and 64 that are `fixed`.
///
/// A pooled stack that grew keeps at most its upper 64 KiB of memory. Only the kernel knows how deep a stack of
/// `demand` or `check-fixed` was. In a slot of 32 MiB and more it is asked at once, and so it is where more than 64 of
/// a size are kept; of the others a stack keeps what was touched until its thread looks for what it did not need. A
/// stack that was used for less than 40,000 processor cycles (about 10 µs) is not asked: it may keep 64 pages more. The
/// question is for the 64 KiB below those that are kept. Where a frame skips them, a local buffer for instance of which
/// only the low end was stored to, the memory below stays until the thread's next look. `fixed` keeps all of its
/// memory. Taking a stack from the pool makes no system call, but for four now and then that look whether the thread
/// can take a stack fault, and allocates nothing; a `Coroutine` allocates its object besides.
///
/// A thread gives back by itself what it did not need for the quiet time: first the pages of a stack, and after another
/// quiet time its slot. A thread looks at the clock at every 64th stack that it keeps or makes anew; the workers of
/// `FaultlineScheduler` also look before they wait. A thread that does neither keeps its stacks until it calls
/// ``trim(quiet:)`` or ends.
public enum StackPool {
    /// How long stacks are not needed before a pool gives their memory back, for the pools of all threads; 10 s at
    /// first. Zero: what was not needed between one look and the next goes.
    ///
    /// A stack that is used after its memory went pays for each page again, about 1.2 µs. If all 1,024 stacks of a size
    /// did so for 16 pages once in each quiet time, 10 s would cost the thread 20 ms, which is 0.2 % of its time. Much
    /// longer keeps memory without saving time.
    public static var quietTime: Duration {
        get { .nanoseconds(Int64(clamping: fl_pool_quiet())) }
        set { fl_pool_set_quiet(newValue.wholeNanoseconds) }
    }

    /// Gives back what was not needed of this thread's pool since its last look, unless that was less than `quiet` ago.
    /// A pool's first look only notes what is there. What the kernel refuses to take stays until the next look.
    /// - Complexity: a reading of the clock, and at most two system calls for each stack that goes.
    public static func trim(quiet: Duration = quietTime) { trim(quiet: quiet, now: fl_pool_now()) }

    /// ``trim(quiet:)`` at a given time, in nanoseconds of a clock that starts at any moment.
    package static func trim(quiet: Duration, now: UInt64) { fl_pool_trim(now, quiet.wholeNanoseconds) }

    /// Gives back the memory and address space of this thread's pooled stacks, and what the store of hibernated
    /// coroutines keeps for further ones. The next stack of this thread begins without a page. Running, suspended and
    /// hibernated coroutines are not affected.
    /// - Complexity: at most two system calls for each pooled stack.
    public static func drain() {
        fl_pool_drain()
        fl_store_drain()
    }

    /// Bytes of the tables that one stack costs the library itself: its control block and its slot's entry.
    package static var controlBytes: Int { Int(fl_stack_bookkeeping()) }
}

extension Duration {
    /// Zero for negative durations; `UInt64.max`, 584 years, for those that are longer.
    fileprivate var wholeNanoseconds: UInt64 {
        // The components of a duration are 64 bits wide, the duration is wider.
        guard self > .zero else { return 0 }
        guard self < .seconds(UInt64.max / 1_000_000_000) else { return .max }
        let (seconds, attoseconds) = components
        return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds) / 1_000_000_000
    }
}
