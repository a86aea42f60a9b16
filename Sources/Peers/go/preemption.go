// How long others wait beside a goroutine that does not stop: a sleep of a millisecond and a collection on one processor, and
// everything while a collection stops the world, on two. A goroutine gives way at a stack check, or at a signal, which counts only
// outside Go's runtime and assembly.
package main

import (
	"crypto/sha256"
	"reflect"
	"runtime"
	"sort"
	"sync/atomic"
	"time"
)

func init() {
	operations["sleep"] = func(count int, arguments []int) []int64 {
		return beside(1, count, arguments, func() time.Duration {
			start := time.Now()
			time.Sleep(time.Millisecond)
			return time.Since(start)
		})
	}
	operations["collect"] = func(count int, arguments []int) []int64 {
		return beside(1, count, arguments, func() time.Duration {
			start := time.Now()
			runtime.GC()
			return time.Since(start)
		})
	}
	// On one processor it is the collector's own goroutine that stops the others: none is running.
	operations["pause"] = func(count int, arguments []int) []int64 {
		return beside(2, count, arguments, func() time.Duration {
			runtime.GC()
			var all runtime.MemStats
			runtime.ReadMemStats(&all)
			return time.Duration(all.PauseNs[(all.NumGC+255)%256])
		})
	}
}

// What a goroutine does without end, in pieces of some ten milliseconds, and what it needs for that.
var works = []struct{ prepare, do func() }{
	{func() {}, callFunctions}, {makeNumbers, iterateMap}, {makeParts, compareDeeply}, {makeText, hashText},
}

var sink int64

//go:noinline
func called(n int64) int64 {
	if n&1 == 0 {
		return n >> 1
	}
	return calledToo(n) + 1
}

//go:noinline
func calledToo(n int64) int64 { return 3 * n }

func callFunctions() {
	for i := int64(0); i < 5_000_000; i++ {
		sink += called(i)
	}
}

var numbers = map[int]int{}

func makeNumbers() {
	for i := 0; i < 1<<17; i++ {
		numbers[i] = i
	}
}

func iterateMap() {
	for i := 0; i < 16; i++ {
		for key, value := range numbers {
			sink += int64(key ^ value)
		}
	}
}

// Without pointers to more than constants: comparing allocates next to nothing, and a collection has little to do.
type part struct {
	number int
	name   string
}

var first, second []part

func makeParts() {
	for i := 0; i < 1<<18; i++ {
		first = append(first, part{i, "part"})
		second = append(second, part{i, "part"})
	}
}

func compareDeeply() {
	if !reflect.DeepEqual(first, second) {
		panic("what is equal is not")
	}
}

var text []byte

func makeText() { text = make([]byte, 1<<20) }

// Next to all of it is assembly.
func hashText() {
	for i := 0; i < 16; i++ {
		sum := sha256.Sum256(text)
		sink += int64(sum[0])
	}
}

// Does what count times beside the work of number arguments[0], until arguments[1] milliseconds have passed; at least once.
// Returns the median and the longest of the times that it says, how often it was done, and how long a piece of the work
// takes, all times in nanoseconds.
func beside(processors, count int, arguments []int, what func() time.Duration) []int64 {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
	work, longest := works[arguments[0]], time.Duration(arguments[1])*time.Millisecond
	work.prepare()
	start := time.Now()
	work.do()
	piece := time.Since(start)
	var isOver int32
	over := make(chan struct{})
	go func() {
		for atomic.LoadInt32(&isOver) == 0 {
			work.do()
		}
		close(over)
	}()
	runtime.Gosched()
	var took []int64
	for begin := time.Now(); len(took) < count && (len(took) == 0 || time.Since(begin) < longest); {
		took = append(took, int64(what()))
	}
	atomic.StoreInt32(&isOver, 1)
	<-over
	sort.Slice(took, func(i, j int) bool { return took[i] < took[j] })
	return []int64{took[len(took)/2], took[len(took)-1], int64(len(took)), int64(piece)}
}
