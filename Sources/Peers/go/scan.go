// How long a goroutine stands still while a collection scans its stack.
package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sort"
	"sync"
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

// Nanoseconds that goroutines helped collections along, of all processors.
func assisted() int64 {
	sample := []metrics.Sample{{Name: "/cpu/classes/gc/mark/assist:cpu-seconds"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindFloat64 {
		return 0
	}
	return int64(sample[0].Value.Float64() * 1e9)
}

// A goroutine reads the clock without end, arguments[0] frames deep, beside count collections and arguments[1] goroutines that
// wait 10 frames deep. If arguments[2] is 1, it allocates 1 KiB between two readings, so that it has to help. Returns the sum,
// over them, of the longest time between two readings during each; the median; the median of as many equal times without one;
// the median pause; and nanoseconds of help for each collection.
func scanStack(count int, arguments []int) []int64 {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	others, allocates := 0, false
	if len(arguments) > 2 {
		others, allocates = arguments[1], arguments[2] == 1
	}
	var waiting sync.WaitGroup
	waiting.Add(others)
	forever := make(chan bool)
	for i := 0; i < others; i++ {
		go below(10, func() {
			waiting.Done()
			<-forever
		})
	}
	waiting.Wait()
	var longest, stop atomic.Int64
	ended, began := make(chan bool), make(chan bool)
	go func() {
		below(arguments[0], func() {
			close(began)
			last := time.Now()
			for stop.Load() == 0 {
				if allocates {
					garbage = make([]byte, 1<<10)
				}
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
	var gaps, calm, pauses []int64
	var help int64
	for i := 0; i < count+1; i++ {
		longest.Store(0)
		start := time.Now()
		before := assisted()
		runtime.GC()
		took := time.Since(start)
		gap := longest.Load()
		own := assisted() - before
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		longest.Store(0)
		time.Sleep(took)
		if i > 0 {
			gaps, calm = append(gaps, gap), append(calm, longest.Load())
			pauses = append(pauses, int64(stats.PauseNs[(stats.NumGC+255)%256]))
			help += own
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
	return []int64{sum, median(gaps), median(calm), median(pauses), help / int64(count)}
}

var garbage []byte
