// How long a goroutine stands still while a collection scans its stack.
package main

import (
	"runtime"
	"runtime/debug"
	"sort"
	"sync/atomic"
	"time"
)

func init() { operations["scan"] = scanStack }

//go:noinline
func below(depth int, work func()) int {
	var own [16]*int
	own[depth&15] = &depth
	if depth == 0 {
		work()
		return *own[0]
	}
	return below(depth-1, work) + *own[depth&15]
}

// A goroutine reads the clock without end, arguments[0] frames deep, beside count collections. Returns the sum, over them, of
// the longest time between two readings during each; the median; and the median of as many equal times without one.
func scanStack(count int, arguments []int) []int64 {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	var longest, stop atomic.Int64
	ended, began := make(chan bool), make(chan bool)
	go func() {
		below(arguments[0], func() {
			close(began)
			last := time.Now()
			for stop.Load() == 0 {
				now := time.Now()
				gap := int64(now.Sub(last))
				if gap > longest.Load() {
					longest.Store(gap)
				}
				last = now
			}
		})
		close(ended)
	}()
	<-began
	var gaps, calm []int64
	for i := 0; i < count+1; i++ {
		longest.Store(0)
		start := time.Now()
		runtime.GC()
		took := time.Since(start)
		gap := longest.Load()
		longest.Store(0)
		time.Sleep(took)
		if i > 0 {
			gaps, calm = append(gaps, gap), append(calm, longest.Load())
		}
	}
	stop.Store(1)
	<-ended
	var sum int64
	for _, gap := range gaps {
		sum += gap
	}
	median := func(values []int64) int64 {
		sort.Slice(values, func(i, j int) bool { return values[i] < values[j] })
		return values[len(values)/2]
	}
	return []int64{sum, median(gaps), median(calm)}
}
