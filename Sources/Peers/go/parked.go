// Goroutines that did something before they wait: used their stacks deeply once, parsed a request, or are of mixed depths.
package main

import (
	"encoding/json"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

func init() {
	operations["park"] = park
	operations["waste"] = waste
	operations["again"] = descendAgain
}

// What a gateway keeps of a connection that no goroutine waits for: what to call, with what has been read.
type connection struct {
	state int
	ready func(*connection)
	peer  *connection
	input [384]byte
}

// Makes count goroutines that wait, or, if arguments[4] is 1, as many records of connections. Before, each descends arguments[0] frames and returns; if arguments[1] is 1 it parses the
// document of a request and waits within arguments[2] frames of its handler. Then arguments[3] collections. Returns what
// suspend does, and after it the longest and the median time that the world stood still in one of them.
func park(count int, arguments []int) []int64 {
	depth, parses, handler, collections := arguments[0], arguments[1] == 1, arguments[2], arguments[3]
	records := len(arguments) > 4 && arguments[4] == 1
	texts := make([][]byte, len(depths))
	for i, depth := range depths {
		texts[i] = document(depth)
	}
	forever := make(chan struct{})
	var waiting sync.WaitGroup
	waiting.Add(count)
	before := []int64{statusBytes("VmRSS"), statusBytes("VmPTE"), statusBytes("VmSize"), pageFaults()}
	start := time.Now()
	var connections []*connection
	if records {
		waiting.Add(-count)
		for i := 0; i < count; i++ {
			own := &connection{state: i}
			own.ready = func(other *connection) { own.peer = other }
			connections = append(connections, own)
		}
	}
	for i := 0; i < count && !records; i++ {
		text := texts[i%len(texts)]
		go func() {
			var outermost frame
			if depth > 0 {
				contended += descend(depth, &outermost)
			}
			if parses {
				var value any
				if json.Unmarshal(text, &value) != nil {
					panic("a request is not JSON")
				}
				contended += uint64(handle(value))
			}
			within(handler, &outermost, func() {
				waiting.Done()
				<-forever
			})
		}()
	}
	waiting.Wait()
	took := time.Since(start)
	var pauses []int64
	for i := 0; i < collections; i++ {
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		pauses = append(pauses, int64(stats.PauseNs[(stats.NumGC+255)%256]))
	}
	if collections > 0 {
		// What was given up goes back to the kernel, and does not count.
		debug.FreeOSMemory()
	}
	after := []int64{statusBytes("VmRSS"), statusBytes("VmPTE"), statusBytes("VmSize"), pageFaults()}
	found := []int64{int64(took)}
	for i := range after {
		found = append(found, max64(0, after[i]-before[i]))
	}
	runtime.KeepAlive(connections)
	return append(found, quantileOf(pauses, 1), quantileOf(pauses, 0.5))
}

func max64(a, b int64) int64 {
	if a > b {
		return a
	}
	return b
}

//go:noinline
func within(depth int, outer *frame, work func()) uint64 {
	if depth == 0 {
		work()
		return outer[0]
	}
	return within(depth-1, outer, work) + uint64(depth)
}

// Makes count goroutines of mixed depths, lets three of four end, and makes half as many again. Returns the nanoseconds of it,
// the bytes of stacks of those that wait, and of all memory that Go holds for stacks.
func waste(count int, arguments []int) []int64 {
	var waiting, ending sync.WaitGroup
	forever, end := make(chan struct{}), make(chan struct{})
	var sum int64
	var lock sync.Mutex
	make := func(count int) {
		waiting.Add(count)
		for i := 0; i < count; i++ {
			// From 2 KiB to 32 KiB, most of them small.
			depth, stays := (i*i%7)*(i%5)*(i%3), i%4 == 0
			if !stays {
				ending.Add(1)
			}
			go func() {
				var outermost frame
				own := descend(depth, &outermost)
				if stays {
					lock.Lock()
					sum += int64(bounds().size())
					contended += own
					lock.Unlock()
				}
				waiting.Done()
				if stays {
					<-forever
				} else {
					<-end
					ending.Done()
				}
			}()
		}
		waiting.Wait()
	}
	start := time.Now()
	make(count)
	close(end)
	ending.Wait()
	make(count / 2)
	took := time.Since(start)
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return []int64{int64(took), sum, int64(stats.StackInuse)}
}

// In each of count goroutines descends arguments[1] frames, then arguments[0] frames three times; where arguments[2] is 1, with a
// collection before the second and the third, which halves a stack of which less than a quarter is in use. Returns nanoseconds
// of all, then count times the median of each of the three, and how many stacks grew again after the first of them.
func descendAgain(count int, arguments []int) []int64 {
	var took [3][]int64
	var again int64
	collects := len(arguments) > 2 && arguments[2] == 1
	start := time.Now()
	for i := 0; i < count; i++ {
		done := make(chan struct{})
		go func() {
			var outermost frame
			contended += descend(arguments[1], &outermost)
			for turn := range took {
				if collects && turn > 0 {
					runtime.GC()
					// What is not safe to move at once is moved at the next check.
					runtime.Gosched()
				}
				before := bounds().size()
				start := time.Now()
				contended += descend(arguments[0], &outermost)
				took[turn] = append(took[turn], int64(time.Since(start)))
				if turn > 0 && bounds().size() != before {
					again++
				}
			}
			close(done)
		}()
		<-done
	}
	found := []int64{int64(time.Since(start))}
	for turn := range took {
		found = append(found, quantileOf(took[turn], 0.5)*int64(count))
	}
	return append(found, again)
}
