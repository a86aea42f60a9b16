internal import CShim

/// Whether stacks begin at staggered cache lines: what a benchmark switches off to see what it brings.
package enum StackStagger {
    /// Makes a difference to stacks that are made, or taken from a pool, from now on, on all threads.
    package static func set(_ isOn: Bool) { fl_debug_stagger(isOn) }
}
