// Storms of goroutines, and for how long they made others wait for the locks of Go's memory.
package main

import (
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"time"
)

func init() { operations["storm"] = storm }

// Whose lock a stack trace of a contended unlock is about: an index into what storm returns.
var lockOwners = []string{"mcentral", "mheap", "stackpool"}

func lockOwner(stack []uintptr) int {
	frames := runtime.CallersFrames(stack)
	for {
		frame, more := frames.Next()
		name := frame.Function
		switch {
		case strings.Contains(name, "mcentral"):
			return 0
		case strings.Contains(name, "mheap") || strings.HasSuffix(name, "stackalloc") ||
			strings.HasSuffix(name, "stackfree"):
			return 1
		case strings.Contains(name, "stackcache") || strings.Contains(name, "stackpool"):
			return 2
		}
		if !more {
			return -1
		}
	}
}

//go:noinline
func touch(depth int) int {
	var own [32]int
	own[depth&31] = depth
	if depth == 0 {
		return own[0]
	}
	return touch(depth-1) + own[depth&31]
}

// Each of arguments[0] processors starts count goroutines that descend arguments[1] frames of 256 bytes and end. Returns
// nanoseconds, then for each owner of locks how often one was waited for and the nanoseconds waited in all. Needs
// GODEBUG=runtimecontentionstacks=1 (Go 1.22): what Go does not tell is 0.
func storm(count int, arguments []int) []int64 {
	processors, depth := arguments[0], arguments[1]
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
	runtime.SetMutexProfileFraction(1)
	before := waits()
	var all sync.WaitGroup
	start := time.Now()
	for p := 0; p < processors; p++ {
		all.Add(1)
		go func() {
			defer all.Done()
			var own sync.WaitGroup
			for i := 0; i < count; i++ {
				own.Add(1)
				go func() {
					touch(depth)
					own.Done()
				}()
			}
			own.Wait()
		}()
	}
	all.Wait()
	took := time.Since(start)
	after := waits()
	found := []int64{int64(took)}
	for i := range after {
		found = append(found, after[i]-before[i])
	}
	return found
}

// By owner: how often one was waited for, and for how many nanoseconds in all.
func waits() []int64 {
	records := make([]runtime.BlockProfileRecord, 4096)
	number, _ := runtime.MutexProfile(records)
	found := make([]int64, 2*len(lockOwners))
	nanoseconds := nanosecondsPerCycle()
	for _, record := range records[:smaller(number, len(records))] {
		owner := lockOwner(record.Stack())
		if owner < 0 {
			continue
		}
		found[2*owner] += record.Count
		found[2*owner+1] += int64(float64(record.Cycles) * nanoseconds)
	}
	return found
}

func smaller(a, b int) int {
	if a < b {
		return a
	}
	return b
}

// What pprof writes above a mutex profile.
func nanosecondsPerCycle() float64 {
	var text strings.Builder
	pprof.Lookup("mutex").WriteTo(&text, 1)
	_, rest, _ := strings.Cut(text.String(), "cycles/second=")
	digits, _, _ := strings.Cut(rest, "\n")
	cycles, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		panic("no cycles in a second")
	}
	return 1e9 / cycles
}
