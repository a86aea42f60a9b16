// A small server without a network: each request is parsed, handled by a recursion over what it holds, and answered, in a
// goroutine of its own.
package main

import (
	"encoding/json"
	"math"
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

// Serves count requests, each in a goroutine whose stack begins with arguments[0] bytes. Returns the nanoseconds of
// processor time of all, how often stacks grew, and of the latencies the median, the 99th and the 99.9th percentile.
func requests(count int, arguments []int) []int64 {
	size := arguments[0]
	documents := make([][]byte, len(depths))
	for i, depth := range depths {
		documents[i] = document(depth)
	}
	latencies := make([]int64, 0, count)
	var growths, served int64
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
		growths += int64(math.Round(math.Log2(float64(bounds().size()) / float64(size))))
	})
	spent := processorTime() - began
	sort.Slice(latencies, func(i, j int) bool { return latencies[i] < latencies[j] })
	quantile := func(share float64) int64 { return latencies[int(math.Ceil(share*float64(count)))-1] }
	return []int64{spent, growths, quantile(0.5), quantile(0.99), quantile(0.999)}
}
