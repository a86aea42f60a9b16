// Many goroutines: what one takes while it waits, how fast they are made and take turns, what growing costs when several
// processors do it at once, and what a collection gives back of stacks that are larger than they need to be.
package main

import (
	"bufio"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

func init() {
	operations["spawn"] = spawn
	operations["crowd"] = crowd
	operations["switch"] = switchTurns
	operations["suspend"] = suspend
	operations["contend"] = contend
	operations["copy"] = copyOnce
	operations["shrink"] = shrink
}

// Frames of 256 bytes and a little: large enough that few are needed, small enough to be checked like any other.
type frame [32]uint64

//go:noinline
func descend(depth int, outer *frame) uint64 {
	var own frame
	own[depth&31] = outer[(depth+1)&31] + 1
	if depth == 0 {
		return own[0]
	}
	return descend(depth-1, &own) + own[1]
}

// Nanoseconds of making count goroutines that do nothing, each after the end of the one before, and how many ended.
func spawn(count int, arguments []int) []int64 {
	done := make(chan struct{})
	start := time.Now()
	ended := int64(0)
	for i := 0; i < count; i++ {
		go func() { done <- struct{}{} }()
		<-done
		ended++
	}
	return []int64{int64(time.Since(start)), ended}
}

// Nanoseconds of making count goroutines that all run and wait before the first may end, after arguments[0] such crowds that
// have ended and arguments[1] collections.
func crowd(count int, arguments []int) []int64 {
	var took time.Duration
	for earlier := 0; earlier <= arguments[0]; earlier++ {
		if earlier == arguments[0] {
			for i := 0; i < arguments[1]; i++ {
				runtime.GC()
			}
		}
		end := make(chan struct{})
		var waiting, ended sync.WaitGroup
		waiting.Add(count)
		ended.Add(count)
		start := time.Now()
		for i := 0; i < count; i++ {
			go func() {
				waiting.Done()
				<-end
				ended.Done()
			}()
		}
		waiting.Wait()
		took = time.Since(start)
		close(end)
		ended.Wait()
	}
	return []int64{int64(took)}
}

// Nanoseconds of count round trips between two goroutines.
func switchTurns(count int, arguments []int) []int64 {
	there, back := make(chan int), make(chan int)
	go func() {
		for value := range there {
			back <- value + 1
		}
	}()
	start := time.Now()
	for i := 0; i < count; i++ {
		there <- i
		<-back
	}
	took := time.Since(start)
	close(there)
	return []int64{int64(took)}
}

// A field of /proc/self/status in bytes.
func statusBytes(name string) int64 {
	file, err := os.Open("/proc/self/status")
	if err != nil {
		return -1
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) == 3 && words[0] == name+":" {
			kibibytes, _ := strconv.ParseInt(words[1], 10, 64)
			return kibibytes << 10
		}
	}
	return -1
}

// Page faults of this process that read nothing from a disk.
func pageFaults() int64 {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return -1
	}
	return usage.Minflt
}

// Makes count goroutines that wait. Returns the nanoseconds it took; how much more memory, page tables and address space there
// are, in bytes; and the page faults that it took. They wait until the program ends.
func suspend(count int, arguments []int) []int64 {
	forever := make(chan struct{})
	var waiting sync.WaitGroup
	waiting.Add(count)
	before := []int64{statusBytes("VmRSS"), statusBytes("VmPTE"), statusBytes("VmSize"), pageFaults()}
	start := time.Now()
	for i := 0; i < count; i++ {
		go func() {
			waiting.Done()
			<-forever
		}()
	}
	waiting.Wait()
	took := time.Since(start)
	after := []int64{statusBytes("VmRSS"), statusBytes("VmPTE"), statusBytes("VmSize"), pageFaults()}
	found := []int64{int64(took)}
	for i := range after {
		found = append(found, after[i]-before[i])
	}
	return found
}

// Grows the stacks of 64 goroutines for each of arguments[0] processors, count times, each from 2 KiB by descending
// arguments[1] frames. Returns the nanoseconds between their start and the last one's end, summed, the number of growths,
// and the nanoseconds of processor time that these took: of each descent, by the thread's own clock, without that of the
// same descent again, which finds room. What wakes goroutines and waits for them is in neither descent.
func contend(count int, arguments []int) []int64 {
	processors, depth := arguments[0], arguments[1]
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
	var took, growths, used int64
	for i := 0; i < count; i++ {
		var ready, done sync.WaitGroup
		begin := make(chan struct{})
		ready.Add(64 * processors)
		done.Add(64 * processors)
		for g := 0; g < 64*processors; g++ {
			go func() {
				var outermost frame
				before := bounds().size()
				ready.Done()
				<-begin
				thread, start := threadTime()
				first := descend(depth, &outermost)
				_, middle := threadTime()
				second := descend(depth, &outermost)
				last, end := threadTime()
				atomic.AddUint64(&contended, first+second)
				// What went on with another thread has no time of its own.
				if thread == last {
					atomic.AddInt64(&used, (middle-start)-(end-middle))
					for size := before; size < bounds().size(); size *= 2 {
						atomic.AddInt64(&growths, 1)
					}
				}
				done.Done()
			}()
		}
		ready.Wait()
		start := time.Now()
		close(begin)
		done.Wait()
		took += int64(time.Since(start))
	}
	return []int64{took, growths, used}
}

// The running thread, and the nanoseconds of processor time that it has had.
func threadTime() (thread int, nanoseconds int64) {
	const clockThreadTime = 3
	var now syscall.Timespec
	_, _, err := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockThreadTime, uintptr(unsafe.Pointer(&now)), 0)
	if err != 0 {
		panic(err)
	}
	return syscall.Gettid(), now.Nano()
}

var contended uint64

// Nanoseconds that count growths take, each the only one of its goroutine, from arguments[0] bytes to twice as much: the
// same descent with and without it. Returns count times the median, because an interruption can make the second descent the
// longer one, and the number of growths that were seen.
func copyOnce(count int, arguments []int) []int64 {
	size := arguments[0]
	var took []int64
	inGoroutinesOf(size, count, func() {
		var outermost frame
		// Until the stack is nearly full, then on until it is not: the same number of frames again fits.
		for depth := size/512 + 2; bounds().size() == size; depth++ {
			start := time.Now()
			contended += descend(depth, &outermost)
			first := time.Since(start)
			if bounds().size() == 2*size {
				start = time.Now()
				contended += descend(depth, &outermost)
				took = append(took, int64(first-time.Since(start)))
			}
		}
	})
	sort.Slice(took, func(i, j int) bool { return took[i] < took[j] })
	return []int64{took[len(took)/2] * int64(count), int64(len(took))}
}

// Grows count goroutines to arguments[0] bytes and more, lets them return and wait, then collects arguments[1] times: a
// collection halves the stack of a goroutine that uses less than a quarter of it. Returns the nanoseconds of all
// collections, and the bytes of stacks before and after.
func shrink(count int, arguments []int) []int64 {
	bytes, collections := arguments[0], arguments[1]
	forever := make(chan struct{})
	var waiting sync.WaitGroup
	waiting.Add(count)
	for i := 0; i < count; i++ {
		go func() {
			var outermost frame
			for depth := 1; bounds().size() < bytes; depth *= 2 {
				atomic.AddUint64(&contended, descend(depth, &outermost))
			}
			waiting.Done()
			<-forever
		}()
	}
	waiting.Wait()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	for i := 0; i < collections; i++ {
		runtime.GC()
	}
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	close(forever)
	return []int64{int64(took), int64(before.StackInuse), int64(after.StackInuse)}
}
