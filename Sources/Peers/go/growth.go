// Growing a goroutine's stack: what Go's newstack and copystack cost. Every operation runs in goroutines made for it,
// whose stacks begin with 2 KiB.
package main

import (
	"runtime"
	"time"
)

func init() {
	operations["grow"] = grow
}

// Frames of 256 bytes and a little: large enough that few are needed, small enough to be checked like any other.
type frame [32]uint64

//go:noinline
func descend(depth int, outer *frame) uint64 {
	var own frame
	own[depth&31] = outer[(depth+1)&31] + 1
	if depth == 0 {
		return own[0]
	}
	return descend(depth-1, &own) + own[1]
}

var sink uint64

// Nanoseconds that descending argument[0] frames takes in a fresh goroutine, count times: the growths on the way
// included. Then the same in the same goroutine again, where room is there already.
func grow(count int, arguments []int) []int64 {
	depth := arguments[0]
	var first, second int64
	for i := 0; i < count; i++ {
		done := make(chan struct{})
		go func() {
			var outermost frame
			start := time.Now()
			sink += descend(depth, &outermost)
			middle := time.Now()
			sink += descend(depth, &outermost)
			end := time.Now()
			first += int64(middle.Sub(start))
			second += int64(end.Sub(middle))
			close(done)
		}()
		<-done
		runtime.Gosched()
	}
	return []int64{first, second}
}
