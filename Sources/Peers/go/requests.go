// A small server without a network: each request is parsed, handled by a recursion over what it holds, and answered, in a
// goroutine of its own.
package main

import (
	"encoding/json"
	"math"
	"math/bits"
	"runtime"
	"runtime/debug"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func init() {
	operations["requests"] = requests
}

// How deeply requests are nested, in turn; the same list as in RequestDocuments.swift.
var depths = []int{1, 2, 2, 3, 3, 3, 4, 4, 5, 6, 8, 12, 16, 24}

// The same text as RequestDocuments.swift makes.
func document(depth int) []byte {
	var text strings.Builder
	for level := 0; level < depth; level++ {
		text.WriteString(`{"id":` + strconv.Itoa(level) + `,"name":"request","tags":["a","b","c"],"ratio":0.5,"child":`)
	}
	text.WriteString("null" + strings.Repeat("}", depth))
	return []byte(text.String())
}

//go:noinline
func handle(value any) int {
	sum := 1
	switch value := value.(type) {
	case map[string]any:
		for _, member := range value {
			sum += handle(member)
		}
	case []any:
		for _, item := range value {
			sum += handle(item)
		}
	}
	return sum
}

// Nanoseconds of processor time that this program has taken.
func processorTime() int64 {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		panic("no rusage")
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

// Stacks are counted by the size that they grew from, which is at most this many doublings of the smallest.
const sizesOfStacks = 8

// The value of which that share of values is no larger; 0 where there are none.
func quantileOf(values []int64, share float64) int64 {
	if len(values) == 0 {
		return 0
	}
	sort.Slice(values, func(i, j int) bool { return values[i] < values[j] })
	return values[int(math.Ceil(share*float64(len(values))))-1]
}

// Serves count requests, each in a goroutine whose stack begins with arguments[0] bytes, with collections as Go makes them if
// arguments[1] is 1. Returns the nanoseconds of processor time of all, how often stacks grew, of the latencies the median, the
// 99th and the 99.9th percentile, the number of collections, and how often stacks grew from 2 KiB, 4 KiB and so on.
func requests(count int, arguments []int) []int64 {
	size := arguments[0]
	if len(arguments) > 1 && arguments[1] == 1 {
		defer debug.SetGCPercent(debug.SetGCPercent(100))
	}
	var before, after runtime.MemStats
	documents := make([][]byte, len(depths))
	for i, depth := range depths {
		documents[i] = document(depth)
	}
	latencies := make([]int64, 0, count)
	var growths, served int64
	var growthsFrom [sizesOfStacks]int64
	runtime.ReadMemStats(&before)
	began := processorTime()
	inGoroutinesOf(size, count, func() {
		text := documents[int(served)%len(documents)]
		served++
		start := time.Now()
		var value any
		if json.Unmarshal(text, &value) != nil {
			panic("a request is not JSON")
		}
		contended += uint64(handle(value))
		answer, _ := json.Marshal(value)
		contended += uint64(len(answer))
		latencies = append(latencies, int64(time.Since(start)))
		for from := size; from < bounds().size(); from *= 2 {
			growths++
			growthsFrom[smallest(sizesOfStacks-1, bits.TrailingZeros(uint(from/firstStack)))]++
		}
	})
	spent := processorTime() - began
	runtime.ReadMemStats(&after)
	return append([]int64{
		spent, growths, quantileOf(latencies, 0.5), quantileOf(latencies, 0.99), quantileOf(latencies, 0.999),
		int64(after.NumGC - before.NumGC),
	}, growthsFrom[:]...)
}

func smallest(a, b int) int {
	if a < b {
		return a
	}
	return b
}
