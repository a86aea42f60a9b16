// What Go keeps to itself: its allocator of stacks, and how large a goroutine's stack is. Reached by linkname, which Go
// 1.23 and later refuse unless the linker is told otherwise.
package main

import (
	"time"
	_ "unsafe" // for go:linkname
)

func init() {
	operations["stackalloc"] = allocate
}

type stackBounds struct{ low, high uintptr }

func (b stackBounds) size() int { return int(b.high - b.low) }

//go:linkname stackalloc runtime.stackalloc
func stackalloc(size uint32) stackBounds

//go:linkname stackfree runtime.stackfree
func stackfree(stack stackBounds)

//go:linkname systemstack runtime.systemstack
//go:noescape
func systemstack(body func())

// How large the stack of a goroutine is that takes the place of one that has ended; a collection would change it.
//
//go:linkname startingStackSize runtime.startingStackSize
var startingStackSize uint32

// The running goroutine's stack, with which its descriptor begins (runtime.g).
func bounds() stackBounds

// Nanoseconds of allocating and freeing count stacks of arguments[0] bytes, one at a time. The allocator runs on the
// thread's own stack only.
func allocate(count int, arguments []int) []int64 {
	bytes := uint32(arguments[0])
	start := time.Now()
	systemstack(func() {
		for i := 0; i < count; i++ {
			stackfree(stackalloc(bytes))
		}
	})
	return []int64{int64(time.Since(start))}
}

// Calls body in goroutines whose stacks begin with the given size, one after the other, until count of them did. The
// first ones may be new instead of reused and have the usual size.
func inGoroutinesOf(size int, count int, body func()) {
	former := startingStackSize
	startingStackSize = uint32(size)
	defer func() { startingStackSize = former }()
	for done := 0; done < count; {
		finished := make(chan bool)
		go func() {
			own := bounds().size() == size
			if own {
				body()
			}
			finished <- own
		}()
		if <-finished {
			done++
		}
	}
}
