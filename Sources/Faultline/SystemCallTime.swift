internal import CShim

/// The time that this library's system calls on memory take: what a benchmark needs to take a growth apart. It is added
/// up only between ``start()`` and ``stop()``, and then each call pays for two readings of the clock besides.
package enum SystemCallTime {
    /// Begins to add up, on all threads.
    package static func start() { fl_debug_time_calls(true) }

    /// Ends it.
    package static func stop() { fl_debug_time_calls(false) }

    /// Nanoseconds added up since the process started.
    package static var nanoseconds: UInt64 { fl_debug_time_in_calls() }
}
