// SPI: the debug knobs of the shim (HACKING.md) that a benchmark turns.
internal import CShim

@_spi(Experiments) public enum DebugKnobs {
    /// Whether stacks that are made, or taken from a pool, from now on have staggered bases; true at first.
    public static func staggerBases(_ isOn: Bool) { fl_debug_stagger(isOn) }

    /// Whether threads are looked at when they enter a stack; true at first. Off, a handler may stand in front of the
    /// library's and call it.
    public static func lookAtThreads(_ isOn: Bool) { fl_debug_look(isOn) }

    /// Whether the time of the library's system calls on memory is added up from now on, on all threads; false at
    /// first. Each call then takes two readings of the clock more.
    public static func timeSystemCalls(_ isOn: Bool) { fl_debug_time_calls(isOn) }

    /// Nanoseconds that were added up since the process started.
    public static var nanosecondsInSystemCalls: UInt64 { fl_debug_time_in_calls() }
}
