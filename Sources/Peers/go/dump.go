// Many goroutines that ask for their own stack trace at once, as the article on start-up does.
package main

import (
	"runtime"
	"sort"
	"sync"
	"syscall"
	"time"
)

func init() { operations["dump"] = dumpStacks }

func processorTime() int64 {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		panic("no rusage")
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

// arguments[0] goroutines call runtime.Stack count times each, on arguments[1] processors. Returns count times the median of
// what a call took, and count times the processor time of a call: where only the first grows, calls wait for a processor.
func dumpStacks(count int, arguments []int) []int64 {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(arguments[1]))
	goroutines := arguments[0]
	took := make([]int64, goroutines*count)
	begin := make(chan struct{})
	var done sync.WaitGroup
	done.Add(goroutines)
	for g := 0; g < goroutines; g++ {
		own := took[g*count : (g+1)*count]
		go func() {
			defer done.Done()
			text := make([]byte, 4096)
			<-begin
			for i := range own {
				start := time.Now()
				runtime.Stack(text, false)
				own[i] = int64(time.Since(start))
			}
		}()
	}
	spent := processorTime()
	close(begin)
	done.Wait()
	spent = processorTime() - spent
	sort.Slice(took, func(i, j int) bool { return took[i] < took[j] })
	var sum int64
	for _, one := range took {
		sum += one
	}
	calls := int64(len(took))
	return []int64{took[len(took)/2] * int64(count), spent * int64(count) / calls, sum * int64(count) / calls}
}
