// Two threads that change the heads of two lists, which share a cache line or do not.
package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

func init() { operations["heads"] = changeHeads }

// Nanoseconds until each of arguments[1] threads has changed its own head count times; heads are arguments[0] words apart.
func changeHeads(count int, arguments []int) []int64 {
	apart, threads := arguments[0], arguments[1]
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
	words := make([]uint64, 64+apart*threads)
	// The first one begins a pair of cache lines, which the processor may fetch together.
	first := 0
	for uintptr(unsafe.Pointer(&words[first]))%128 != 0 {
		first++
	}
	var done, ready sync.WaitGroup
	done.Add(threads)
	ready.Add(threads)
	begin := make(chan struct{})
	for thread := 0; thread < threads; thread++ {
		head := &words[first+thread*apart]
		go func() {
			runtime.LockOSThread()
			ready.Done()
			<-begin
			for i := 0; i < count; i++ {
				old := atomic.LoadUint64(head)
				atomic.CompareAndSwapUint64(head, old, old+1)
			}
			done.Done()
		}()
	}
	ready.Wait()
	start := time.Now()
	close(begin)
	done.Wait()
	return []int64{int64(time.Since(start))}
}
