// Goroutines of a program without stack checks start on a large stack with a guard at its low end, which lies below
// what the runtime takes for the stack. This file and the constants at its end are added by Faultline.
//
//	block            stack.lo                    stack.hi
//	| uncheckedGuard |                           |
//
// A block is a power of two of bytes. Stacks of threads and of signal handlers are smaller and stay as they are.

package runtime

import (
	"internal/runtime/atomic"
	"unsafe"
)

const (
	// A goroutine's first stack, without its guard.
	uncheckedStack = uncheckedBlock - uncheckedGuard
	// A signal that makes the goroutine panic pushes a call on its stack.
	uncheckedMargin = 512

	uncheckedAdviseInstall = 102 // MADV_GUARD_INSTALL, Linux 6.13
	uncheckedAdviseRemove  = 103 // MADV_GUARD_REMOVE
)

// uncheckedByMapping is set once the kernel has refused to guard pages: before Linux 6.13 always, later for locked ones.
var uncheckedByMapping atomic.Bool

// uncheckedStackSize is the size of the stack that a request of n bytes gets.
func uncheckedStackSize(n uintptr) uintptr {
	if n < uncheckedStack {
		return n
	}
	return uintptr(round2(int32(n))) - uncheckedGuard
}

// stackalloc is what the runtime calls; its own function has another name.
//
//go:systemstack
func stackalloc(n uint32) stack {
	if n < uncheckedStack || uncheckedGuard == 0 {
		return uncheckedStackalloc(n)
	}
	s := uncheckedStackalloc(uint32(round2(int32(n))))
	low := unsafe.Pointer(s.lo)
	if uncheckedByMapping.Load() || madvise(low, uncheckedGuard, uncheckedAdviseInstall) != 0 {
		uncheckedByMapping.Store(true)
		uncheckedMap(low, _PROT_NONE)
	}
	s.lo += uncheckedGuard
	return s
}

// stackfree is what the runtime calls; its own function has another name.
//
//go:systemstack
func stackfree(s stack) {
	if s.hi-s.lo >= uncheckedStack && uncheckedGuard > 0 {
		s.lo -= uncheckedGuard
		low := unsafe.Pointer(s.lo)
		if uncheckedByMapping.Load() || madvise(low, uncheckedGuard, uncheckedAdviseRemove) != 0 {
			uncheckedMap(low, _PROT_READ|_PROT_WRITE)
		}
	}
	uncheckedStackfree(s)
}

func uncheckedMap(low unsafe.Pointer, protection int32) {
	_, err := mmap(low, uncheckedGuard, protection, _MAP_ANON|_MAP_FIXED|_MAP_PRIVATE, -1, 0)
	if err != 0 {
		throw("a goroutine's stack cannot be guarded; with Linux before 6.13 raise vm.max_map_count")
	}
}

// uncheckedOverflow ends the program when a signal comes from a goroutine that has used up its stack.
func uncheckedOverflow(sig uint32, c *sigctxt, gp *g) {
	if sig != _SIGSEGV || c.sigFromUser() || gp == nil || gp.m == nil || gp == gp.m.g0 ||
		gp.stack.hi-gp.stack.lo < uncheckedStack {
		return
	}
	block := gp.stack.lo - uncheckedGuard
	if uintptr(c.sigaddr())-block >= uncheckedGuard && c.sigsp()-block >= uncheckedGuard+uncheckedMargin {
		return
	}
	print("fatal error: stack overflow: the goroutine used up its stack of ", uncheckedBlock>>10,
		" KiB; this program has no stack checks: build it with a toolchain of a larger --initial\n")
	exit(2)
}

// uncheckedArrival notes that no signal by which goroutines are preempted is under way to the thread, so that others are
// sent: where one has come, and where a thread of C gets a record that others had.
//
//go:nosplit
//go:nowritebarrierrec
func uncheckedArrival(sig uint32, gp *g) {
	if sig == sigPreempt && gp != nil && gp.m != nil {
		gp.m.signalPending.Store(0)
	}
}
