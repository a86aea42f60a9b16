// Closures that goroutines run, and what the heap gives for one.
package main

import (
	"runtime"
	"sync"
	"time"
)

func init() { operations["closures"] = closures }

// Starts count goroutines with a closure that captures a number and where it goes to, one after the other; arguments[0] is 1
// to call the closure instead. Returns nanoseconds, and the bytes and objects that all of them took of the heap.
func closures(count int, arguments []int) []int64 {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	isCall := arguments[0] == 1
	var sum int
	var done sync.WaitGroup
	run := func(count int) {
		for i := 0; i < count; i++ {
			number := i
			if isCall {
				call := func() { sum += number }
				call()
				continue
			}
			done.Add(1)
			go func() {
				sum += number
				done.Done()
			}()
			done.Wait()
		}
	}
	// What goroutines need themselves is there afterwards.
	run(100)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	run(count)
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	return []int64{int64(took), int64(after.TotalAlloc - before.TotalAlloc), int64(after.Mallocs - before.Mallocs)}
}
