// What Go keeps to itself: its allocator of stacks, and how large a goroutine's stack is. Reached by linkname, which Go
// 1.23 and later refuse unless the linker is told otherwise.
package main

import (
	"sort"
	_ "unsafe" // for go:linkname
)

func init() {
	operations["stackalloc"] = allocate
	operations["stackpair"] = pair
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

//go:linkname nanotime runtime.nanotime
func nanotime() int64

// Nanoseconds of allocating and freeing count stacks of arguments[0] bytes, one at a time.
func pair(count int, arguments []int) []int64 {
	bytes := uint32(arguments[0])
	var took int64
	systemstack(func() {
		took = -nanotime()
		for i := 0; i < count; i++ {
			stackfree(stackalloc(bytes))
		}
		took += nanotime()
	})
	return []int64{took}
}

// Allocates arguments[1] stacks of arguments[0] bytes, then frees them, count times: nanoseconds of the allocations, and of
// the frees, each count times the mean without the slowest hundredth, because an interruption takes longer than many of them.
// The clock may have steps as long as a batch, which a mean of many evens out and a median does not. What reading the clock
// takes, by the same mean, is not in it. arguments[2] further stacks are free from the beginning, between as many that are in use, so that no span is
// returned to the heap by a free and taken again by the next allocation. The allocator runs on the thread's own stack only.
func allocate(count int, arguments []int) []int64 {
	bytes := uint32(arguments[0])
	batch := make([]stackBounds, arguments[1])
	reserve := make([]stackBounds, 2*arguments[2])
	var took [3][]int64
	for i := range took {
		took[i] = make([]int64, count)
	}
	systemstack(func() {
		for i := range reserve {
			reserve[i] = stackalloc(bytes)
		}
		for i := 0; i < len(reserve); i += 2 {
			stackfree(reserve[i])
		}
		for n := 0; n < count; n++ {
			start := nanotime()
			for i := range batch {
				batch[i] = stackalloc(bytes)
			}
			allocated := nanotime()
			for i := range batch {
				stackfree(batch[i])
			}
			freed := nanotime()
			took[0][n], took[1][n], took[2][n] = allocated-start, freed-allocated, nanotime()-freed
		}
		for i := 1; i < len(reserve); i += 2 {
			stackfree(reserve[i])
		}
	})
	reading := meanOfMost(took[2])
	var found []int64
	for _, all := range took[:2] {
		found = append(found, int64(float64(count)*(meanOfMost(all)-reading)))
	}
	return found
}

// The mean without the largest hundredth.
func meanOfMost(all []int64) float64 {
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	most := all[:len(all)-len(all)/100]
	var sum int64
	for _, one := range most {
		sum += one
	}
	return float64(sum) / float64(len(most))
}

// Calls body in goroutines whose stacks begin with the given size, one after the other, until count of them did. The
// first ones may be new instead of reused and have the usual size.
func inGoroutinesOf(size int, count int, body func()) {
	former := startingStackSize
	defer func() { startingStackSize = former }()
	for done := 0; done < count; {
		// Each time, because collections set it anew.
		startingStackSize = uint32(size)
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
