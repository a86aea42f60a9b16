// What stacks are in the life of a program with many goroutines: how late a request is answered, what a collection
// takes, and the memory of goroutines that wait.
package main

import (
	"bufio"
	"os"
	"runtime"
	"runtime/debug"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

func init() {
	operations["latency"] = latency
	operations["collections"] = collections
	operations["memory"] = memory
}

// A request is answered after some recursion, with something that becomes garbage.
//
//go:noinline
func respond(depth int, text []byte) int {
	var local [12]int
	local[depth%len(local)] = depth
	if depth == 0 {
		return len(append([]byte("answer to "), text...))
	}
	return respond(depth-1, text) + local[(depth+1)%len(local)]
}

// Frames of one request, some 4 KiB.
const requestDepth = 28

// Goroutines that wait for requests, each of which has answered one.
func workers(number int) []chan chan int {
	all := make([]chan chan int, number)
	answer := make(chan int)
	for index := range all {
		all[index] = make(chan chan int)
		go func(requests chan chan int) {
			text := make([]byte, 1024)
			for answer := range requests {
				answer <- respond(requestDepth, text)
			}
		}(all[index])
		all[index] <- answer
		<-answer
	}
	return all
}

// Asks count times one of arguments[0] goroutines, chosen at random, while garbage is collected. Returns the
// nanoseconds of all, and of one the median, the 99th and the 99.9th percentile.
func latency(count int, arguments []int) []int64 {
	all := workers(arguments[0])
	debug.SetGCPercent(100)
	defer debug.SetGCPercent(-1)
	answer := make(chan int)
	times := make([]int64, count)
	choice := uint64(1)
	began := time.Now()
	for index := range times {
		choice = choice*6364136223846793005 + 1442695040888963407
		start := time.Now()
		all[choice>>33%uint64(len(all))] <- answer
		<-answer
		times[index] = int64(time.Since(start))
	}
	total := int64(time.Since(began))
	sort.Slice(times, func(i, j int) bool { return times[i] < times[j] })
	return []int64{total, times[count/2], times[count*99/100], times[count*999/1000]}
}

// Collects count times beside arguments[0] goroutines that wait. Returns the nanoseconds of all, the median of one, and
// the median and the maximum of the time for which the world stands still.
func collections(count int, arguments []int) []int64 {
	all := workers(arguments[0])
	runtime.GC()
	times := make([]int64, count)
	began := time.Now()
	for index := range times {
		start := time.Now()
		runtime.GC()
		times[index] = int64(time.Since(start))
	}
	total := int64(time.Since(began))
	var statistics debug.GCStats
	debug.ReadGCStats(&statistics)
	pauses := statistics.Pause[:count]
	sort.Slice(times, func(i, j int) bool { return times[i] < times[j] })
	sort.Slice(pauses, func(i, j int) bool { return pauses[i] < pauses[j] })
	runtime.KeepAlive(all)
	return []int64{total, times[count/2], int64(pauses[count/2]), int64(pauses[count-1])}
}

// Bytes of this process in memory, page tables included.
func resident() int64 {
	file, err := os.Open("/proc/self/status")
	if err != nil {
		panic(err)
	}
	defer file.Close()
	var bytes int64
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if words[0] == "VmRSS:" || words[0] == "VmPTE:" {
			number, _ := strconv.ParseInt(words[1], 10, 64)
			bytes += number << 10
		}
	}
	return bytes
}

// Starts count goroutines that wait. Returns the nanoseconds, and the bytes of memory that all of them take.
func memory(count int, arguments []int) []int64 {
	before := resident()
	began := time.Now()
	var started sync.WaitGroup
	gate := make(chan struct{})
	for index := 0; index < count; index++ {
		started.Add(1)
		go func() {
			started.Done()
			<-gate
		}()
	}
	started.Wait()
	total := int64(time.Since(began))
	taken := resident() - before
	close(gate)
	return []int64{total, taken}
}
